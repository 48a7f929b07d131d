package proxy

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
)

// node chooses the node for a decision, and says what that must be asked to
// wait for first. -1 where there is none.
func (x *session) node(r *request, t *cluster.Topology, d router.Decision) (node int, w waiting) {
	switch d.Target {
	case router.TargetMaster:
		return d.Node, x.masterWait(r, t)
	case router.TargetNode:
		if !r.excluded.Has(d.Node) {
			return x.onSlave(r, t, d.Node)
		}
	case router.TargetSlave:
		return x.slave(r, t)
	}
	return t.Master, x.masterWait(r, t)
}

// onSlave is node for a slave that was chosen.
func (x *session) onSlave(r *request, t *cluster.Topology, i int) (node int, w waiting) {
	n := &t.Nodes[i]
	if x.demand.free() || x.met(n, t) {
		return i, w
	}
	if w.set = x.missing(n, t); w.set == nil {
		return t.Master, x.masterWait(r, t)
	}
	return i, w
}

// slave picks a slave that shows what is demanded, else one that may soon do,
// else the master.
func (x *session) slave(r *request, t *cluster.Topology) (node int, w waiting) {
	if x.demand.own && x.demand.all == nil {
		x.position.settle(t)
		x.demand.own = x.position.pending()
	}
	if x.demand.free() {
		if i := x.server.pools.Pick(t, r.excluded, x.nearby(t), 0, x.next()); i >= 0 {
			return i, w
		}
		return t.Master, w
	}
	near, far, none := x.spread(r, t)
	favoured := near
	switch {
	case far == 0:
		favoured = x.nearby(t)
	case x.lagging(t, near):
		favoured, far = far, 0 // not to be held to a slave that stands still
	}
	i := x.server.pools.Pick(t, none, favoured, far, x.next())
	switch {
	case i < 0:
		return t.Master, x.masterWait(r, t)
	case near.Has(i):
		return i, w
	}
	return x.onSlave(r, t, i)
}

// spread sorts the readable slaves into those that meet the demand, those that
// may soon do, and those that must not be asked.
func (x *session) spread(r *request, t *cluster.Topology) (near, far, none backend.NodeSet) {
	c := x.server.config.Load()
	none = r.excluded
	for _, i := range t.Readable {
		switch n := &t.Nodes[i]; {
		case none.Has(i):
		case x.met(n, t):
			near = near.With(i)
		case x.mayWait(n, c):
			far = far.With(i)
		default:
			none = none.With(i)
		}
	}
	return near, far, none
}

// lagging reports whether one of the nodes is further behind than is waited for.
func (x *session) lagging(t *cluster.Topology, nodes backend.NodeSet) bool {
	most := x.server.config.Load().CausalWait
	for _, i := range t.Readable {
		if nodes.Has(i) && t.Nodes[i].Lag > most {
			return true
		}
	}
	return false
}

// nearby are the nodes where the session has a connection.
func (x *session) nearby(t *cluster.Topology) (near backend.NodeSet) {
	for _, c := range x.parked {
		if i := t.Find(c.Node()); i >= 0 {
			near = near.With(i)
		}
	}
	return near
}

// next is the session's own random number (xorshift64*).
func (x *session) next() uint64 {
	x.random ^= x.random >> 12
	x.random ^= x.random << 25
	x.random ^= x.random >> 27
	return x.random * 2685821657736338717
}

// laggards remembers which slaves somebody has waited for in vain, so that not
// every statement finds that out anew. Any number of goroutines; the zero value
// remembers nobody.
type laggards struct{ until sync.Map } // by name, *atomic.Int64 in nanoseconds

// lateSpan is how long nobody waits for a slave that was late: until the next
// probe has told how far it is behind.
const lateSpan = 250 * time.Millisecond

func (l *laggards) note(node string) {
	v, _ := l.until.LoadOrStore(node, new(atomic.Int64))
	v.(*atomic.Int64).Store(time.Now().Add(lateSpan).UnixNano())
}

func (l *laggards) lately(node string) bool {
	v, ok := l.until.Load(node)
	return ok && time.Now().UnixNano() < v.(*atomic.Int64).Load()
}
