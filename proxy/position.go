package proxy

import (
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// position is the session's last own write and what it was told to see, and
// which nodes are known to have that. The zero value is a session without one.
type position struct {
	text    string           // set, as text; "" without a write, or once every node has it
	set     *cluster.GTIDSet // kept for the token, also once every node has it
	told    *cluster.GTIDSet // the part that another session's token has named
	unknown bool             // a write whose GTID was not told: the master serves
	since   time.Time        // when that was
	// doubted is when a session ended a transaction after which slaves cannot be
	// believed for a moment, zero once they can; see unsettles.
	doubted time.Time
	has     map[string]arrival // nodes that were asked
}

// arrival is how a node answered that was asked to wait. It is a value.
type arrival struct {
	since time.Time // the node's then: once that is another, it may have less
	has   bool      // it has the position, or was not in time
}

// pending reports whether reads must look at where they go.
func (p *position) pending() bool { return p.text != "" }

// wrote takes a new write's GTID. What the session wrote before it comes before
// it on every node, because slaves commit in the master's order; only not in
// another domain of MariaDB's.
func (p *position) wrote(gtid string, set *cluster.GTIDSet) {
	besides := p.told
	if !set.Follows(p.set) {
		besides = besides.Union(p.set)
	}
	*p = position{text: gtid, set: set, told: p.told, doubted: p.doubted}
	if besides != nil {
		p.set = set.Union(besides)
		p.text = p.set.String()
	}
}

// heard takes a GTID that may be older than what the session has written: it
// was told by a connection that owed one.
func (p *position) heard(set *cluster.GTIDSet) {
	set = set.Union(p.set)
	p.text, p.set, p.has = set.String(), set, nil
}

// lose notes a write whose GTID was not told.
func (p *position) lose(now time.Time) { p.unknown, p.since = true, now }

// find takes the master's own position for a write whose GTID was not told,
// once the master was asked after that write.
func (p *position) find(t *cluster.Topology) {
	m := t.MasterNode()
	if !p.unknown || m == nil || m.Applied == nil || !m.Asked.After(p.since) {
		return
	}
	set := m.Applied.Union(p.told)
	*p = position{text: set.String(), set: set, told: p.told, doubted: p.doubted}
}

// join takes over a token: what the session must see besides its own writes.
func (p *position) join(token *cluster.GTIDSet) {
	p.told = p.told.Union(token)
	p.set = p.set.Union(token)
	p.text, p.has = p.set.String(), nil
}

// reached notes whether a node had the position when it was asked.
func (p *position) reached(node string, a arrival) {
	if p.has == nil {
		p.has = map[string]arrival{}
	}
	p.has[node] = a
}

// asked is how a node answered since it was started last.
func (p *position) asked(n *cluster.Node) (has, asked bool) {
	a, asked := p.has[n.Name]
	asked = asked && a.since.Equal(n.Since)
	return asked && a.has, asked
}

// known reports whether a node is known to have the position.
func (p *position) known(n *cluster.Node) bool {
	has, _ := p.asked(n)
	return has || n.Applied.ContainsSet(p.set)
}

// shows reports whether a master is known to show what another session's token has named.
func (p *position) shows(m *cluster.Node) bool {
	has, _ := p.asked(m)
	return has || m.Applied.ContainsSet(p.told)
}

// late reports whether a node was asked and did not have it in time.
func (p *position) late(n *cluster.Node) bool {
	has, asked := p.asked(n)
	return asked && !has
}

// settled reports whether every node has the position.
func (p *position) settled(t *cluster.Topology) bool {
	if len(t.Readable) != len(t.Nodes)-1 {
		return false
	}
	for _, i := range t.Readable {
		if !t.Nodes[i].Applied.ContainsSet(p.set) {
			return false
		}
	}
	m := t.MasterNode()
	return p.told == nil || m != nil && m.Applied.ContainsSet(p.told)
}

// settle stops looking: every node has the position, and what the session has read
// since on one of them speaks for it from now on. Before such a read it must not
// be called: a slave may come, or come back, that has less.
func (p *position) settle() { p.text, p.told, p.has = "", nil, nil }
