package cluster_test

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// advance is one change by the owner of roles.
func (l *live) advance(change func(d *cluster.RoleDraft) error) {
	l.Helper()
	if _, err := l.store.Advance(l.store.Load().Generation, change); err != nil {
		l.Fatal(err)
	}
}

// open makes node1 the master, with the identity that it has, and writes this.
func (l *live) open(writes cluster.Writes) {
	l.Helper()
	l.advance(func(d *cluster.RoleDraft) error {
		d.SetWrites(writes, "")
		return d.SetMaster("node1", l.store.Load().Nodes[0].Identity)
	})
}

// heartbeat is a state of the heartbeat on node1.
func heartbeat(is func(h cluster.Heartbeat) bool) func(*cluster.Topology) bool {
	return func(t *cluster.Topology) bool { return is(t.Nodes[0].Heartbeat) }
}

// checkHeartbeat: it is written while writes are open, it says when it hangs and
// what for, and it is gone with the master's role.
func (l *live) checkHeartbeat() {
	if h := l.store.Load().Nodes[0].Heartbeat; h != (cluster.Heartbeat{}) {
		l.Errorf("written before the master's identity was recorded: %+v", h)
	}
	l.open(cluster.WritesOpen)
	l.until("refused", heartbeat(func(h cluster.Heartbeat) bool { return strings.Contains(h.Problem, "denied") && h.Written.IsZero() }))
	l.exec("node1", "GRANT CREATE, INSERT, DELETE ON bellwether.* TO least@'%'")
	c := configOf(l.nodes)
	c.Operator = cluster.Account{User: "least", Password: "least"}
	l.monitor.Apply(c) // what was refused is tried again
	first := l.until("written", heartbeat(func(h cluster.Heartbeat) bool { return !h.Written.IsZero() && h.Problem == "" }))
	l.Logf("heartbeat written after %v", first)
	l.until("it reaches the slaves", func(*cluster.Topology) bool {
		n, err := l.nodes.Node("node2").Query(l.Context(), "SELECT COUNT(*) FROM bellwether.heartbeat")
		return err == nil && n == "1"
	})
	l.checkHang()
	l.checkHeld()
	l.checkReadOnly()
	l.checkCleared()
}

// lock takes the global read lock of node1 and returns what gives it back.
func (l *live) lock() (unlock func()) {
	l.Helper()
	db, err := sql.Open("mysql", l.nodes.Node("node1").DSN(l.nodes.Operator.User, l.nodes.Operator.Password, ""))
	if err != nil {
		l.Fatal(err)
	}
	conn, err := db.Conn(l.Context())
	if err != nil {
		l.Fatal(err)
	}
	if _, err := conn.ExecContext(l.Context(), "FLUSH TABLES WITH READ LOCK"); err != nil {
		l.Fatal(err)
	}
	return func() { _ = conn.Close(); _ = db.Close() } // the lock goes with the connection
}

// hang waits until a heartbeat hangs and the server has said why.
func (l *live) hang() {
	l.Helper()
	l.until("it hangs", heartbeat(func(h cluster.Heartbeat) bool {
		return !h.Pending.IsZero() && strings.Contains(h.Wait, "lock")
	}))
}

// checkHang: the probes go on meanwhile.
func (l *live) checkHang() {
	unlock := l.lock()
	l.hang()
	n := l.store.Load().Nodes[0]
	l.Logf("it waits: %s", n.Heartbeat.Wait)
	l.until("a probe later", func(t *cluster.Topology) bool {
		return t.Nodes[0].Asked.After(n.Seen) && t.Nodes[0].Health == cluster.HealthUp
	})
	if now := l.store.Load().Nodes[0].Heartbeat; now.Pending != n.Heartbeat.Pending {
		l.Errorf("pending since %v, then %v: another write was begun", n.Heartbeat.Pending, now.Pending)
	}
	unlock()
	l.until("it is written again", heartbeat(func(h cluster.Heartbeat) bool {
		return h.Pending.IsZero() && h.Wait == "" && h.Written.After(n.Heartbeat.Written)
	}))
}

// at is the time in the row of node1.
func (l *live) at() string {
	l.Helper()
	at, err := l.nodes.Node("node1").Query(l.Context(), "SELECT at FROM bellwether.heartbeat")
	if err != nil {
		l.Fatal(err)
	}
	return at
}

// checkHeld: who has writes held can wait for the last heartbeat's end, and none
// comes then.
func (l *live) checkHeld() {
	unlock := l.lock()
	l.hang()
	l.open(cluster.WritesHeld)
	short, cancel := context.WithTimeout(l.Context(), 20*time.Millisecond)
	defer cancel()
	if err := l.monitor.Still(short); err == nil {
		l.Error("still, while one hangs")
	}
	unlock()
	long, cancel := context.WithTimeout(l.Context(), patience)
	defer cancel()
	if err := l.monitor.Still(long); err != nil {
		l.Fatalf("wait for the last one: %v", err)
	}
	last := l.at()
	probed := l.store.Load().Nodes[0].Seen
	l.until("time passes", func(t *cluster.Topology) bool { return t.Nodes[0].Seen.After(probed.Add(time.Second)) })
	if now := l.at(); now != last {
		l.Errorf("written at %s, then at %s, though writes are held", last, now)
	}
}

// checkReadOnly: a master that was made read-only by hand is left alone.
func (l *live) checkReadOnly() {
	written := l.store.Load().Nodes[0].Heartbeat.Written
	l.exec("node1", "SET GLOBAL read_only = ON")
	l.until("read-only seen", func(t *cluster.Topology) bool { return t.Nodes[0].ReadOnly })
	l.open(cluster.WritesOpen)
	probed := l.store.Load().Nodes[0].Seen
	l.until("time passes", func(t *cluster.Topology) bool { return t.Nodes[0].Seen.After(probed.Add(time.Second)) })
	if h := l.store.Load().Nodes[0].Heartbeat; h.Written != written || h.Problem != "" {
		l.Errorf("on a read-only master: %+v", h)
	}
	l.exec("node1", "SET GLOBAL read_only = OFF")
	l.until("written again", heartbeat(func(h cluster.Heartbeat) bool { return h.Written.After(written) }))
}

// checkCleared: a heartbeat that hangs on a master that is none any more is never
// written.
func (l *live) checkCleared() {
	unlock := l.lock()
	l.hang()
	last := l.at()
	l.advance(func(d *cluster.RoleDraft) error { d.ClearMaster(); return nil })
	l.until("forgotten", heartbeat(func(h cluster.Heartbeat) bool { return h == cluster.Heartbeat{} }))
	l.until("its thread is gone", func(*cluster.Topology) bool {
		n, err := l.nodes.Node("node1").Query(l.Context(), "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'REPLACE INTO bellwether.heartbeat%'")
		return err == nil && n == "0"
	})
	unlock()
	if now := l.at(); now != last {
		l.Errorf("written at %s, then at %s, though the node is not the master", last, now)
	}
}

// checkEnd: a heartbeat that hangs on a frozen master keeps nobody from leaving.
func (l *live) checkEnd() {
	l.open(cluster.WritesOpen)
	l.until("written", heartbeat(func(h cluster.Heartbeat) bool { return !h.Written.IsZero() && h.Problem == "" }))
	master := l.nodes.Node("node1")
	if err := master.Pause(); err != nil {
		l.Fatal(err)
	}
	hangs := l.until("it hangs", heartbeat(func(h cluster.Heartbeat) bool { return !h.Pending.IsZero() }))
	down := l.until("node1 down", func(t *cluster.Topology) bool { return t.Nodes[0].Health == cluster.HealthDown })
	l.Logf("frozen master: the heartbeat hangs after %v, down %v later", hangs, down)
	begun := time.Now()
	if err := l.stop(); err != nil || time.Since(begun) > patience/6 {
		l.Errorf("ended after %v: %v", time.Since(begun), err)
	}
	if err := master.Resume(); err != nil {
		l.Fatal(err)
	}
}
