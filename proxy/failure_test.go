package proxy

import (
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/internal/fakemysql"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/wire"
)

func TestCure(t *testing.T) {
	for _, c := range []struct {
		failure failure
		want    remedy
	}{
		{failure{reads: true, sent: true}, remedyElsewhere},
		{failure{reads: true, sent: true, answered: true}, remedyClose},
		{failure{reads: true, sent: true, pinned: true}, remedyTell},
		{failure{}, remedyAgain},
		{failure{pinned: true}, remedyTell},
		{failure{sent: true}, remedyTell},
		{failure{sent: true, nothing: true}, remedyAgain},
		{failure{sent: true, nothing: true, often: true}, remedyTell},
		{failure{sent: true, traceable: true}, remedySettle},
		{failure{sent: true, reads: true, traceable: true}, remedyElsewhere},
		{failure{sent: true, pinned: true, revivable: true}, remedyReplay},
		{failure{sent: true, pinned: true, revivable: true, often: true}, remedyTell},
		{failure{sent: true, pinned: true, revivable: true, answered: true}, remedyClose},
		{failure{sent: true, answered: true}, remedyClose},
	} {
		if got := cure(c.failure); got != c.want {
			t.Errorf("%+v: remedy %d, want %d", c.failure, got, c.want)
		}
	}
}

// hangUp ends the connection in place of an answer.
func hangUp(c *fakemysql.Conn) error { return c.Close() }

// breakOff ends the connection after the first row.
func breakOff(c *fakemysql.Conn) error {
	if err := c.PartialRows([]string{"name"}, []string{"half"}); err != nil {
		return err
	}
	return c.Close()
}

func TestReadIsTriedElsewhere(t *testing.T) {
	for name, step := range map[string]fakemysql.Step{
		"lost":     hangUp,
		"shutdown": fakemysql.SendError(wire.CodeServerShutdown, "08S01", "Server shutdown in progress"),
	} {
		t.Run(name, func(t *testing.T) {
			const sql = "SELECT name FROM item"
			slave := &node{name: "node2", answers: map[string]fakemysql.Step{sql: step}}
			h := newHouse(t, nil, (&node{name: "node1"}).handler(), slave.handler())
			c := h.client(t)
			for range 3 {
				if got := c.query(sql); got != "node1" {
					t.Fatalf("got %q, want the master's answer", got)
				}
			}
			if slave.got(sql) == 0 {
				t.Error("the slave was never asked")
			}
			h.hints.mu.Lock()
			defer h.hints.mu.Unlock()
			if len(h.hints.nodes) == 0 || h.hints.nodes[0] != "node2" {
				t.Errorf("reported %v, want node2", h.hints.nodes)
			}
		})
	}
}

// Part of an answer has left: repeating would show rows twice.
func TestHalfAnAnswerEndsTheConnection(t *testing.T) {
	const sql = "SELECT name FROM item"
	slave := &node{name: "node2", answers: map[string]fakemysql.Step{sql: breakOff}}
	h := newHouse(t, nil, (&node{name: "node1"}).handler(), slave.handler())
	if got := h.client(t).query(sql); got != "gone" {
		t.Errorf("got %q, want the connection closed", got)
	}
}

func TestLostWriteIsNotRepeated(t *testing.T) {
	const sql = "UPDATE item SET name = 'x'"
	master := &node{name: "node1", answers: map[string]fakemysql.Step{sql: hangUp}}
	h := newHouse(t, nil, master.handler())
	c := h.client(t)
	if got := c.query(sql); !strings.Contains(got, "50102") || !strings.Contains(got, "not known") {
		t.Errorf("got %q, want error 50102 that says the outcome is not known", got)
	}
	if n := master.got(sql); n != 1 {
		t.Errorf("the master got the write %d times", n)
	}
	if got := c.query("SELECT name"); got != "node1" {
		t.Errorf("afterwards %q: a session that held nothing goes on", got)
	}
}

func TestLostTransactionEndsTheConnection(t *testing.T) {
	master := &node{name: "node1", answers: map[string]fakemysql.Step{
		"BEGIN":         fakemysql.SendOK(wire.OK{Status: wire.StatusInTransaction | wire.StatusAutocommit}),
		"SELECT name 2": hangUp,
	}}
	h := newHouse(t, nil, master.handler(), (&node{name: "node2"}).handler())
	c := h.client(t)
	if got := c.query("BEGIN"); got != "ok" {
		t.Fatal(got)
	}
	if got := c.query("SELECT name 2"); !strings.Contains(got, "transaction") {
		t.Errorf("got %q, want an error that names the transaction", got)
	}
	if got := c.query("SELECT name"); got != "gone" {
		t.Errorf("afterwards %q, want the connection closed", got)
	}
}

// One connection to the master serves two sessions, and each keeps its own
// LAST_INSERT_ID().
func TestInsertIDFollowsItsSession(t *testing.T) {
	last := "0"
	master := &node{name: "node1", answers: map[string]fakemysql.Step{}}
	set := func(id string, n uint64) fakemysql.Step {
		return func(c *fakemysql.Conn) error {
			last = id
			return c.OK(wire.OK{InsertID: n, Status: wire.StatusAutocommit})
		}
	}
	master.answers["INSERT INTO item VALUES (7)"] = set("7", 7)
	master.answers["INSERT INTO item VALUES (8)"] = set("8", 8)
	master.answers["SET SESSION last_insert_id=7"] = set("7", 0)
	master.answers["SET SESSION last_insert_id=8"] = set("8", 0)
	master.answers["SELECT LAST_INSERT_ID()"] = func(c *fakemysql.Conn) error {
		return c.Rows([]string{"id"}, []string{last})
	}
	h := newHouse(t, func(_ *Config, p *backend.Config) { p.MaxPerNode = 1 }, master.handler())
	a, b := h.client(t), h.client(t)
	for _, step := range []struct {
		c         *client
		sql, want string
	}{
		{a, "INSERT INTO item VALUES (7)", "ok"},
		{b, "INSERT INTO item VALUES (8)", "ok"},
		{a, "SELECT LAST_INSERT_ID()", "7"},
		{b, "SELECT LAST_INSERT_ID()", "8"},
		{a, "SELECT LAST_INSERT_ID()", "7"},
	} {
		if got := step.c.query(step.sql); got != step.want {
			t.Errorf("%s: got %q, want %q", step.sql, got, step.want)
		}
	}
}

// What a session inserted is not LAST_INSERT_ID() of the one after it.
func TestInsertIDEndsWithItsSession(t *testing.T) {
	master := &node{name: "node1", answers: map[string]fakemysql.Step{}}
	master.answers["INSERT INTO item VALUES (7)"] = func(c *fakemysql.Conn) error {
		return c.OK(wire.OK{InsertID: 7, Status: wire.StatusAutocommit})
	}
	h := newHouse(t, func(_ *Config, p *backend.Config) { p.MaxPerNode = 1 }, master.handler())
	first := h.client(t)
	first.query("INSERT INTO item VALUES (7)")
	first.conn.Close()
	h.client(t).query("SELECT LAST_INSERT_ID()")
	if master.got("SET SESSION last_insert_id=0") != 1 {
		t.Errorf("the master was asked %q", master.asked)
	}
}

func TestTooManyClients(t *testing.T) {
	h := newHouse(t, func(c *Config, _ *backend.Config) { c.MaxClients = 1 }, (&node{name: "node1"}).handler())
	first := h.client(t)
	nc := dialRaw(t, h.server.Addr().String())
	conn := wire.NewConn(nc)
	p, err := conn.ReadPacket()
	if err != nil || !wire.IsError(p) {
		t.Fatalf("got %q, %v, want error 1040", p, err)
	}
	if e, err := wire.ParseError(p); err != nil || e.Code != wire.CodeTooManyConnections {
		t.Errorf("got %v, want error 1040", e)
	}
	if got := first.query("SELECT name"); got != "node1" {
		t.Errorf("the first client got %q", got)
	}
}

func TestKill(t *testing.T) {
	h := newHouse(t, nil, (&node{name: "node1"}).handler())
	a, b := h.client(t), h.client(t)
	if got := a.query("KILL QUERY " + utoa(b.hello.ThreadID)); got != "ok" {
		t.Errorf("KILL QUERY: %q", got)
	}
	if got := b.query("SELECT name"); got != "node1" {
		t.Errorf("after KILL QUERY: %q", got)
	}
	if got := a.query("KILL " + utoa(b.hello.ThreadID)); got != "ok" {
		t.Errorf("KILL: %q", got)
	}
	if got := b.query("SELECT name"); got != "gone" {
		t.Errorf("after KILL: %q", got)
	}
}

// A defect costs its session and nobody else.
func TestPanicEndsOneSession(t *testing.T) {
	h := newHouse(t, nil, (&node{name: "node1"}).handler())
	x := h.server.newSession(t.Context(), dialRaw(t, h.server.Addr().String()))
	if x.guard(func() bool { panic("a defect") }) {
		t.Error("the session goes on after a panic")
	}
	if got := h.client(t).query("SELECT name"); got != "node1" {
		t.Errorf("another client got %q", got)
	}
}
