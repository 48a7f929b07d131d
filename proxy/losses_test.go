package proxy

import (
	"strings"
	"sync"
	"testing"

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
