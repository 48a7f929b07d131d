package cluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// prober looks at one node. It belongs to one goroutine.
type prober interface {
	// probe reports what it saw within the context's deadline; when it ended is
	// set by the caller.
	probe(ctx context.Context) observation
	// waits says what a thread of the node's waits for, in its own words, and
	// whether it is there and has a statement at all.
	waits(ctx context.Context, thread uint64) (state string, busy bool, err error)
	// close ends the connections.
	close() error
}

// probe SQL: one round trip each.
const (
	probeMySQL = `SELECT @@server_uuid AS identity, @@version AS version, @@global.read_only OR @@global.super_read_only AS read_only,
 @@global.gtid_mode AS gtid_mode, @@global.gtid_executed AS executed;
SHOW REPLICA STATUS`

	// What tells "applied" on MariaDB. On a node with replication threads it is
	// gtid_slave_pos: it moves when a transaction is visible, and unlike
	// gtid_current_pos no write of the node's own moves it, which would hide lag
	// because one higher number covers its whole domain. On a node without them,
	// a master, it is gtid_binlog_pos: exactly what its slaves will be sent; and
	// gtid_current_pos where the binary log has nothing yet.
	probeMariaDB = `SELECT @@version AS version, @@global.read_only AS read_only, @@global.log_bin AS log_bin,
 @@global.gtid_slave_pos AS slave_pos, @@global.gtid_binlog_pos AS binlog_pos, @@global.gtid_current_pos AS current_pos;
SHOW ALL SLAVES STATUS`

	// The counters and the settings cost a server some milliseconds, far more than
	// the rest, so they come with one probe in seldomEvery.
	probeSeldom = `; SHOW GLOBAL STATUS LIKE 'Threads_running'; SHOW GLOBAL VARIABLES WHERE Variable_name IN
 ('gtid_mode', 'enforce_gtid_consistency', 'gtid_strict_mode', 'binlog_format', 'binlog_row_image', 'log_bin', 'log_replica_updates', 'log_slave_updates')`
	seldomEvery = 8
)

// IdentityMariaDB asks a MariaDB server who it is. It has no server_uuid, and its
// server_uid is a hash of the machine's address, which a new container changes.
// The birth mark of the data directory is when its oldest system table was made:
// it survives restarts and copies of the machine, and the server_id tells copies
// apart.
//
// It waits for no lock: who asks may be the one whose reply a statement waits for
// that holds locks there, CREATE USER (which a view cannot be looked at beside,
// and mysql.user is one) or ALTER TABLE of a system table (a table that is locked
// is left out).
const IdentityMariaDB = "SET STATEMENT lock_wait_timeout = 0 FOR" +
	" SELECT CONCAT(@@GLOBAL.server_id, '@', UNIX_TIMESTAMP(MIN(CREATE_TIME))) AS identity" +
	" FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'mysql' AND ENGINE = 'Aria' AND TABLE_NAME <> 'user'"

// ReadIdentity reads the family and the identity of a server: what
// Node.Flavour and Node.Identity hold.
func ReadIdentity(ctx context.Context, q Querier) (Flavour, string, error) {
	s, err := readServer(ctx, q)
	return s.flavour, s.identity, err
}

// readServer reads what does not change while a server runs.
func readServer(ctx context.Context, q Querier) (server, error) {
	version, err := queryOne(ctx, q, "SELECT @@version AS version")
	if err != nil {
		return server{}, fmt.Errorf("read version: %w", err)
	}
	s := server{flavour: flavourOf(version["version"]), version: version["version"]}
	text := "SELECT @@server_uuid AS identity"
	if s.flavour == FlavourMariaDB {
		text = IdentityMariaDB
	}
	identity, err := queryOne(ctx, q, text)
	if err != nil {
		return server{}, fmt.Errorf("read identity: %w", err)
	}
	if s.identity = identity["identity"]; s.identity == "" {
		return server{}, errNoIdentity
	}
	return s, nil
}

var (
	errNoIdentity = errors.New("the operator account cannot see the tables of the schema mysql, which identify a MariaDB server; grant it SELECT ON mysql.*")
)

// parseMySQLProbe makes an observation of the results of probeMySQL.
func parseMySQLProbe(known server, results [][]row) (o observation, err error) {
	if len(results) < 2 || len(results[0]) != 1 {
		return o, fmt.Errorf("read probe: %d results", len(results))
	}
	r := results[0][0]
	o.server = server{flavour: FlavourMySQL, version: r["version"], identity: r["identity"], since: known.since}
	o.readOnly = isOn(r["read_only"])
	o.channels = parseChannels(results[1])
	if r["gtid_mode"] != "ON" {
		return o, nil // a set that is not kept up says nothing
	}
	if o.applied, err = ParseGTIDSet(FlavourMySQL, r["executed"]); err != nil {
		return o, fmt.Errorf("read gtid_executed of %s: %w", known.identity, err)
	}
	return o, nil
}

// parseMariaDBProbe makes an observation of the results of probeMariaDB.
func parseMariaDBProbe(known server, results [][]row) (o observation, err error) {
	if len(results) < 2 || len(results[0]) != 1 {
		return o, fmt.Errorf("read probe: %d results", len(results))
	}
	r := results[0][0]
	o.server = server{flavour: FlavourMariaDB, version: r["version"], identity: known.identity, since: known.since}
	o.readOnly = isOn(r["read_only"])
	o.channels = parseChannels(results[1])
	position := r["binlog_pos"]
	switch {
	case len(o.channels) > 0:
		position = r["slave_pos"]
	case !isOn(r["log_bin"]):
		return o, nil // a master without a binary log has no position
	case position == "":
		position = r["current_pos"]
	}
	if o.applied, err = ParseGTIDSet(FlavourMariaDB, position); err != nil {
		return o, fmt.Errorf("read position of %s: %w", known.identity, err)
	}
	return o, nil
}

// isOn reads a boolean variable; newer MariaDB has several kinds of read-only.
func isOn(value string) bool { return value != "" && value != "0" && value != "OFF" }

// parseRunning reads the row of Threads_running.
func parseRunning(rows []row) int {
	if len(rows) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(rows[0]["Value"]) // 0 where the server says nothing
	return n
}

// parseChannels reads SHOW REPLICA STATUS or SHOW ALL SLAVES STATUS.
func parseChannels(rows []row) []channel {
	channels := make([]channel, 0, len(rows))
	for _, r := range rows {
		c := channel{
			name:          firstOf(r, "Channel_Name", "Connection_name"),
			receiver:      firstOf(r, "Replica_IO_Running", "Slave_IO_Running"),
			applier:       firstOf(r, "Replica_SQL_Running", "Slave_SQL_Running"),
			receiverError: oneLine(r["Last_IO_Error"]),
			applierError:  oneLine(r["Last_SQL_Error"]),
			diskFull: saysDiskFull(r["Last_SQL_Errno"], r["Last_SQL_Error"]) || saysDiskFull(r["Last_IO_Errno"], r["Last_IO_Error"]) ||
				waitsForDisk(firstOf(r, "Replica_SQL_Running_State", "Slave_SQL_Running_State")) || waitsForDisk(firstOf(r, "Replica_IO_State", "Slave_IO_State")),
		}
		seconds, err := strconv.ParseUint(firstOf(r, "Seconds_Behind_Source", "Seconds_Behind_Master"), 10, 32)
		c.behindKnown, c.behind = err == nil, time.Duration(seconds)*time.Second
		channels = append(channels, c)
	}
	return channels
}

// firstOf returns the first of several columns that the row has: newer MySQL
// has other names.
func firstOf(r row, names ...string) string {
	for _, name := range names {
		if value, ok := r[name]; ok {
			return value
		}
	}
	return ""
}

// oneLine makes a server's error fit for a line of a log.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
