package control

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/dialect"
)

// parseStatus makes a Status of what SHOW REPLICA STATUS, or its likes, returned.
// It is pure.
func parseStatus(d *dialect.Dialect, rows []map[string]string) (Status, error) {
	s := Status{Dialect: d}
	for _, r := range rows {
		if name := r[d.Say(dialect.ColumnChannel)]; name != "" {
			s.Channels = append(s.Channels, name)
			continue
		}
		if err := s.parse(columns{d, r}); err != nil {
			return Status{}, err
		}
	}
	return s, nil
}

// columns is a row read by the dialect's terms.
type columns struct {
	dialect *dialect.Dialect
	row     map[string]string
}

func (c columns) get(t dialect.Term) string { return c.row[c.dialect.Say(t)] }

func (c columns) number(t dialect.Term) (uint64, bool) {
	n, err := strconv.ParseUint(c.get(t), 10, 64)
	return n, err == nil
}

// parse reads the row of the unnamed channel. MySQL keeps a row for a source
// that was reset until its restart, with an empty host.
func (s *Status) parse(c columns) (err error) {
	if c.get(dialect.ColumnHost) == "" {
		return nil
	}
	s.Configured = true
	s.SourceAddr = net.JoinHostPort(c.get(dialect.ColumnHost), c.get(dialect.ColumnPort))
	s.SourceUser, s.SourceUUID = c.get(dialect.ColumnUser), c.get(dialect.ColumnSourceUUID)
	id, _ := c.number(dialect.ColumnSourceID)
	s.SourceID = uint32(id)
	s.Receiver = Thread{c.runs(dialect.ColumnReceiver), c.get(dialect.ColumnReceiverState), c.problem("IO")}
	s.Applier = Thread{c.runs(dialect.ColumnApplier), c.get(dialect.ColumnApplierState), c.problem("SQL")}
	if s.Applier.Problem.Number != 0 && c.get(dialect.ColumnLogFile) != "" {
		s.Applier.Problem.Event = c.get(dialect.ColumnLogFile) + ":" + c.get(dialect.ColumnLogPos)
	}
	behind, known := c.number(dialect.ColumnLag)
	s.LagKnown, s.Lag = known, time.Duration(behind)*time.Second
	s.options = c.options()
	s.Retrieved, err = c.set(dialect.ColumnRetrieved)
	return err
}

func (c columns) options() (o options) {
	retry, _ := c.number(dialect.ColumnConnectRetry)
	o.connectRetry = int(retry)
	o.retryCount, o.retryKnown = c.number(dialect.ColumnRetryCount)
	o.autoPosition = strings.EqualFold(c.get(dialect.ColumnPosition), "slave_pos") || c.get(dialect.ColumnPosition) == "1"
	o.heartbeat = seconds(c.get(dialect.ColumnHeartbeat))
	o.ssl = isOn(c.get(dialect.ColumnSSL))
	o.sslCA = c.get(dialect.ColumnSSLCA)
	o.sslVerify = isOn(c.get(dialect.ColumnSSLVerify))
	return o
}

func (c columns) set(t dialect.Term) (*cluster.GTIDSet, error) {
	set, err := cluster.ParseGTIDSet(c.dialect.Flavour(), c.get(t))
	if err != nil {
		return nil, fmt.Errorf("read %v: %w", t, err)
	}
	return set, nil
}

func (c columns) runs(t dialect.Term) Runs {
	switch strings.ToLower(c.get(t)) {
	case "yes":
		return RunsYes
	case "no":
		return RunsNo
	case "connecting", "preparing":
		return RunsConnecting
	}
	return RunsUnknown
}

// problem reads the error of a thread, IO or SQL.
func (c columns) problem(thread string) Problem {
	number, _ := strconv.Atoi(c.row["Last_"+thread+"_Errno"]) // 0 where there is none
	text := oneLine(c.row["Last_"+thread+"_Error"])
	return Problem{Number: number, Text: text, GTID: gtidIn(text)}
}
