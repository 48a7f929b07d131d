package proxy

import (
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// demand is what the node of one statement must show. It is a value.
type demand struct {
	level router.Consistency
	// own and read are whether the session's position and its last read count.
	own, read bool
	// settles is set once every node was seen to have the session's position.
	settles bool
	// all is what was stored when the statement began, at ConsistencyGlobal. A
	// client may have been told of a write that the master itself does not show yet.
	all *cluster.GTIDSet
	// whole is whether that is every write that was acknowledged.
	whole bool
}

// level is the consistency of a statement: its own word, or the session's, or
// what is configured for the account.
func (x *session) level(s *router.Statement, c *Config) router.Consistency {
	switch {
	case s.Hint.Consistency != router.ConsistencyUnset && !c.Rules.IgnoreHints:
		return s.Hint.Consistency
	case x.consistency != router.ConsistencyUnset:
		return x.consistency
	}
	return c.consistencyOf(x.account.User)
}

// demandOf says what a statement must be shown.
func (x *session) demandOf(s *router.Statement) demand {
	d := demand{level: x.level(s, x.server.config.Load())}
	if d.level == router.ConsistencyEventual {
		return d
	}
	d.own, d.read = x.position.pending(), x.read.node != ""
	if d.level == router.ConsistencyGlobal {
		if d.all, d.whole = x.server.logEnd(); d.all == nil {
			d.all = x.server.acknowledged()
		}
	}
	return d
}

// free reports whether any node will do.
func (d *demand) free() bool { return !d.own && !d.read && d.all == nil }

// met reports whether a slave is known to show what is demanded.
func (x *session) met(n *cluster.Node, t *cluster.Topology) bool {
	d := &x.demand
	reached := x.server.reached.of(n, t.Generation)
	return (d.all == nil || n.Applied.ContainsSet(d.all) || reached.ContainsSet(d.all)) &&
		(!d.own || x.position.known(n) || reached.ContainsSet(x.position.set)) &&
		(!d.read || x.read.covered(n, t) || reached.ContainsSet(x.read.end))
}

// missing is what a slave that does not meet the demand has to wait for; nil
// where nobody can tell what that is.
func (x *session) missing(n *cluster.Node, t *cluster.Topology) *cluster.GTIDSet {
	set := x.demand.all
	if x.demand.own && !x.position.known(n) {
		set = set.Union(x.position.set)
	}
	if x.demand.read && !x.read.covered(n, t) {
		if !x.findRead(t) {
			return nil
		}
		set = set.Union(x.read.end)
	}
	return set
}

// prospect says what may be hoped of a wait for a slave that does not meet the demand.
func (x *session) prospect(n *cluster.Node) prospect {
	if x.demand.own && x.position.late(n) {
		return prospectNone
	}
	return x.server.late.prospect(n, x.server.config.Load().CausalWait)
}

// waiting is what a node is asked to wait for before a statement. The zero
// value is nothing.
type waiting struct {
	set *cluster.GTIDSet
	// engine asks a MariaDB master, which cannot wait for a GTID of its own.
	engine bool
}

// masterWait says what the master has to wait for. It has all writes, but may
// show one later than a slave does: while it waits for its acknowledgement.
func (x *session) masterWait(r *request, t *cluster.Topology) (w waiting) {
	m, d := t.MasterNode(), &x.demand
	if m == nil || !looks(r) {
		return w
	}
	maria := m.Flavour == cluster.FlavourMariaDB
	if d.all != nil && (maria || !m.Applied.ContainsSet(d.all)) {
		w.set = d.all
	}
	if d.read && !x.read.covered(m, t) {
		w.set = w.set.Union(x.read.end)
	}
	if told := x.position.told; d.own && told != nil && (maria || !x.position.shows(m)) {
		w.set = w.set.Union(told)
	}
	w.engine = maria && w.set != nil
	return w
}

// looks reports whether a statement on the master shows, or begins what will
// show, data that another node has shown before. What writes waits for locks.
func looks(r *request) bool {
	s := r.statement
	switch {
	case r.answer == wire.AnswerPrepare || r.unknown != 0 || s.Flags.Has(router.NeedsDiagnostics) && !s.Flags.Has(router.Multi):
		return false
	case s.Flags.Has(router.Multi):
		return true
	}
	switch s.Kind {
	case router.KindRead:
		return readsTables(s)
	case router.KindShow, router.KindBegin, router.KindCall, router.KindLock, router.KindUnknown:
		return true
	}
	return false
}

// readsTables reports whether a read may look at more than its session.
func readsTables(s *router.Statement) bool {
	return namesTables(s) || len(s.Calls) > 0 || s.Flags.Has(router.Multi)
}

// namesTables reports whether the text may name a table: behind FROM a parenthesis
// may follow, and before TABLE one may stand.
func namesTables(s *router.Statement) bool {
	return strings.Contains(s.Fingerprint, "from") || strings.Contains(s.Fingerprint, "table")
}

// heldWait says what the held connection's node has to wait for. Inside a
// transaction the view that it began with counts.
func (x *session) heldWait(r *request, t *cluster.Topology) waiting {
	if x.status&wire.StatusInTransaction != 0 || x.demand.free() {
		return waiting{}
	}
	if i := t.Find(x.held.Node()); i >= 0 && i != t.Master && looks(r) && !x.met(&t.Nodes[i], t) {
		return waiting{set: x.missing(&t.Nodes[i], t)}
	} else if i == t.Master {
		return x.masterWait(r, t)
	}
	return waiting{}
}

// bound is how long a node may take to show what is missing: the master what is
// left of the hold timeout since it was first asked for a request.
func (x *session) bound(r *request, master bool) time.Duration {
	c := x.server.config.Load()
	if !master {
		return c.CausalWait
	}
	if r.patience.asked.IsZero() {
		r.patience.asked = time.Now()
		return c.HoldTimeout
	}
	return max(c.HoldTimeout-time.Since(r.patience.asked), leastWait)
}

// leastWait is how long a node is asked to wait at least: 0 would be for ever.
const leastWait = 10 * time.Millisecond
