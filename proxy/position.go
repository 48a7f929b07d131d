package proxy

import (
	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
)

// position is the session's last own write, and which nodes are known to have
// it. The zero value is a session without one.
type position struct {
	text    string           // the GTID as the server told it; "" without a write
	set     *cluster.GTIDSet // the same, parsed
	unknown bool             // a write whose GTID was not told: the master serves
	has     map[string]bool  // nodes that were asked: has it, or was not in time
}

// pending reports whether reads must look at where they go.
func (p *position) pending() bool { return p.text != "" }

// wrote takes a new write's GTID.
func (p *position) wrote(flavour cluster.Flavour, gtid []byte) {
	set, err := cluster.ParseGTIDSet(flavour, string(gtid))
	if err != nil {
		p.unknown = true
		return
	}
	*p = position{text: string(gtid), set: set}
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
