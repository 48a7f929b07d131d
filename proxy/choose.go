package proxy

import (
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
	if x.demand.own && x.demand.all == nil && x.position.settled(t) {
		x.demand.own, x.demand.settles = false, true
	}
	if x.demand.free() {
		if i := x.server.pools.Pick(t, r.excluded, x.nearby(t), 0, x.next()); i >= 0 {
			return i, w
		}
		return t.Master, w
	}
	s := x.sort(r, t)
	favoured, far := s.near, s.far
	switch {
	case far == 0:
		favoured = x.nearby(t)
	case x.lagging(t, s.near):
		favoured, far = far, 0 // not to be held to a slave that stands still
	}
	i := x.server.pools.Pick(t, s.out|s.doubtful, favoured, far, x.next())
	switch {
	case i < 0:
		return x.scout(r, t, &s)
	case s.near.Has(i):
		return i, w
	}
	return x.onSlave(r, t, i)
}

// scout picks the master, or a slave for which nobody but scouts wait.
func (x *session) scout(r *request, t *cluster.Topology, s *sorted) (node int, w waiting) {
	for out := s.out; ; {
		i := x.server.pools.Pick(t, out, 0, 0, x.next())
		if i < 0 {
			return t.Master, x.masterWait(r, t)
		}
		if x.server.late.scout(t.Nodes[i].Name, x.server.config.Load().CausalWait, time.Now()) {
			return x.onSlave(r, t, i)
		}
		out = out.With(i)
	}
}

// sorted is the readable slaves by how they stand to the demand of a statement.
// It is a value.
type sorted struct {
	near     backend.NodeSet // they meet it
	far      backend.NodeSet // they soon may
	doubtful backend.NodeSet // they may, but not everybody should wait for that
	out      backend.NodeSet // they must not be asked
}

// sort sorts the readable slaves.
func (x *session) sort(r *request, t *cluster.Topology) (s sorted) {
	s.out = r.excluded
	for _, i := range t.Readable {
		n := &t.Nodes[i]
		switch {
		case s.out.Has(i):
			continue
		case x.met(n, t):
			s.near = s.near.With(i)
			continue
		}
		switch x.prospect(n) {
		case prospectGood:
			s.far = s.far.With(i)
		case prospectDoubtful:
			s.doubtful = s.doubtful.With(i)
		default:
			s.out = s.out.With(i)
		}
	}
	return s
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
