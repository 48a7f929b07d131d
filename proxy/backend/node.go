package backend

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwether-db/bellwether/wire"
)

// formCapabilities are the capabilities that change what a node answers; a
// connection serves only sessions that agree with it on all of them.
const formCapabilities = wire.ClientFoundRows | wire.ClientLongFlag | wire.ClientODBC |
	wire.ClientLocalFiles | wire.ClientIgnoreSpace | wire.ClientMultiResults |
	wire.ClientPSMultiResults | wire.ClientDeprecateEOF

// NodeStats are the counters of one node that balancing and metrics read.
type NodeStats struct {
	// Outstanding counts the statements that run on the node now.
	Outstanding atomic.Int64
	// Latency is a moving average of a statement's time, in nanoseconds.
	Latency atomic.Int64

	last int64 // Latency at the last decay; belongs to Pools.Run
}

// Observe takes one statement's time into the average. A single slow statement
// says little about the node, so it counts as a few times the average at most.
func (s *NodeStats) Observe(d time.Duration) {
	old := s.Latency.Load()
	s.Latency.Store(old + (min(int64(d), 4*old+int64(time.Millisecond))-old)/16)
}

// decay forgets an average that nothing has confirmed since the last call: a
// node that looks slow gets no statements, and could never show that it is not.
func (s *NodeStats) decay() {
	now := s.Latency.Load()
	if now == s.last {
		now -= now / 8
		s.Latency.Store(now)
	}
	s.last = now
}

// node is the pools of one database node and the bound that they share.
type node struct {
	name  string
	addr  string
	pools *Pools
	stats NodeStats

	waiting atomic.Int64

	mu      sync.Mutex
	byKey   map[poolKey]*pool
	total   int // connections and dials under way
	dials   map[*Want]context.CancelCauseFunc
	epoch   uint64 // what was cut to last
	waiters []*waiter
	closed  bool
}

type poolKey struct {
	account      *Account
	capabilities wire.Capability
}

// pool is the connections of one account, and one set of capabilities, to one node.
type pool struct {
	node    *node
	account *Account
	key     poolKey
	conns   []*Conn // all of them
	idle    []*Conn // those that belong to nobody, last used last
	next    int     // where the search for a parked one goes on
}

// waiter is a session that waits for a connection: it is sent one, or nil for
// leave to dial; got is closed when the node's epoch has moved.
type waiter struct {
	want *Want
	got  chan *Conn
}

// Want says what a session needs a connection for.
type Want struct {
	Account      *Account
	Capabilities wire.Capability
	Owner        Owner
	// State and Schema are the session's; a connection that has them already
	// is preferred. One with a schema cannot serve a session without one.
	State  *State
	Schema string
	// Collation is what a new connection's handshake asks for.
	Collation uint16

	epoch uint64 // the node's, set by Lease
}

func (w *Want) key() poolKey { return poolKey{w.Account, w.Capabilities & formCapabilities} }

func (w *Want) fits(c *Conn) bool { return w.Schema != "" || c.Schema == "" }

// lease returns a connection for the owner: an idle one, a new one, or one
// that another session has parked, in this order; else it waits its turn.
func (n *node) lease(ctx context.Context, w *Want) (*Conn, error) {
	for {
		c, dial, wait := n.try(w)
		if wait != nil {
			var err error
			if c, dial, err = n.wait(ctx, wait); err != nil {
				return nil, err
			}
		}
		switch {
		case dial:
			return n.dial(ctx, w)
		case c == nil:
		case c.pool.key != w.key() || !w.fits(c):
			c.saveInsertID()
			n.discard(c)
		case c.fresh(w.epoch, n.pools.clock.Load()):
			c.owner = w.Owner
			c.hold.Store(w.Owner.hold(holdLeased))
			return c, nil
		default:
			c.saveInsertID()
			n.discard(c)
		}
	}
}

// saveInsertID asks for the LAST_INSERT_ID() that a session has here, before
// the connection is closed.
func (c *Conn) saveInsertID() {
	if c.InsertID == nil {
		return
	}
	select {
	case <-c.InsertID.Known():
		c.InsertID = nil
		return
	default:
	}
	_ = c.Wire.SetDeadline(time.Now().Add(time.Second))
	if value, err := c.Query("SELECT LAST_INSERT_ID()"); err == nil {
		c.InsertID.Set(value)
		c.InsertID = nil
	}
	_ = c.Wire.SetDeadline(time.Time{})
}

// try finds a connection, or leave to dial, or a place in the queue.
func (n *node) try(w *Want) (c *Conn, dial bool, wait *waiter) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := n.pool(w.key())
	if c := p.takeIdle(w); c != nil {
		return c, false, nil
	}
	if n.total < n.pools.config.Load().MaxPerNode {
		n.total++
		return nil, true, nil
	}
	// Announced before the search, so that a session that parks meanwhile
	// sees that it is waited for.
	n.waiting.Add(1)
	if c, dial := n.makeRoom(p, w); c != nil || dial {
		n.waiting.Add(-1)
		return c, dial, nil
	}
	wait = &waiter{want: w, got: make(chan *Conn, 1)}
	n.waiters = append(n.waiters, wait)
	return nil, false, wait
}

func (n *node) pool(key poolKey) *pool {
	p := n.byKey[key]
	if p == nil {
		p = &pool{node: n, account: key.account, key: key}
		n.byKey[key] = p
	}
	return p
}

// takeIdle takes an idle connection, of the last few one that has the
// session's state already where there is one.
func (p *pool) takeIdle(w *Want) *Conn {
	best := -1
	for i := len(p.idle) - 1; i >= 0 && i >= len(p.idle)-8; i-- {
		c := p.idle[i]
		if !w.fits(c) {
			continue
		}
		if best < 0 {
			best = i
		}
		if c.Schema == w.Schema && c.State != nil && !c.Dirty && c.State.Equal(w.State) &&
			c.Multi == w.Capabilities.Has(wire.ClientMultiStatements) {
			best = i
			break
		}
	}
	if best < 0 {
		return nil
	}
	c := p.idle[best]
	p.idle = append(p.idle[:best], p.idle[best+1:]...)
	return c
}

// makeRoom finds a connection that somebody can do without: an idle one of
// another pool, which is closed for a new one; else one that another session
// of this pool has parked; else one parked in another pool, which the caller
// closes.
func (n *node) makeRoom(p *pool, w *Want) (c *Conn, dial bool) {
	for _, other := range n.byKey {
		if len(other.idle) > 0 {
			c := other.idle[0]
			other.idle = other.idle[1:]
			n.forget(c)
			c.close()
			n.total++ // for the dial
			return nil, true
		}
	}
	if c := p.takeParked(w); c != nil {
		return c, false
	}
	for _, other := range n.byKey {
		if other == p {
			continue
		}
		if c := other.takeParked(nil); c != nil {
			return c, false
		}
	}
	return nil, false
}

// takeParked goes round the pool, so that everybody loses in turn. One that
// does not fit is taken only where none does, for the caller to close. w is
// nil where any connection will do.
func (p *pool) takeParked(w *Want) *Conn {
	owner := Owner(0)
	if w != nil {
		owner = w.Owner
	}
	for _, any := range [...]bool{w == nil, true} {
		for range p.conns {
			p.next++
			if p.next >= len(p.conns) {
				p.next = 0
			}
			c := p.conns[p.next]
			if !c.takeable(owner) {
				continue
			}
			if any || w.fits(c) {
				return c
			}
			c.hold.Store(c.owner.hold(holdParked)) // back to whose it is
		}
	}
	return nil
}

// queued reports whether somebody is in the queue: not all who announce
// themselves go there.
func (n *node) queued() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.waiters) > 0
}

// wait waits for a turn.
func (n *node) wait(ctx context.Context, w *waiter) (c *Conn, dial bool, err error) {
	limit := time.NewTimer(n.pools.config.Load().AcquireTimeout)
	defer limit.Stop()
	defer n.waiting.Add(-1)
	select {
	case c, ok := <-w.got:
		return w.served(c, ok)
	case <-ctx.Done():
		err = ctx.Err()
	case <-limit.C:
		err = n.full()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, other := range n.waiters {
		if other == w {
			n.waiters = append(n.waiters[:i], n.waiters[i+1:]...)
			return nil, false, err
		}
	}
	c, ok := <-w.got // it was served at the last moment
	return w.served(c, ok)
}

// served is what became of a wait.
func (w *waiter) served(c *Conn, ok bool) (_ *Conn, dial bool, err error) {
	if !ok {
		return nil, false, errMoved
	}
	return c, c == nil, nil
}

func (n *node) full() error {
	c := n.pools.config.Load()
	return &wire.ServerError{Code: wire.CodeTooManyConnections, State: "08004", Message: fmt.Sprintf(
		"Too many connections: none of the %d to node %s became free within %s; raise pool.max_per_node or look for sessions that hold theirs",
		c.MaxPerNode, n.name, c.AcquireTimeout)}
}

// giveBack makes a connection free for anybody.
func (n *node) giveBack(c *Conn) {
	c.used.Store(n.pools.clock.Load())
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || c.pool.account.Revoked() != nil {
		n.forget(c)
		c.close()
		n.admit()
		return
	}
	for i, w := range n.waiters {
		if w.want.key() == c.pool.key && w.want.fits(c) {
			n.waiters = append(n.waiters[:i], n.waiters[i+1:]...)
			w.got <- c
			return
		}
	}
	if len(n.waiters) > 0 {
		n.forget(c)
		c.close()
		n.admit()
		return
	}
	c.hold.Store(holdIdle)
	c.pool.idle = append(c.pool.idle, c)
}

// discard closes a leased connection.
func (n *node) discard(c *Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.forget(c)
	c.close()
	n.admit()
}

// admit lets the first waiter dial, where there is room.
func (n *node) admit() {
	if len(n.waiters) == 0 || n.total >= n.pools.config.Load().MaxPerNode {
		return
	}
	w := n.waiters[0]
	n.waiters = n.waiters[1:]
	n.total++
	w.got <- nil
}

// forget takes a connection out of the books; the caller holds the lock.
func (n *node) forget(c *Conn) {
	p := c.pool
	for i, other := range p.conns {
		if other == c {
			p.conns[i] = p.conns[len(p.conns)-1]
			p.conns = p.conns[:len(p.conns)-1]
			n.total--
			break
		}
	}
	if len(p.conns) == 0 && len(p.idle) == 0 {
		delete(n.byKey, p.key)
	}
}

func (c *Conn) close() {
	c.hold.Store(holdClosed)
	if c.InsertID != nil {
		c.InsertID.Set("")
	}
	c.Quit()
	c.Wire.Abandon()
}
