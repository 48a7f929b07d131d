package proxy

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// precedence lets the transactions that were open when a master was lost be run
// again on the next one before anything else runs there. They held their locks at
// the same time once, so none is in another's way; but a statement that waited for
// such a lock, and goes on first, would take it, and the transaction would read
// something else than before. Any number of goroutines; the zero value has seen no
// master yet.
type precedence struct {
	epoch atomic.Uint64        // of the master that was last seen, and 1
	turn  atomic.Pointer[turn] // nil while nobody has precedence
	// reviving are the sessions that are about to run their transaction again just
	// now.
	reviving atomic.Int64
	// settling are those that find out first what became of it: most wait for the
	// stored log, as every commit does.
	settling atomic.Int64
	mu       sync.Mutex // of who begins a turn
}

// turn is the time of those transactions.
type turn struct {
	left  atomic.Int64 // transactions that are not back yet
	over  chan struct{}
	until time.Time
	same  bool // the master is the one that it was: see sever
}

// turnBound is how long others wait for them: some belong to clients that do
// nothing, and come back when those go on. While some are being run again, which
// takes its time on a busy machine, it is turnMost.
const (
	turnBound = 150 * time.Millisecond
	turnMost  = 2 * time.Second
	sameMost  = 500 * time.Millisecond // where others may hold a lock that they wait for
	turnPoll  = 20 * time.Millisecond
)

// back counts one transaction that was run again, or is none any more.
func (t *turn) back() {
	if t.left.Add(-1) == 0 {
		close(t.over)
	}
}

// giveWay has a statement for the master wait while others have precedence there.
// It is called for every statement: with the same master as before and no turn it
// costs two loads.
func (x *session) giveWay(t *cluster.Topology) {
	m := t.MasterNode()
	if m == nil || t.Writes != cluster.WritesOpen {
		return
	}
	p := &x.server.precedence
	if p.epoch.Load() != m.Epoch+1 {
		x.server.beginTurn(m.Epoch)
	}
	turn := p.turn.Load()
	if turn == nil || x.turn.Load() == turn || turn.same && x.held != nil && x.was != turn {
		return
	}
	if x.awaitTurn(turn, t) {
		p.turn.CompareAndSwap(turn, nil)
	}
}

// awaitTurn waits until a turn is over, or has taken too long; it is false where
// the session is to wait for nothing any more.
func (x *session) awaitTurn(turn *turn, t *cluster.Topology) bool {
	var replaced <-chan struct{}
	if turn.same {
		replaced = t.Replaced()
	}
	timer := time.NewTimer(time.Until(turn.until))
	defer timer.Stop()
	ctx, done := x.interruptible(turnMost)
	defer done()
	for {
		select {
		case <-turn.over:
			return true
		case now := <-timer.C:
			if !x.server.precedence.lasts(turn, now) {
				return true
			}
			timer.Reset(turnPoll)
		case <-replaced: // that master may be no more
			return false
		case <-ctx.Done():
			return ctx.Err() != context.Canceled
		}
	}
}

// lasts says whether others wait on although the time of a turn is up.
func (p *precedence) lasts(t *turn, now time.Time) bool {
	waited := now.Sub(t.until) + turnBound
	switch {
	case waited > turnMost:
		return false
	case t.same && waited > sameMost:
		return p.settling.Load() > 0
	}
	return p.reviving.Load()+p.settling.Load() > 0
}

// reviveFirst is revive, with precedence over who has nothing to run again.
func (x *session) reviveFirst(r *request, t *cluster.Topology) (again bool, _ error) {
	p := &x.server.precedence
	p.reviving.Add(1)
	defer p.reviving.Add(-1)
	return x.revive(r, t)
}

// beginTurn begins the turn of a new master, unless somebody has.
func (s *Server) beginTurn(epoch uint64) {
	p := &s.precedence
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.epoch.Load()
	if before > epoch {
		return
	}
	if next := s.orphaned(epoch); before != 0 {
		p.turn.Store(next)
	}
	p.epoch.Store(epoch + 1)
}

// orphaned is a turn of the sessions whose transaction was on another master; nil
// where there are none.
func (s *Server) orphaned(epoch uint64) *turn {
	next := &turn{over: make(chan struct{}), until: time.Now().Add(turnBound)}
	next.left.Store(1) // until all are counted
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.sessions {
		if on := x.recorded.Load(); on == nil || on.Epoch == epoch {
			continue
		}
		next.left.Add(1)
		x.turn.Store(next)
		if x.recorded.Load() == nil { // it has ended meanwhile
			x.tookTurn()
		}
	}
	if next.left.Add(-1) == 0 {
		return nil
	}
	return next
}

// tookTurn notes that the session's transaction is back, or is none any more.
func (x *session) tookTurn() {
	if x.turn.Load() == nil {
		return
	}
	if t := x.turn.Swap(nil); t != nil {
		t.back()
	}
}
