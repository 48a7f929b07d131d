package proxy

import (
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/fakemysql"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// sessionOf waits until a client's session looks as wanted.
func sessionOf(t *testing.T, s *Server, c *client, wanted func(SessionView) bool) SessionView {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		var found SessionView
		for _, v := range s.Sessions() {
			if v.ID == c.hello.ThreadID {
				found = v
			}
		}
		if wanted(found) {
			return found
		}
		if time.Now().After(deadline) {
			t.Fatalf("the session is %+v", found)
		}
	}
}

// gateNode answers as n does, but to what contains part only once gate is closed.
func gateNode(n *node, part string, gate chan struct{}) func(*fakemysql.Conn) error {
	return fakemysql.Answer(func(command wire.Command, content string) fakemysql.Step {
		switch {
		case strings.Contains(content, part):
			<-gate
		case content == "BEGIN":
			return fakemysql.SendOK(wire.OK{Status: wire.StatusAutocommit | wire.StatusInTransaction})
		case content == "SELECT CURRENT_USER()":
			return fakemysql.SendRows([]string{"u"}, []string{"app@%"})
		}
		return nil
	})
}

func TestSessionsShowWhatTheyDo(t *testing.T) {
	gate := make(chan struct{})
	h := newHouse(t, nil, gateNode(nil, "UPDATE", gate))
	c := h.client(t)
	v := sessionOf(t, h.server, c, func(v SessionView) bool { return v.ID != 0 })
	if v.State != SessionIdle || v.User != fakemysql.User || v.TLS || v.Node != "" || v.Statement != "" || v.Statements != 0 ||
		v.Consistency != router.ConsistencySession || v.Listener != h.server.Addr().String() || !strings.HasPrefix(v.Client, "127.0.0.1:") {
		t.Errorf("a new session is %+v", v)
	}
	c.query("BEGIN")
	v = sessionOf(t, h.server, c, func(v SessionView) bool { return v.State == SessionIdle && v.InTransaction })
	if v.Node != "node1" || !v.Pins.Has(router.PinTransaction) || v.Statements != 1 {
		t.Errorf("in a transaction it is %+v", v)
	}
	done := make(chan string)
	go func() { done <- c.query("UPDATE Item SET n = 'secret' WHERE id = 4711") }()
	v = sessionOf(t, h.server, c, func(v SessionView) bool { return v.State == SessionRunning })
	if v.Statement != "UPDATE Item SET n = ? WHERE id = ?" || v.Node != "node1" || time.Since(v.Since) > time.Minute {
		t.Errorf("while it runs it is %+v", v)
	}
	close(gate)
	if got := <-done; got != "ok" {
		t.Fatalf("answer %q", got)
	}
	v = sessionOf(t, h.server, c, func(v SessionView) bool { return v.State == SessionIdle })
	if v.Statement != "" || v.Statements != 2 {
		t.Errorf("afterwards it is %+v", v)
	}
}

func TestSessionsThatWaitForAMaster(t *testing.T) {
	h := newHouse(t, nil, (&node{name: "node1"}).handler(), (&node{name: "node2"}).handler())
	if _, err := h.store.Advance(h.store.Load().Generation, func(d *cluster.RoleDraft) error {
		d.SetWrites(cluster.WritesHeld, "a test")
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	c := h.client(t)
	done := make(chan string)
	go func() { done <- c.query("UPDATE item SET n = 1") }()
	v := sessionOf(t, h.server, c, func(v SessionView) bool { return v.State == SessionHeld })
	if v.Statement != "UPDATE item SET n = ?" || v.Node != "" {
		t.Errorf("while it is held it is %+v", v)
	}
	if held := h.server.Counters().Held; held != 1 {
		t.Errorf("%d are held, want 1", held)
	}
	if !h.server.KillSession(v.ID, true) {
		t.Error("the session is not there")
	}
	if got := <-done; !strings.Contains(got, "1317") {
		t.Errorf("a statement that was ended got %q", got)
	}
	if !h.server.KillSession(v.ID, false) || h.server.KillSession(4711, false) {
		t.Error("kill does not tell whether there is one")
	}
	if got := c.query("SELECT name FROM item"); got != "gone" {
		t.Errorf("a session that was ended got %q", got)
	}
}

func TestCountersCountByNode(t *testing.T) {
	h := newHouse(t, nil, (&node{name: "node1", answers: map[string]fakemysql.Step{
		"UPDATE item SET n = 2": fakemysql.SendError(1054, "42S22", "Unknown column 'n'"),
	}}).handler(), (&node{name: "node2"}).handler())
	c := h.client(t)
	before := h.server.Counters()
	c.query("SELECT name FROM item")
	c.query("SELECT name FROM item FOR UPDATE")
	c.query("UPDATE item SET n = 1")
	c.query("UPDATE item SET n = 2")
	c.query("SELECT @@version, name FROM item")
	// The client has an answer before it is counted.
	waitUntil(t, "five latencies", func() bool { return answered(h.server.Counters()) >= 5 })
	after := h.server.Counters()
	if got := after.Statements - before.Statements; got != 5 {
		t.Errorf("%d statements, want 5", got)
	}
	if after.ReadsSlaves != 1 || after.ReadsMaster != 1 || after.Writes != 3 || after.Errors != before.Errors+1 || after.Clients != 1 {
		t.Errorf("counted %+v", after)
	}
	for i, b := range after.Latency {
		if i > 0 && b.UpTo <= after.Latency[i-1].UpTo {
			t.Fatalf("bucket %d ends at %v, behind %v", i, b.UpTo, after.Latency[i-1].UpTo)
		}
	}
	if n := answered(after); n != after.Statements {
		t.Errorf("%d latencies for %d statements", n, after.Statements)
	}
}

// answered is how many latencies were counted.
func answered(c Counters) (n uint64) {
	for _, b := range c.Latency {
		n += b.Count
	}
	return n
}
