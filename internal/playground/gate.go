package playground

import "sync"

// gate is one direction of a relay's network: open, blocked, or closed for
// good. It may be used concurrently.
type gate struct {
	mu      sync.Mutex
	changed *sync.Cond
	blocked bool
	closed  bool
}

func newGate() *gate {
	g := &gate{}
	g.changed = sync.NewCond(&g.mu)
	return g
}

// pass waits until the gate is open and reports whether it is: it may have
// been closed instead.
func (g *gate) pass() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.blocked && !g.closed {
		g.changed.Wait()
	}
	return !g.closed
}

func (g *gate) block()   { g.set(func() { g.blocked = true }) }
func (g *gate) unblock() { g.set(func() { g.blocked = false }) }
func (g *gate) close()   { g.set(func() { g.closed = true }) }

func (g *gate) set(change func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change()
	g.changed.Broadcast()
}
