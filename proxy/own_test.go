package proxy

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/fakemysql"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// What only Bellwether knows is answered by it, and no node ever gets it.
func TestOwnWordsReachNoNode(t *testing.T) {
	nodes := []*node{{name: "node1"}, {name: "node2"}}
	h := newHouse(t, func(c *Config, _ *backend.Config) {
		c.Consistencies = map[string]router.Consistency{fakemysql.User: router.ConsistencyEventual}
	}, nodes[0].handler(), nodes[1].handler())
	c := h.client(t)
	for _, step := range []struct{ sql, want string }{
		{"SHOW BELLWETHER STATUS LIKE 'consistency'", "consistency,eventual"},
		{"SHOW BELLWETHER STATUS LIKE 'CONSISTENCY\\_F%'", "consistency_from,configuration"},
		{"SET bellwether_consistency = global", "ok"},
		{"SHOW BELLWETHER STATUS LIKE 'consistency%'", "consistency,global;consistency_from,session"},
		{"SET @@session.bellwether_consistency = 'Session'", "ok"},
		{"SHOW BELLWETHER STATUS LIKE 'consistency'", "consistency,session"},
		{"SET bellwether_consistency = DEFAULT", "ok"},
		{"SHOW BELLWETHER STATUS LIKE 'consistency'", "consistency,eventual"},
		{"SHOW BELLWETHER STATUS LIKE 'position'", "position,"},
		{"SHOW BELLWETHER STATUS LIKE 'nothing'", ""},
	} {
		if got := c.query(step.sql); got != step.want {
			t.Errorf("%s: %q, want %q", step.sql, got, step.want)
		}
	}
	for _, step := range []struct{ sql, part string }{
		{"SET bellwether_consistency = strong", "1231"},
		{"SET bellwether_consistency = strong", "session, global or eventual"},
		{"SET bellwether_position = 'strong'", "1231"},
		{"SET bellwether_speed = 1", "1193"},
		{"SET GLOBAL bellwether_consistency = global", "1235"},
		{"SET bellwether_consistency = global, autocommit = 0", "1235"},
		{"SHOW BELLWETHER STATUS; SELECT name", "1235"},
		{"SELECT /* bellwether: consistency=strong */ name", "session, global or eventual"},
	} {
		if got := c.query(step.sql); !strings.Contains(got, step.part) {
			t.Errorf("%s: %q, want an error with %q", step.sql, got, step.part)
		}
	}
	if got := prepares(c, "SET bellwether_consistency = global"); !strings.Contains(got, "1295") {
		t.Errorf("prepared: %s, want error 1295", got)
	}
	for _, n := range nodes {
		if n.got("bellwether_") > 0 || n.got("BELLWETHER") > 0 {
			t.Errorf("%s was asked: %v", n.name, n.asked)
		}
	}
}

// prepares sends COM_STMT_PREPARE and returns the answer in words.
func prepares(c *client, sql string) string {
	c.conn.ResetSequence()
	if err := c.conn.WritePacket(append([]byte{byte(wire.ComStmtPrepare)}, sql...)); err != nil {
		return err.Error()
	}
	if err := c.conn.Flush(); err != nil {
		return err.Error()
	}
	return c.answer()
}

// A reset takes what the session has set, and not what it must see.
func TestResetForgetsConsistency(t *testing.T) {
	h := newHouse(t, nil, (&node{name: "node1"}).handler())
	c := h.client(t)
	c.query("SET bellwether_consistency = global")
	c.conn.ResetSequence()
	if err := c.conn.WritePacket([]byte{byte(wire.ComResetConnection)}); err != nil {
		t.Fatal(err)
	}
	if err := c.conn.Flush(); err != nil {
		t.Fatal(err)
	}
	if got := c.answer(); got != "ok" {
		t.Fatal(got)
	}
	if got := c.query("SHOW BELLWETHER STATUS LIKE 'consistency'"); got != "consistency,session" {
		t.Errorf("after a reset: %s", got)
	}
}

// Without a stored log only the master tells which writes there are.
func TestGlobalWithoutALogIsTheMaster(t *testing.T) {
	h := newHouse(t, func(c *Config, _ *backend.Config) { c.Consistency = router.ConsistencyGlobal },
		(&node{name: "node1"}).handler(), (&node{name: "node2"}).handler())
	c := h.client(t)
	if got := c.query("SELECT name FROM t"); got != "node1" {
		t.Errorf("at global %s served", got)
	}
	if got := c.query("SELECT name FROM t /* bellwether: consistency=session */"); got != "node2" && got != "node1" {
		t.Error(got)
	}
	if got := c.query("SELECT name FROM t /* bellwether: consistency=eventual */"); got != "node2" {
		t.Errorf("at eventual %s served", got)
	}
}

// endOf is a Journal whose end is set by the test.
type endOf struct {
	set atomic.Pointer[cluster.GTIDSet]
}

func newEnd(set *cluster.GTIDSet) *endOf {
	e := &endOf{}
	e.set.Store(set)
	return e
}

func (e *endOf) End() (*cluster.GTIDSet, bool)                       { return e.set.Load(), true }
func (e *endOf) Stored() *cluster.GTIDSet                            { return e.set.Load() }
func (e *endOf) Await(ctx context.Context, _ *cluster.GTIDSet) error { return ctx.Err() }

// A slave that is not known to have what is stored is waited for within the
// read; one that does not get there is left, and so the master waits, and says
// so when it does not get there either.
func TestGlobalWaits(t *testing.T) {
	wait := "SET collation_connection = IF(WAIT_FOR_EXECUTED_GTID_SET('" + uuid + ":1-7', 0.100) = 0, @@collation_connection, 'behind')"
	master, slave := &node{name: "node1"}, &node{name: "node2"}
	end := newEnd(gtids(t, uuid+":1-7"))
	h := newStoringHouse(t, end, func(c *Config, _ *backend.Config) { c.Consistency = router.ConsistencyGlobal },
		master.handler(), slave.handler())
	c := h.client(t)
	if got := c.query("SELECT name FROM t"); got != "node2" {
		t.Errorf("%s served, want the slave that got there", got)
	}
	if slave.got(wait) != 1 {
		t.Errorf("the slave was not asked to wait: %v", slave.asked)
	}
	waitUntil(t, "the read to be counted as waited for", func() bool { // which comes behind its answer
		return h.server.metrics.reads[router.ConsistencyGlobal][readWaited].Load() == 1
	})
	slave.isBehind(time.Minute)
	if got := h.client(t).query("SELECT name FROM t"); got != "node2" || slave.got(wait) != 1 {
		t.Errorf("%s served another session, want the slave that is known to have got there, without a wait: %v", got, slave.asked)
	}
	end.set.Store(gtids(t, uuid+":1-8"))
	if got := c.query("SELECT name FROM t"); got != "node1" {
		t.Errorf("%s served, want the master, which got there", got)
	}
	master.isBehind(300 * time.Millisecond)
	if got := c.query("SELECT name FROM t"); got != "node1" {
		t.Errorf("%s, want the answer of a master that got there within the hold timeout", got)
	}
	master.isBehind(time.Minute)
	if got := c.query("SELECT name FROM t"); !strings.Contains(got, "1205") {
		t.Errorf("%s, want an error and no stale read", got)
	}
	if got := c.query("SELECT name FROM t /* bellwether: consistency=eventual */"); got != "node2" {
		t.Errorf("afterwards %s: the session goes on", got)
	}
}

func TestLike(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"%", "", true}, {"%", "abc", true}, {"a%", "abc", true}, {"%c", "abc", true}, {"a_c", "abc", true}, {"a_", "abc", false},
		{`a\_c`, "abc", false}, {`a\_c`, "a_c", true}, {"", "a", false}, {"abc", "abc", true}, {"abcd", "abc", false}, {"%b%", "abc", true},
	} {
		if got := like(c.pattern, c.text); got != c.want {
			t.Errorf("%q like %q: %t", c.text, c.pattern, got)
		}
	}
}
