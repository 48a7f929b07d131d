package playground

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// gate is one direction of a relay's network: open, blocked, or closed for
// good. It may be used concurrently.
//
// Invariant: while it is blocked nothing passes. So block waits for what is
// passing at that instant, and interrupts it where it is stuck.
type gate struct {
	mu      sync.Mutex
	changed *sync.Cond
	blocked bool
	closed  bool
	passing map[*net.TCPConn]int  // acts under way on each
	stuck   map[*net.TCPConn]bool // connections that are blocked alone
}

func newGate() *gate {
	g := &gate{passing: map[*net.TCPConn]int{}, stuck: map[*net.TCPConn]bool{}}
	g.changed = sync.NewCond(&g.mu)
	return g
}

// pass waits until the gate is open and reports whether it is: it may have
// been closed instead.
func (g *gate) pass() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.wait(nil)
}

func (g *gate) wait(dst *net.TCPConn) bool {
	for (g.blocked || g.stuck[dst]) && !g.closed {
		g.changed.Wait()
	}
	return !g.closed
}

// write sends bytes through the gate, at once or after an unblock; a write that
// a block interrupts goes on where it stopped. A gate has one writer for each
// connection.
func (g *gate) write(dst *net.TCPConn, bytes []byte) error {
	for {
		var sent int
		err := g.through(dst, func() (err error) {
			sent, err = dst.Write(bytes)
			return err
		})
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		bytes = bytes[sent:]
		if err := dst.SetWriteDeadline(time.Time{}); err != nil {
			return err
		}
	}
}

// through runs one act on a connection once the gate is open. It returns
// net.ErrClosed instead when the gate closes first.
func (g *gate) through(dst *net.TCPConn, act func() error) error {
	if !g.enter(dst) {
		return net.ErrClosed
	}
	defer g.leave(dst)
	return act()
}

func (g *gate) enter(dst *net.TCPConn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.wait(dst) {
		return false
	}
	g.passing[dst]++
	return true
}

func (g *gate) leave(dst *net.TCPConn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.passing[dst]--; g.passing[dst] == 0 {
		delete(g.passing, dst)
	}
	g.changed.Broadcast()
}

// block returns when nothing passes any more (or another unblocks meanwhile).
func (g *gate) block() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.blocked = true
	for dst := range g.passing {
		_ = dst.SetWriteDeadline(time.Unix(1, 0)) // a connection that is closed is not stuck
	}
	for len(g.passing) > 0 && g.blocked && !g.closed {
		g.changed.Wait()
	}
}

// blockOne is block for one connection. A write that passes right now passes.
func (g *gate) blockOne(dst *net.TCPConn) { g.set(func() { g.stuck[dst] = true }) }

func (g *gate) unblock() { g.set(func() { g.blocked = false; clear(g.stuck) }) }
func (g *gate) close()   { g.set(func() { g.closed = true }) }

func (g *gate) set(change func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change()
	g.changed.Broadcast()
}
