package proxy

import (
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
)

// severed is how long connections are waited for that break together: whatever
// resets them does so to one after the other.
const severed = 5 * time.Millisecond

// sever gives a session precedence whose transaction has lost its connection c to a
// master that lives on, together with all that have lost theirs at the same time.
//
// There others may hold locks, which no new master knows of: so only those wait
// that hold no connection, or have their transaction back in this very turn. Whoever
// has one open goes on, and no transaction that is run again waits for somebody who
// waits for it, but within the bound.
func (x *session) sever(c *backend.Conn) {
	t, p := x.topology(), &x.server.precedence
	m := t.MasterNode()
	if m == nil || t.Writes != cluster.WritesOpen || c.Epoch != m.Epoch || x.recorded.Load() != c {
		return
	}
	p.mu.Lock()
	if p.epoch.Load() != m.Epoch+1 {
		p.mu.Unlock()
		return
	}
	now := p.turn.Load()
	begins := now == nil || !now.join()
	if begins {
		now = &turn{over: make(chan struct{}), until: time.Now().Add(turnBound), same: true}
		now.left.Store(2) // this one, and until all are counted
		p.turn.Store(now)
	}
	x.takeTurn(now)
	p.mu.Unlock()
	if begins {
		x.server.gather(x, now)
	}
}

// join counts one more transaction in, unless the turn is over.
func (t *turn) join() bool {
	for n := t.left.Load(); n > 0 && time.Now().Before(t.until); n = t.left.Load() {
		if t.left.CompareAndSwap(n, n+1) {
			return true
		}
	}
	return false
}

// takeTurn makes a session one of those that a turn is of, and has been counted in.
func (x *session) takeTurn(t *turn) {
	if before := x.turn.Swap(t); before != nil {
		before.back()
	}
}

// gather counts those into a turn whose connections have broken, too, and who have
// not noticed yet.
func (s *Server) gather(x *session, t *turn) {
	defer t.back()
	ctx, done := x.interruptible(severed)
	<-ctx.Done()
	done()
	p := &s.precedence
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.turn.Load() != t { // there is another master meanwhile
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, y := range s.sessions {
		c := y.recorded.Load()
		if c == nil || y.turn.Load() != nil || !c.Wire.PeerGone() {
			continue
		}
		t.left.Add(1)
		y.takeTurn(t)
		if y.recorded.Load() != c { // it is back, or has ended, meanwhile
			y.tookTurn()
		}
	}
}
