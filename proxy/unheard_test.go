package proxy

import (
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// TestUnheard: what may have committed and tells nothing counts as a read on the
// master, so that no slave serves that lacks it.
func TestUnheard(t *testing.T) {
	ok, failed, rows := wire.Answer{}, wire.Answer{Code: 1062}, wire.Answer{HasRows: true, AnyRows: true}
	deaf := &things{tracks: map[string]string{"session_track_gtids": "OFF", "session_track_system_variables": "time_zone"}}
	for _, c := range []struct {
		sql    string
		begun  bool
		answer wire.Answer
		things *things
		want   bool
	}{
		{"BEGIN", true, ok, nil, true},
		{"BEGIN", false, ok, nil, false},
		{"COMMIT", true, ok, nil, true},
		{"COMMIT", false, ok, nil, false},
		{"ROLLBACK", true, ok, nil, true},
		{"SET autocommit = 1", true, ok, nil, true},
		{"SET @a = f(1), @b = f(1)", false, failed, nil, true},
		{"SET NAMES utf8mb4", false, ok, nil, false},
		{"CREATE TABLE t (a INT)", true, ok, nil, true},
		{"LOCK TABLES t READ", true, ok, nil, true},
		{"INSERT INTO t VALUES (1)", true, ok, nil, false},
		{"INSERT INTO t VALUES (1)", false, ok, nil, false},
		{"INSERT INTO t VALUES (1), (1)", false, failed, nil, true},
		{"INSERT INTO t VALUES (1)", false, ok, deaf, true},
		{"CALL p()", false, failed, nil, true},
		{"CALL p()", false, ok, nil, false},
		{"SELECT 1; COMMIT", true, rows, nil, true},
		{"SELECT f(1), LAST_INSERT_ID()", false, rows, nil, true},
		{"SELECT LAST_INSERT_ID() AS id", false, rows, nil, false},
		{"SELECT @@version", false, rows, nil, false},
		{"SELECT a FROM t", false, rows, nil, false},
		{"SHOW MASTER STATUS", false, rows, nil, false},
		{"USE d", true, ok, nil, false},
	} {
		for _, flavour := range []cluster.Flavour{cluster.FlavourMySQL, cluster.FlavourMariaDB} {
			s := classed(flavour, c.sql)
			x := session{dialect: router.Dialect{Flavour: flavour}, answer: c.answer, things: c.things, seen: seen{reason: s.Reason, begun: c.begun}}
			if got := x.unheard(s); got != c.want {
				t.Errorf("%v, %q, in a transaction %t, error %d: %t, want %t", flavour, c.sql, c.begun, c.answer.Code, got, c.want)
			}
		}
	}
}

// TestOwedGTID: an error of MariaDB's has no room for what a statement has
// committed before it. The connection tells it later, perhaps to another session,
// which must not take it for its last write.
func TestOwedGTID(t *testing.T) {
	c := &backend.Conn{}
	first := session{dialect: router.Dialect{Flavour: cluster.FlavourMariaDB}, server: &Server{}, answer: wire.Answer{Code: 1644}}
	first.seen = seen{conn: c, reason: router.ReasonProcedure}
	first.followWrite(classed(cluster.FlavourMariaDB, "CALL p()"), c)
	if !c.OwesGTID {
		t.Fatal("the connection owes nothing after an error of a procedure")
	}
	x := session{dialect: router.Dialect{Flavour: cluster.FlavourMariaDB}, server: &Server{}, seen: seen{conn: &backend.Conn{}}}
	x.variable([]byte("last_gtid"), []byte("0-1-150"))
	x.read = lastRead{node: "master"}
	x.position.lose(time.Now())
	x.seen = seen{conn: c}
	x.variable([]byte("last_gtid"), []byte("0-1-100"))
	if p := x.position; p.text != "0-1-150" || !p.unknown || x.read.node != "master" || x.seen.gtid {
		t.Errorf("an older write is taken for the session's last one: %q, unknown %t, read on %q", p.text, p.unknown, x.read.node)
	}
	x.variable([]byte("last_gtid"), []byte("0-1-200"))
	if p := x.position; p.text != "0-1-200" || p.unknown || !x.seen.gtid {
		t.Errorf("what comes after what was owed is the session's own: %q, unknown %t", p.text, p.unknown)
	}
}
