package proxy

import (
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/fakemysql"
	"github.com/bellwether-db/bellwether/wire"
)

// slowHouse has a master and a slave, and writers are slowed down by so much.
func slowHouse(t *testing.T, delay time.Duration) *house {
	began := fakemysql.SendOK(wire.OK{Status: wire.StatusAutocommit | wire.StatusInTransaction})
	done := fakemysql.SendOK(wire.OK{Status: wire.StatusAutocommit})
	master := &node{name: "node1", answers: map[string]fakemysql.Step{
		"BEGIN": began, "INSERT INTO t VALUES (2)": began, "COMMIT": done,
		"INSERT INTO t VALUES (1)": done, "SET autocommit = 1": done, "CREATE TABLE u (a INT)": done, "SHOW TABLES": done,
	}}
	h := newHouse(t, nil, master.handler(), (&node{name: "node2"}).handler())
	h.server.metrics.pressure.delay.Store(int64(delay)) // nobody changes it without a limit
	return h
}

// late says how late the slave is.
func (h *house) late(lag time.Duration) {
	i := h.store.Load().Find("node2")
	addr := h.store.Load().Nodes[i].Addr
	h.store.Report(func(d *cluster.ReportDraft) {
		d.SetCondition("node2", addr, cluster.Condition{
			Health: cluster.HealthUp, Flavour: cluster.FlavourMySQL, Version: "9.7.0", LagKnown: true, Lag: lag,
			Replication: cluster.ReplicationRunning, Applied: cluster.EmptyGTIDSet(cluster.FlavourMySQL), Seen: time.Now(),
		})
	})
}

// waitUntil waits for a state.
func waitUntil(t *testing.T, what string, is func() bool) {
	t.Helper()
	for begun := time.Now(); !is(); pause(t.Context(), 5*time.Millisecond) {
		if time.Since(begun) > 20*time.Second {
			t.Fatalf("wait for %s: not within 20s", what)
		}
	}
}

// Writes wait before they begin; what is inside a transaction does not, nor do
// reads and what only prepares.
func TestSlowDown(t *testing.T) {
	const most = 60 * time.Millisecond
	h := slowHouse(t, most)
	c := h.client(t)
	for _, step := range []struct {
		sql   string
		waits bool
	}{
		{"SELECT name FROM t", false}, {"INSERT INTO t VALUES (1)", true}, {"SET autocommit = 1", false},
		{"SELECT name FROM t FOR UPDATE", true},
		{"BEGIN", true}, {"INSERT INTO t VALUES (2)", false}, {"COMMIT", false},
		{"CREATE TABLE u (a INT)", true}, {"SHOW TABLES", false},
	} {
		before := h.server.metrics.pressure.statements.Load()
		if answer := c.query(step.sql); answer != "ok" && answer != "node1" && answer != "node2" {
			t.Fatalf("%s: %s", step.sql, answer)
		}
		if waited := h.server.metrics.pressure.statements.Load() > before; waited != step.waits {
			t.Errorf("%s: waits %t, want %t", step.sql, waited, step.waits)
		}
	}
	if least := time.Duration(h.server.metrics.pressure.waited.Load()); least < 4*most {
		t.Errorf("four writes waited %v together, want %v each", least, most)
	}
}

// What is seen of the slaves becomes a delay, and that ends, also where the limit
// is taken away.
func TestBackpressureSteps(t *testing.T) {
	h := newHouse(t, nil, (&node{name: "node1"}).handler(), (&node{name: "node2"}).handler())
	limit := SlowWriters{Lag: time.Second, Most: 100 * time.Millisecond}
	b := newBackpressure(h.server)
	b.config = func() SlowWriters { return limit }
	now := time.Now()
	after := func(steps int) time.Duration {
		for range steps {
			now = now.Add(pressureInterval)
			b.step(now, pressureInterval)
		}
		return h.server.WriteDelay()
	}
	for _, stage := range []struct {
		name   string
		change func()
		steps  int
		want   time.Duration
	}{
		{"the slave keeps up", func() { h.late(0) }, 10, 0},
		{"it is far behind", func() { h.late(time.Hour) }, 50, limit.Most},
		{"it has caught up", func() { h.late(0) }, 50, 0},
		{"it is behind again", func() { h.late(time.Hour) }, 50, limit.Most},
		{"no limit any more", func() { limit = SlowWriters{} }, 50, 0},
		{"nor after a while", func() {}, 200, 0},
	} {
		stage.change()
		if got := after(stage.steps); got != stage.want {
			t.Errorf("%s: %v, want %v", stage.name, got, stage.want)
		}
	}
	if !b.begun.IsZero() {
		t.Error("the end was not told")
	}
}

// KILL QUERY ends the wait, and the statement does not run.
func TestKillOfADelayedWrite(t *testing.T) {
	h := slowHouse(t, 10*time.Second)
	c, killer := h.client(t), h.client(t)
	c.conn.ResetSequence()
	if err := c.conn.WritePacket(append([]byte{byte(wire.ComQuery)}, "INSERT INTO t VALUES (1)"...)); err != nil {
		t.Fatal(err)
	}
	if err := c.conn.Flush(); err != nil {
		t.Fatal(err)
	}
	id := c.hello.ThreadID
	waitUntil(t, "the write to wait", func() bool {
		x := h.server.find(id)
		return x != nil && x.delayed.Load() != nil
	})
	if answer := killer.query("KILL QUERY " + utoa(id)); answer != "ok" {
		t.Fatal(answer)
	}
	if answer := c.answer(); answer != errInterrupted.Error() {
		t.Errorf("the write ended with %s, want %s", answer, errInterrupted.Error())
	}
}

// A drain lets the write go on at once.
func TestDrainOfADelayedWrite(t *testing.T) {
	h := slowHouse(t, 15*time.Second)
	c := h.client(t)
	begun := time.Now()
	time.AfterFunc(50*time.Millisecond, func() { h.server.Drain(5 * time.Second) })
	if answer := c.query("INSERT INTO t VALUES (1)"); answer != "ok" || time.Since(begun) > 5*time.Second {
		t.Errorf("%s after %v", answer, time.Since(begun))
	}
}

// A client is told how long its writes wait.
func TestStatusTellsTheDelay(t *testing.T) {
	c := slowHouse(t, 60*time.Millisecond).client(t)
	if got := c.query("SHOW BELLWETHER STATUS LIKE 'write_delay'"); got != "write_delay,60ms" {
		t.Errorf("got %q", got)
	}
}
