package control

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/dialect"
)

// Runs says what a replication thread does.
type Runs uint8

// What a thread does.
const (
	RunsUnknown Runs = iota
	RunsNo
	RunsConnecting // a receiver without its source; it tries by itself
	RunsYes
)

// String returns the state in lower case.
func (r Runs) String() string { return [...]string{"unknown", "no", "connecting", "yes"}[min(r, 3)] }

// Problem is the error that a thread stopped with, or that it has now. It is a
// value; the zero value is none.
type Problem struct {
	Number int
	Text   string // the server's own, on one line
	// GTID is the transaction that could not be applied, "" if not known.
	GTID string
	// Event is where it begins in the source's log, as file:position, "" if not
	// known.
	Event string
}

// Thread is one of a slave's two threads.
type Thread struct {
	Runs    Runs
	Doing   string // the server's words
	Problem Problem
}

// Status is what a slave says of its replication, in one form for all
// dialects. It is a value; its sets are immutable.
type Status struct {
	Dialect *dialect.Dialect
	// Configured says whether the slave has a source on its unnamed channel.
	Configured bool
	// Channels are the names of further sources; Bellwether sets up none.
	Channels   []string
	SourceAddr string // host:port
	SourceUser string
	SourceID   uint32
	SourceUUID string // MySQL only

	Receiver, Applier Thread

	LagKnown bool
	Lag      time.Duration // the server's own idea
	// Retrieved is what was received since the source was set, nil without one.
	// Executed is what was applied, on MariaDB gtid_slave_pos; and Current adds
	// to it what a MariaDB wrote itself, gtid_current_pos.
	Retrieved, Executed, Current *cluster.GTIDSet

	ReadOnly, SuperReadOnly bool // super: MySQL only

	// logged is what a MariaDB's applier refuses because the slave has it already.
	logged   cluster.GTID
	options  options
	settings map[dialect.Term]string // of the slave's threads
}

// options are the connection's own, as Attach sets them.
type options struct {
	autoPosition bool
	connectRetry int
	retryCount   uint64
	retryKnown   bool
	heartbeat    time.Duration
	ssl          bool
	sslCA        string
	sslVerify    bool
}

// Workers is how many appliers work side by side, 0 where one does all.
func (s *Status) Workers() int {
	n, _ := strconv.Atoi(s.settings[dialect.Workers]) // of a number that the server said
	return n
}

// sources is how many sources the slave has.
func (s *Status) sources() int {
	if s.Configured {
		return len(s.Channels) + 1
	}
	return len(s.Channels)
}

// slaveSettings are the variables of a slave that Attach cares for.
var slaveSettings = []dialect.Term{
	dialect.ReadOnly, dialect.SuperReadOnly, dialect.Workers, dialect.ParallelMode, dialect.PreserveOrder, dialect.NetTimeout,
}

// Status reads what the node's replication does.
func (c *Conn) Status(ctx context.Context) (Status, error) {
	rows, err := c.rows(ctx, c.dialect.Say(dialect.ShowSlaveStatus))
	if err != nil {
		return Status{}, fmt.Errorf("read replication of %s: %w", c.node.Name, err)
	}
	s, err := parseStatus(c.dialect, rows)
	if err == nil {
		err = errors.Join(c.readSlaveSettings(ctx, &s), c.readDetails(ctx, &s))
	}
	if err != nil {
		return Status{}, fmt.Errorf("read replication of %s: %w", c.node.Name, err)
	}
	return s, nil
}

// readSlaveSettings reads the variables; one that the server does not have is
// absent.
func (c *Conn) readSlaveSettings(ctx context.Context, s *Status) error {
	var names []string
	for _, t := range slaveSettings {
		if c.dialect.Has(t) {
			names = append(names, quote(c.dialect.Say(t)))
		}
	}
	names = append(names, "'gtid_executed', 'gtid_slave_pos', 'gtid_current_pos'")
	rows, err := c.rows(ctx, "SHOW GLOBAL VARIABLES WHERE Variable_name IN ("+strings.Join(names, ", ")+")")
	if err != nil {
		return err
	}
	values := map[string]string{}
	for _, r := range rows {
		values[strings.ToLower(r["Variable_name"])] = r["Value"]
	}
	s.settings = map[dialect.Term]string{}
	for _, t := range slaveSettings {
		if v, ok := values[c.dialect.Say(t)]; ok && !c.refused[t] {
			s.settings[t] = v
		}
	}
	s.SuperReadOnly = isOn(s.settings[dialect.SuperReadOnly])
	s.ReadOnly = s.SuperReadOnly || isOn(s.settings[dialect.ReadOnly])
	return s.readSets(values)
}

// readSets reads what was executed, as the server has it now.
func (s *Status) readSets(values map[string]string) (err error) {
	executed, current := "gtid_executed", "gtid_executed"
	if s.Dialect.MariaDB() {
		executed, current = "gtid_slave_pos", "gtid_current_pos"
	}
	if s.Executed, err = cluster.ParseGTIDSet(s.Dialect.Flavour(), values[executed]); err != nil {
		return fmt.Errorf("read %s: %w", executed, err)
	}
	if s.Current, err = cluster.ParseGTIDSet(s.Dialect.Flavour(), values[current]); err != nil {
		return fmt.Errorf("read %s: %w", current, err)
	}
	return nil
}

// readDetails reads what is not in the one row: MySQL's heartbeat period, and
// of an applier that stopped what it could not apply.
func (c *Conn) readDetails(ctx context.Context, s *Status) error {
	if !s.Configured {
		return nil
	}
	if c.dialect.Has(dialect.ShowHeartbeat) {
		row, err := c.row(ctx, c.dialect.Say(dialect.ShowHeartbeat))
		if err != nil {
			return err
		}
		s.options.heartbeat = seconds(row["heartbeat"])
	}
	if s.Applier.Problem.Number == 0 {
		return nil
	}
	return c.readFailedTransaction(ctx, s)
}

// readFailedTransaction finds the GTID that the applier stopped at: MySQL has it
// by worker, MariaDB in its relay log.
func (c *Conn) readFailedTransaction(ctx context.Context, s *Status) error {
	p := &s.Applier.Problem
	if !c.dialect.Has(dialect.WorkerErrors) {
		return c.readRelayedGTID(ctx, s)
	}
	rows, err := c.rows(ctx, c.dialect.Say(dialect.WorkerErrors))
	if err != nil {
		return err
	}
	for _, r := range rows {
		number, _ := strconv.Atoi(r["number"]) // the column is a number
		if number == p.Number {
			p.Text, p.GTID = oneLine(r["text"]), orElse(r["gtid"], p.GTID)
			break // the first one is the cause
		}
	}
	return nil
}

// readRelayedGTID reads the event at which MariaDB's applier stands. That it may
// not, or that the file has gone, is no error: the position says where.
func (c *Conn) readRelayedGTID(ctx context.Context, s *Status) error {
	row, err := c.row(ctx, c.dialect.Say(dialect.ShowSlaveStatus))
	if err != nil {
		return err
	}
	at, err := strconv.ParseUint(row["Relay_Log_Pos"], 10, 64)
	if err != nil {
		return fmt.Errorf("read position in relay log: %w", err)
	}
	text := fmt.Sprintf("SHOW RELAYLOG EVENTS IN %s FROM %d LIMIT 1", quote(row["Relay_Log_File"]), at)
	events, err := c.rows(ctx, text)
	if err == nil && len(events) > 0 {
		s.Applier.Problem.GTID = orElse(gtidIn(events[0]["Info"]), s.Applier.Problem.GTID)
		s.logged, err = c.readLogged(ctx, s, events[0]["Info"])
		return err
	}
	if ctx.Err() != nil {
		return err
	}
	return nil
}

var (
	inMySQLText   = regexp.MustCompile(`executing transaction '([^']+)'`)
	inMariaDBText = regexp.MustCompile(`\b[Gg](?:TID|tid) ([0-9]+-[0-9]+-[0-9]+)`)
)

// gtidIn finds a GTID in a server's text, "" if there is none. It is only ever
// shown.
func gtidIn(text string) string {
	for _, r := range []*regexp.Regexp{inMySQLText, inMariaDBText} {
		if m := r.FindStringSubmatch(text); m != nil {
			return m[1]
		}
	}
	return ""
}

// oneLine makes a server's text fit for a line.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// seconds reads a number of seconds, perhaps with a fraction; 0 if it is none.
func seconds(text string) time.Duration {
	s, err := strconv.ParseFloat(text, 64)
	if err != nil || s < 0 || s > 1e9 {
		return 0
	}
	return time.Duration(s * float64(time.Second))
}
