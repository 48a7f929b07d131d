package proxy

import (
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
)

// position is the session's last own write, and which nodes are known to have
// it. The zero value is a session without one.
type position struct {
	text    string           // the GTID as the server told it; "" without a write
	set     *cluster.GTIDSet // the same, parsed
	unknown bool             // a write whose GTID was not told: the master serves
	since   time.Time        // when that was
	has     map[string]bool  // nodes that were asked: has it, or was not in time
}

// pending reports whether reads must look at where they go.
func (p *position) pending() bool { return p.text != "" }

// wrote takes a new write's GTID.
func (p *position) wrote(flavour cluster.Flavour, gtid []byte) {
	set, err := cluster.ParseGTIDSet(flavour, string(gtid))
	if err != nil {
		p.lose(time.Now())
		return
	}
	*p = position{text: string(gtid), set: set}
}

// lose notes a write whose GTID was not told.
func (p *position) lose(now time.Time) { p.unknown, p.since = true, now }

// probeSpan is more than a probe of a node takes from asking to its end.
const probeSpan = time.Second

// find takes the master's own position for a write whose GTID was not told,
// once the master was asked after that write.
func (p *position) find(t *cluster.Topology) {
	m := t.MasterNode()
	if m == nil || m.Applied == nil || m.Seen.Before(p.since.Add(probeSpan)) {
		return
	}
	*p = position{text: m.Applied.String(), set: m.Applied}
}

// reached notes whether a node had the position when it was asked.
func (p *position) reached(node string, has bool) {
	if p.has == nil {
		p.has = map[string]bool{}
	}
	p.has[node] = has
}

// known reports whether a node is known to have the position.
func (p *position) known(n *cluster.Node) bool {
	return p.has[n.Name] || n.Applied != nil && n.Applied.ContainsSet(p.set)
}

// spread sorts the readable slaves into those that have the position and those
// that should not be asked again. Once every node has it, it is forgotten.
func (p *position) spread(t *cluster.Topology) (near, behind backend.NodeSet) {
	all := true
	for _, i := range t.Readable {
		n := &t.Nodes[i]
		has, asked := p.has[n.Name]
		switch {
		case n.Applied != nil && n.Applied.ContainsSet(p.set):
			near = near.With(i)
		case has:
			near, all = near.With(i), false
		case asked:
			behind, all = behind.With(i), false
		default:
			all = false
		}
	}
	if all && len(t.Readable) == len(t.Nodes)-1 {
		*p = position{}
	}
	return near, behind
}
