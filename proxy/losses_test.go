package proxy

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/fakemysql"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/wire"
)

// A master that dies breaks all connections at once, and a pool may have kept
// many: who finds one after another broken has lost one master and not many.
func TestManyBrokenConnectionsAreOneLoss(t *testing.T) {
	const clients = 8
	var mu sync.Mutex
	old, broken := map[*fakemysql.Conn]bool{}, false
	begin := func(c *fakemysql.Conn) error {
		mu.Lock()
		defer mu.Unlock()
		if broken && old[c] {
			return c.Close()
		}
		old[c] = true
		return c.OK(wire.OK{Status: wire.StatusInTransaction | wire.StatusAutocommit})
	}
	master := &node{name: "node1", answers: map[string]fakemysql.Step{"BEGIN": begin}}
	h := newHouse(t, func(_ *Config, p *backend.Config) { p.MaxPerNode = clients }, master.handler())
	var all []*client
	for range clients {
		c := h.client(t)
		all = append(all, c)
		if got := c.query("BEGIN"); got != "ok" {
			t.Fatal(got)
		}
	}
	for _, c := range all {
		if got := c.query("COMMIT"); got != "ok" {
			t.Fatal(got)
		}
		c.conn.Close()
	}
	mu.Lock()
	broken = true
	mu.Unlock()
	if got := h.client(t).query("BEGIN"); got != "ok" {
		t.Errorf("with %d broken connections in the pool: %q", clients, got)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(old) != clients+1 {
		t.Errorf("the master has seen %d connections, want %d and a new one", len(old), clients)
	}
}

// A statement that breaks each connection, however new, is given up.
func TestStatementThatBreaksConnectionsIsGivenUp(t *testing.T) {
	master := &node{name: "node1", answers: map[string]fakemysql.Step{"BEGIN": hangUp}}
	h := newHouse(t, nil, master.handler())
	if got := h.client(t).query("BEGIN"); !strings.Contains(got, "error 1158") {
		t.Errorf("got %q, want error 1158", got)
	}
	if n := master.got("BEGIN"); n != mostLosses {
		t.Errorf("it was sent %d times, want %d", n, mostLosses)
	}
}

// A connection that breaks while it is brought into the session's state has not
// run the write that was to follow.
func TestWriteIsSentAgainWhereItsConnectionBrokeBefore(t *testing.T) {
	const sql = "INSERT INTO item VALUES (LAST_INSERT_ID())"
	var broken atomic.Bool
	inserted := func(id uint64) fakemysql.Step {
		return fakemysql.SendOK(wire.OK{InsertID: id, Status: wire.StatusAutocommit})
	}
	master := &node{name: "node1", answers: map[string]fakemysql.Step{
		"INSERT INTO item VALUES (7)": inserted(7), "INSERT INTO item VALUES (8)": inserted(8),
		"SELECT LAST_INSERT_ID()": fakemysql.SendRows([]string{"id"}, []string{"7"}),
		"SET SESSION last_insert_id=7": func(c *fakemysql.Conn) error {
			if broken.Swap(false) {
				return c.Close()
			}
			return c.OK(wire.OK{InsertID: 7, Status: wire.StatusAutocommit})
		},
	}}
	h := newHouse(t, func(_ *Config, p *backend.Config) { p.MaxPerNode = 1 }, master.handler())
	a, b := h.client(t), h.client(t)
	if got := a.query("INSERT INTO item VALUES (7)") + b.query("INSERT INTO item VALUES (8)"); got != "okok" {
		t.Fatal(got)
	}
	broken.Store(true)
	if got := a.query(sql); got != "ok" || master.got(sql) != 1 || broken.Load() {
		t.Errorf("%q, sent %d times, broken before: %t", got, master.got(sql), !broken.Load())
	}
}

// A master that misses its probes is slow, not dead: what it is asked goes on. A
// slave is left for another node.
func TestSlowMasterKeepsItsSessions(t *testing.T) {
	const slow = "SELECT name slow"
	var once atomic.Bool
	waits := func(name string) fakemysql.Step {
		return func(c *fakemysql.Conn) error {
			if once.Swap(false) {
				time.Sleep(400 * time.Millisecond)
			}
			return c.Rows([]string{"name"}, []string{name})
		}
	}
	master := &node{name: "node1", answers: map[string]fakemysql.Step{slow + " FOR UPDATE": waits("node1")}}
	h := newHouse(t, nil, master.handler(), (&node{name: "node2"}).handler())
	c := h.client(t)
	once.Store(true)
	answer := make(chan string)
	go func() { answer <- c.query(slow + " FOR UPDATE") }()
	waitUntil(t, "the statement to run", func() bool { return master.got(slow+" FOR UPDATE") == 1 })
	addr := h.store.Load().Nodes[0].Addr
	h.store.Report(func(d *cluster.ReportDraft) {
		d.SetCondition("node1", addr, cluster.Condition{Health: cluster.HealthDown, Flavour: cluster.FlavourMySQL, Version: "9.7.0"})
	})
	if got := <-answer; got != "node1" || master.got(slow+" FOR UPDATE") != 1 {
		t.Errorf("%q, asked %d times", got, master.got(slow+" FOR UPDATE"))
	}
}
