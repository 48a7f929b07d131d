package proxy

import (
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/fakemysql"
	"github.com/bellwether-db/bellwether/wire"
)

// Transactions whose connections break together while their master lives have
// precedence there, also over one another's next statements; whoever has another
// transaction open, or holds a connection, waits for nobody.
func TestPrecedenceOnTheSameMaster(t *testing.T) {
	inside := fakemysql.SendOK(wire.OK{Status: wire.StatusInTransaction | wire.StatusAutocommit})
	master := &node{name: "node1", answers: map[string]fakemysql.Step{"BEGIN": inside, "UPDATE item SET n = 1": inside, "UPDATE item SET n = 2": inside}}
	h := newHouse(t, nil, master.handler())
	one, two, healthy, other := h.client(t), h.client(t), h.client(t), h.client(t)
	for _, c := range []*client{one, two, healthy} {
		if got := c.query("BEGIN") + c.query("UPDATE item SET n = 1"); got != "okok" {
			t.Fatal(got)
		}
	}
	for _, c := range []*client{one, two} {
		h.server.find(c.hello.ThreadID).recorded.Load().Wire.Close()
	}
	// The first notices; the second does nothing, and is waited for.
	first := make(chan string)
	go func() { first <- one.query("UPDATE item SET n = 2") }()
	waitUntil(t, "the first to be back", func() bool { return h.server.precedence.turn.Load() != nil && master.got("BEGIN") == 4 })
	if got := healthy.query("UPDATE item SET n = 2"); got != "ok" || master.got("UPDATE item SET n = 2") != 1 {
		t.Errorf("who has a transaction open: %q", got)
	}
	begun := time.Now()
	write := make(chan string)
	go func() { write <- other.query("UPDATE item SET n = 3") }()
	if got := two.query("UPDATE item SET n = 2"); got != "ok" {
		t.Errorf("the second: %q", got)
	}
	for _, got := range []string{<-first, <-write} {
		if got != "ok" {
			t.Errorf("got %q", got)
		}
	}
	t.Logf("others waited for %v", time.Since(begun))
	if n := master.got("UPDATE item SET n = 1"); n != 5 {
		t.Errorf("the first statement was sent %d times, want 3 and 2 again", n)
	}
}

// It lasts no longer than the bound where one does not come back, and ends with the
// topology.
func TestPrecedenceOnTheSameMasterIsBounded(t *testing.T) {
	s := &Server{sessions: map[uint32]*session{}}
	other := &session{server: s}
	other.ctx = t.Context()
	store := cluster.NewStore(&cluster.Topology{
		Nodes: []cluster.Node{{Name: "node1", Role: cluster.RoleMaster, Epoch: 3}}, Writes: cluster.WritesOpen,
	})
	other.giveWay(store.Load())
	wait := func(settling int64) time.Duration {
		now := &turn{over: make(chan struct{}), until: time.Now().Add(turnBound), same: true}
		s.precedence.turn.Store(now)
		s.precedence.settling.Add(settling)
		defer s.precedence.settling.Add(-settling)
		begun := time.Now()
		other.giveWay(store.Load())
		return time.Since(begun)
	}
	if took := wait(0); took < turnBound*9/10 || took > sameMost {
		t.Errorf("waited %v", took)
	}
	time.AfterFunc(turnBound*2, func() {
		_, _ = store.Advance(0, func(d *cluster.RoleDraft) error { d.SetWrites(cluster.WritesHeld, "a test"); return nil })
	})
	if took := wait(1); took < turnBound*19/10 || took > turnMost*3/4 {
		t.Errorf("waited %v although the topology was replaced", took)
	}
}
