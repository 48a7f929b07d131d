package proxy

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/fakemysql"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/wire"
)

// fleet is a house whose master can be lost: node1 is the master, node2 the next.
type fleet struct {
	*house
	a, b *node

	turn    sync.Mutex // of who promotes
	mu      sync.Mutex
	outcome Outcome
	asked   []Write
	// before is done when an outcome is asked for.
	before func()
}

// Outcome implements Outcomes.
func (f *fleet) Outcome(_ context.Context, w Write) (Outcome, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, w)
	if f.before != nil {
		f.before()
	}
	return f.outcome, nil
}

func newFleet(t *testing.T, change func(*Config, *backend.Config)) *fleet {
	f := &fleet{a: &node{name: "node1"}, b: &node{name: "node2"}}
	f.a.transacts()
	f.b.transacts()
	f.house = newHouse(t, change, f.a.handler(), f.b.handler())
	f.server.ResolveBy(f)
	f.before = func() { f.promote(t) }
	f.setMaster(t, "node1")
	return f
}

// transacts makes a node follow transactions.
func (n *node) transacts() {
	begin := func(c *fakemysql.Conn) error {
		c.Status |= wire.StatusInTransaction
		return c.OK(wire.OK{})
	}
	end := func(c *fakemysql.Conn) error {
		c.Status &^= wire.StatusInTransaction
		return c.OK(wire.OK{})
	}
	n.setAnswer("BEGIN", begin)
	n.setAnswer("COMMIT", end)
	n.setAnswer("ROLLBACK", end)
}

func (f *fleet) setMaster(t *testing.T, name string) {
	if _, err := f.store.Advance(f.store.Load().Generation, func(d *cluster.RoleDraft) error {
		d.SetWrites(cluster.WritesOpen, "")
		return d.SetMaster(name, "server of "+name)
	}); err != nil {
		t.Error(err)
	}
}

// cut leaves the fleet without a master.
func (f *fleet) cut(t *testing.T) {
	if _, err := f.store.Advance(f.store.Load().Generation, func(d *cluster.RoleDraft) error {
		d.ClearMaster()
		d.SetWrites(cluster.WritesHeld, "the master is gone")
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// promote makes node2 the master.
func (f *fleet) promote(t *testing.T) {
	f.turn.Lock()
	defer f.turn.Unlock()
	if m := f.store.Load().MasterNode(); m == nil || m.Name == "node1" {
		f.cut(t)
		f.setMaster(t, "node2")
	}
}

const gtid = "3e11fa47-71ca-11e1-9e33-c80aa9429562:23"

func (f *fleet) ended(s OutcomeState, rows ...Changed) {
	g, _ := cluster.ParseGTID(cluster.FlavourMySQL, gtid)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.outcome = Outcome{State: s, GTID: g, Rows: rows}
}

// say runs statements and checks what they are answered with.
func (c *client) say(dialogue ...[2]string) {
	c.t.Helper()
	for _, d := range dialogue {
		if got := c.query(d[0]); got != d[1] && !(d[1] != "" && strings.Contains(got, d[1]) && strings.HasPrefix(got, "server error")) {
			c.t.Errorf("%s: got %q, want %q", d[0], got, d[1])
		}
	}
}

// goesOn checks that the session is in order.
func (c *client) goesOn() {
	c.t.Helper()
	if got := c.query("SELECT name"); got != "node1" && got != "node2" {
		c.t.Errorf("afterwards %q", got)
	}
}

const (
	insert = "INSERT INTO item (name) VALUES ('x')"
	facts  = "STRICT_TRANS_TABLES|0|1|int|id|0|1"
)

func answerFacts(n *node) {
	n.setAnswer(factsSQL("shop", "item"), fakemysql.SendRows([]string{"f"}, []string{facts}))
}

func TestLostWriteThatWasCommitted(t *testing.T) {
	f := newFleet(t, nil)
	f.a.setAnswer(insert, hangUp)
	answerFacts(f.b)
	f.ended(OutcomeCommitted, Changed{Schema: "shop", Table: "item", Inserted: 1, FirstRow: []any{int32(42), "x"}})
	c := f.client(t)
	c.query("SELECT name")
	ok := c.ok(insert)
	if ok == nil || ok.AffectedRows != 1 || ok.InsertID != 42 || len(ok.Info) > 0 {
		t.Errorf("got %+v", ok)
	}
	if f.b.got(insert) != 0 {
		t.Error("it was run again")
	}
	w := f.asked[0]
	if w.Identity != "server of node1" || w.Thread == 0 || w.After == nil || !w.After.IsEmpty() || w.Opened.IsZero() || w.Mark != "" {
		t.Errorf("asked for %+v", w)
	}
	c.say([2]string{"SELECT LAST_INSERT_ID()", "ok"})
	if f.b.got("last_insert_id=42") != 1 {
		t.Errorf("node2 was asked %q", f.b.asked)
	}
}

// ok runs a statement and returns its OK, nil without one.
func (c *client) ok(sql string) *wire.OK {
	c.conn.ResetSequence()
	_ = c.conn.WritePacket(append([]byte{byte(wire.ComQuery)}, sql...))
	if err := c.conn.Flush(); err != nil {
		c.t.Fatal(err)
	}
	p, err := c.conn.ReadPacket()
	if err != nil || p[0] != wire.HeaderOK {
		c.t.Errorf("%s: % x %q, %v", sql, p, p, err)
		return nil
	}
	ok := new(wire.OK)
	if err := wire.ParseOK(append([]byte(nil), p...), c.hello.Capabilities, ok); err != nil {
		c.t.Fatal(err)
	}
	return ok
}

func TestLostWrites(t *testing.T) {
	two := []Changed{{Schema: "shop", Table: "item", Inserted: 2, FirstRow: []any{int32(7)}}}
	for name, tc := range map[string]struct {
		sql     string
		outcome OutcomeState
		rows    []Changed
		want    string
		again   int
	}{
		"not committed":   {insert, OutcomeNotCommitted, nil, "ok", 1},
		"unknown":         {insert, OutcomeUnknown, nil, "50102", 0},
		"two rows":        {"INSERT INTO item (name) VALUES ('x'), ('y')", OutcomeCommitted, two, "ok", 0},
		"ids of both":     {"INSERT INTO item VALUES (7), (8)", OutcomeCommitted, two, gtid, 0},
		"upsert":          {insert + " ON DUPLICATE KEY UPDATE name = 'y'", OutcomeCommitted, two, gtid, 0},
		"two tables":      {insert, OutcomeCommitted, append(two, two...), gtid, 0},
		"rows unknown":    {insert, OutcomeCommitted, nil, gtid, 0},
		"delete":          {"DELETE FROM item WHERE id = 5", OutcomeCommitted, []Changed{{Schema: "shop", Table: "item", Deleted: 1}}, "ok", 0},
		"update":          {"UPDATE item SET name = 'y'", OutcomeCommitted, []Changed{{Schema: "shop", Table: "item", Updated: 3}}, "ok", 0},
		"ddl":             {"CREATE TABLE t (id INT)", OutcomeCommitted, nil, gtid, 0},
		"ddl not":         {"CREATE TABLE t (id INT)", OutcomeNotCommitted, nil, "ok", 1},
		"procedure":       {"CALL p()", OutcomeCommitted, nil, "50102", 0},
		"session only":    {"SET sql_mode = 'ANSI'", OutcomeUnknown, nil, "ok", 1},
		"several":         {"DELETE FROM item; DELETE FROM item", OutcomeCommitted, nil, "50102", 0},
		"begin":           {"BEGIN", OutcomeUnknown, nil, "ok", 1},
		"locking read":    {"SELECT name FROM item FOR UPDATE", OutcomeUnknown, nil, "node2", 1},
		"read of session": {"SELECT name, @@hostname", OutcomeUnknown, nil, "node2", 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t, nil)
			answerFacts(f.b)
			f.ended(tc.outcome, tc.rows...)
			c := f.client(t)
			f.a.setAnswer(tc.sql, func(c *fakemysql.Conn) error {
				if tc.outcome == OutcomeUnknown {
					f.promote(t)
				}
				return c.Close()
			})
			c.say([2]string{tc.sql, tc.want})
			c.goesOn()
			if got := f.b.got(tc.sql); got != tc.again {
				t.Errorf("node2 got it %d times, want %d", got, tc.again)
			}
		})
	}
}

// lose makes node1 hang up at a statement, after node2 has been made master.
func (f *fleet) lose(t *testing.T, sql string) {
	f.a.setAnswer(sql, func(c *fakemysql.Conn) error {
		f.promote(t)
		return c.Close()
	})
}

const (
	find   = "SELECT name FROM item WHERE id = 1 FOR UPDATE"
	rename = "UPDATE item SET name = 'y' WHERE id = 1"
)

func (f *fleet) answerBoth(sql string, a, b fakemysql.Step) {
	f.a.setAnswer(sql, a)
	f.b.setAnswer(sql, b)
}

func rows(value string) fakemysql.Step { return fakemysql.SendRows([]string{"name"}, []string{value}) }

func TestTransactionIsReplayed(t *testing.T) {
	for name, tc := range map[string]struct {
		lost   string // the statement in flight
		state  OutcomeState
		differ bool
		want   string
		again  []string // what node2 is asked in all
	}{
		"at a read":           {find, OutcomeUnknown, false, "x", []string{"BEGIN", rename, find}},
		"at a write":          {insert, OutcomeNotCommitted, false, "ok", []string{"BEGIN", rename, insert}},
		"at a write, unknown": {insert, OutcomeUnknown, false, "50102", nil},
		"at a savepoint":      {"SAVEPOINT s", OutcomeUnknown, false, "ok", []string{"BEGIN", rename, "SAVEPOINT s"}},
		"at the commit":       {"COMMIT", OutcomeNotCommitted, false, "ok", []string{"BEGIN", rename, "COMMIT"}},
		"committed":           {"COMMIT", OutcomeCommitted, false, "ok", nil},
		"commit unknown":      {"COMMIT", OutcomeUnknown, false, "50102", nil},
		"rollback":            {"ROLLBACK", OutcomeUnknown, false, "ok", []string{"ROLLBACK"}},
		"differs":             {insert, OutcomeNotCommitted, true, "1213", []string{"BEGIN", rename}},
		"ddl committed":       {"CREATE TABLE t (id INT)", OutcomeCommitted, false, gtid, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t, nil)
			b := fakemysql.SendOK(wire.OK{AffectedRows: 1, Status: wire.StatusNoIndexUsed})
			if tc.differ {
				b = fakemysql.SendOK(wire.OK{})
			}
			f.answerBoth(rename, fakemysql.SendOK(wire.OK{AffectedRows: 1}), b)
			f.answerBoth(find, rows("x"), rows("x"))
			f.ended(tc.state)
			f.lose(t, tc.lost)
			c := f.client(t)
			c.say([2]string{"BEGIN", "ok"}, [2]string{rename, "ok"}, [2]string{tc.lost, tc.want})
			f.b.mu.Lock()
			var got []string
			for _, sql := range f.b.asked {
				if s, found := strings.CutPrefix(sql, "query "); found && !strings.HasPrefix(s, "SET SESSION") && !strings.HasPrefix(s, "SELECT CURR") {
					got = append(got, s)
				}
			}
			f.b.mu.Unlock()
			if strings.Join(got, ";") != strings.Join(tc.again, ";") {
				t.Errorf("node2 got %q, want %q", got, tc.again)
			}
			if inside := tc.want == "ok" && tc.lost != "COMMIT" && tc.lost != "ROLLBACK"; inside {
				c.say([2]string{"COMMIT", "ok"})
				if f.b.got("COMMIT") != 1 {
					t.Error("the transaction did not go on")
				}
			}
			c.goesOn()
		})
	}
}

// A transaction whose connection is cut between two statements goes on, too, with
// the insert ids that it had.
func TestIdleTransactionIsReplayed(t *testing.T) {
	f := newFleet(t, nil)
	id := fakemysql.SendOK(wire.OK{AffectedRows: 1, InsertID: 77})
	f.answerBoth(insert, id, id)
	f.b.setAnswer("SELECT @@insert_id", fakemysql.SendRows([]string{"id"}, []string{"0"}))
	c := f.client(t)
	c.say([2]string{"SET @mine = 5", "ok"}, [2]string{"BEGIN", "ok"}, [2]string{insert, "ok"})
	f.promote(t)
	c.say([2]string{"SELECT name 1", "node2"}, [2]string{"COMMIT", "ok"})
	for _, sql := range []string{"SET SESSION insert_id=77", "SELECT @@insert_id", insert, "SET @`mine`=5"} {
		if f.b.got(sql) == 0 {
			t.Errorf("node2 was not asked %s: %q", sql, f.b.asked)
		}
	}
}

func TestTransactionThatIsTooLong(t *testing.T) {
	f := newFleet(t, func(c *Config, _ *backend.Config) { c.Failover.ReplayBytes = 1000 })
	f.ended(OutcomeNotCommitted)
	f.lose(t, rename)
	c := f.client(t)
	c.say([2]string{"BEGIN", "ok"})
	for range 20 {
		c.say([2]string{insert, "ok"})
	}
	c.say([2]string{rename, "replay_bytes"})
	c.goesOn()
}

func TestHeldWritesAreBounded(t *testing.T) {
	f := newFleet(t, func(c *Config, _ *backend.Config) { c.Failover.HoldClients = 1 })
	a, b := f.client(t), f.client(t)
	f.cut(t)
	done := make(chan string)
	go func() { done <- a.query(insert) }()
	until(t, func() bool { return f.server.holding.clients.Load() == 1 })
	b.say([2]string{insert, "hold_clients"})
	b.goesOn()
	f.setMaster(t, "node2")
	if got := <-done; got != "ok" {
		t.Errorf("the held write got %q", got)
	}
	until(t, func() bool { return f.server.holding.clients.Load() == 0 && f.server.holding.bytes.Load() == 0 })
}

func until(t *testing.T, is func() bool) {
	t.Helper()
	for begun := time.Now(); !is(); time.Sleep(time.Millisecond) {
		if time.Since(begun) > 10*time.Second {
			t.Fatal("not in time")
		}
	}
}
