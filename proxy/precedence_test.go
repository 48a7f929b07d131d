package proxy

import (
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
)

// Others wait until the transactions of the former master are back, but no longer
// than the bound.
func TestPrecedence(t *testing.T) {
	s := &Server{sessions: map[uint32]*session{}}
	mover, idle, other := &session{server: s}, &session{server: s}, &session{server: s}
	s.sessions[1], s.sessions[2], s.sessions[3] = mover, idle, other
	mover.ctx, idle.ctx, other.ctx = t.Context(), t.Context(), t.Context()
	before := masterOf(3)
	other.giveWay(before)
	mover.recorded.Store(&backend.Conn{Epoch: 3})
	idle.recorded.Store(&backend.Conn{Epoch: 3})

	after := masterOf(7)
	gone := make(chan time.Duration)
	begun := time.Now()
	mover.giveWay(after) // begins the turn, and has precedence itself
	go func() {
		other.giveWay(after)
		gone <- time.Since(begun)
	}()
	mover.recorded.Store(&backend.Conn{Epoch: 7})
	mover.tookTurn()
	idle.recorded.Store(nil)
	idle.tookTurn()
	if waited := <-gone; waited >= turnBound {
		t.Errorf("waited %v though both are back", waited)
	}

	mover.recorded.Store(&backend.Conn{Epoch: 7})
	begun = time.Now()
	other.giveWay(masterOf(9))
	if waited := time.Since(begun); waited < turnBound*9/10 {
		t.Errorf("waited %v, and not for the transaction", waited)
	}
	begun = time.Now()
	other.giveWay(masterOf(9))
	if waited := time.Since(begun); waited > turnBound/2 {
		t.Errorf("waited %v a second time", waited)
	}
}

// While one is being run again, it is waited for longer, up to a bound.
func TestPrecedenceOfWhoIsAtIt(t *testing.T) {
	s := &Server{sessions: map[uint32]*session{}}
	mover, other := &session{server: s}, &session{server: s}
	s.sessions[1], s.sessions[2] = mover, other
	mover.ctx, other.ctx = t.Context(), t.Context()
	other.giveWay(masterOf(3))
	mover.recorded.Store(&backend.Conn{Epoch: 3})
	s.precedence.reviving.Add(1)
	gone := make(chan struct{})
	begun := time.Now()
	go func() {
		other.giveWay(masterOf(7))
		close(gone)
	}()
	select {
	case <-gone:
		t.Errorf("waited %v, and not for who was being run again", time.Since(begun))
	case <-time.After(2 * turnBound):
	}
	s.precedence.reviving.Add(-1)
	<-gone
	if waited := time.Since(begun); waited > turnMost {
		t.Errorf("waited %v", waited)
	}
}

func masterOf(epoch uint64) *cluster.Topology {
	return cluster.NewStore(&cluster.Topology{
		Nodes: []cluster.Node{{Name: "node1", Role: cluster.RoleMaster, Epoch: epoch}}, Writes: cluster.WritesOpen,
	}).Load()
}
