package proxy

import (
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// TestStepsAreHeard: the GTID of one step says nothing of those behind it. What may
// have been committed untold is as a read on the master, and is no write that can
// be told from a later one; what was shown behind the write was read.
func TestStepsAreHeard(t *testing.T) {
	const eof = wire.ClientDeprecateEOF
	ok, failed, rows, rowsThenOK := wire.Answer{}, wire.Answer{Code: 1644}, wire.Answer{HasRows: true, AnyRows: true}, wire.Answer{AnyRows: true}
	for _, c := range []struct {
		name, sql              string
		client                 wire.Capability
		answer                 wire.Answer
		told, last             bool // a GTID, and with the last answer
		unheard, missed, noted bool
	}{
		{"one write", "INSERT INTO t VALUES (1)", eof, ok, true, true, false, false, false},
		{"a read that writes", "SELECT f(1) FROM t", eof, rows, true, true, false, false, false},
		{"the id of the row", "INSERT INTO t (a) VALUES (1); SELECT LAST_INSERT_ID()", eof, rows, true, false, false, false, false},
		{"the same, as it is written elsewhere", "INSERT INTO t (a) VALUES (1) ;\n SELECT LAST_INSERT_ID() AS id;", 0, rows, true, false, false, false, false},
		{"the id of a row and another", "INSERT INTO t (a) VALUES (1); SELECT LAST_INSERT_ID(), COUNT(*) FROM t", eof, rows, true, false, false, false, true},
		{"the id of the row and a write", "INSERT INTO t (a) VALUES (1); SELECT LAST_INSERT_ID(); DELETE FROM t", eof, rowsThenOK, true, true, false, false, true},
		{"two writes", "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)", eof, ok, true, true, false, false, false},
		{"the second one fails", "INSERT INTO t VALUES (1); CALL p()", eof, failed, true, true, true, true, true},
		{"the second one fails for want of a table", "INSERT INTO t VALUES (1); CALL p()", eof, wire.Answer{Code: 1146}, true, true, true, true, true},
		{"the second one tells with its rows", "INSERT INTO t VALUES (1); SELECT f(1) FROM t", eof, rows, true, true, false, false, true},
		{"its rows have no room", "INSERT INTO t VALUES (1); SELECT f(1) FROM t", 0, rows, true, true, true, true, true},
		{"rows without room between two", "INSERT INTO t VALUES (1); SELECT f(1) FROM t; SET @a = 1", 0, rowsThenOK, true, false, true, true, true},
		{"nothing is told behind the write", "INSERT INTO t VALUES (1); UPDATE t SET a = 1 WHERE a = 2", eof, ok, true, false, false, false, true},
		{"a procedure that shows", "CALL p()", eof, rowsThenOK, true, true, false, false, true},
		{"a procedure that fails at last", "CALL p()", eof, failed, true, false, true, true, true},
		{"a procedure that fails for want of a table", "CALL p()", eof, wire.Answer{Code: 1146}, false, false, true, true, true},
		{"a procedure", "CALL p()", eof, ok, true, true, false, false, false},
	} {
		s := classed(cluster.FlavourMySQL, c.sql)
		conn := &backend.Conn{}
		x := session{dialect: router.Dialect{Flavour: cluster.FlavourMySQL}, capabilities: c.client, answer: c.answer}
		x.seen = seen{conn: conn, reason: s.Certain(&cluster.Catalogue{}, nil), gtid: c.told, last: c.last}
		if got := x.unheard(s); got != c.unheard {
			t.Errorf("%s: unheard %t", c.name, got)
		}
		if x.followMissed(s, conn); conn.Writes.Missed != c.missed {
			t.Errorf("%s: missed %t", c.name, conn.Writes.Missed)
		}
		if got := x.outruns(s); got != c.noted {
			t.Errorf("%s: noted as a read %t", c.name, got)
		}
	}
}

// A later answer takes back that the last one told something.
func TestLastAnswerCounts(t *testing.T) {
	x := session{dialect: router.Dialect{Flavour: cluster.FlavourMySQL}, server: &Server{}, seen: seen{conn: &backend.Conn{}}}
	x.watchOK(&wire.OK{Track: wire.AppendTrackValue(nil, wire.TrackGTIDs, uuid+":7")})
	if !x.seen.gtid || !x.seen.last {
		t.Errorf("a write was told: %t, with the last answer: %t", x.seen.gtid, x.seen.last)
	}
	x.watchOK(&wire.OK{})
	if !x.seen.gtid || x.seen.last {
		t.Errorf("a write was told: %t, with the last answer: %t", x.seen.gtid, x.seen.last)
	}
}

// TestShows: what can tell something of the data is remembered as a read.
func TestShows(t *testing.T) {
	for sql, want := range map[string]bool{
		"SELECT a FROM t": true, "SELECT 1": false, "SELECT f(1)": true, "SHOW TABLES": true, "INSERT IGNORE INTO t VALUES (1)": true,
		"SELECT a FROM t FOR UPDATE": true, "CHECKSUM TABLE t": true, "HANDLER t READ FIRST": true, "CALL p()": true,
		"SET @a = (SELECT COUNT(*) FROM t)": true, "SET @a = f(1)": true, "SET @a = 1": false, "SET NAMES utf8mb4": false,
		"SET @a = 1; SELECT 1": true, "BEGIN": false, "COMMIT": false, "USE d": false, "PREPARE a FROM 'SELECT 1'": false, "EXECUTE a": true,
	} {
		if got := shows(classed(cluster.FlavourMySQL, sql)); got != want {
			t.Errorf("%s: %t", sql, got)
		}
	}
}
