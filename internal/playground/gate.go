package playground

import (
	"net"
	"sync"
	"time"
)

// gate is one direction of a relay's network: open, blocked, or closed for
// good. It may be used concurrently.
type gate struct {
	mu      sync.Mutex
	changed *sync.Cond
	blocked bool
	closed  bool
	sources map[*net.TCPConn]struct{}
}

func newGate() *gate {
	g := &gate{sources: map[*net.TCPConn]struct{}{}}
	g.changed = sync.NewCond(&g.mu)
	return g
}

// pass waits until the gate is open and reports whether it is (it may have
// been closed instead). Reads from source, which may be nil, end with
// os.ErrDeadlineExceeded once the gate blocks; source must then pass again.
func (g *gate) pass(source *net.TCPConn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.blocked && !g.closed {
		g.changed.Wait()
	}
	if g.closed {
		return false
	}
	if source != nil {
		g.sources[source] = struct{}{}
		_ = source.SetReadDeadline(time.Time{}) // fails on a closed socket only, and so will its read
	}
	return true
}

// forget ends the gate's interest in a source.
func (g *gate) forget(source *net.TCPConn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.sources, source)
}

func (g *gate) block() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.blocked = true
	for source := range g.sources {
		_ = source.SetReadDeadline(time.Unix(1, 0)) // fails on a closed socket only
	}
}

func (g *gate) unblock() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.blocked = false
	g.changed.Broadcast()
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	g.changed.Broadcast()
}
