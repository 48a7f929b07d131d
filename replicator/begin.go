package replicator

import (
	"github.com/bellwether-db/bellwether/cluster"
)

// beginning is where a new stored log begins: behind what every node has
// already, so that each slave finds what it lacks and nothing is fetched that
// nobody needs. Nodes whose position is not known do not count; complete says
// that there are none.
func beginning(t *cluster.Topology) (set *cluster.GTIDSet, complete bool) {
	complete = true
	for i := range t.Nodes {
		n := &t.Nodes[i]
		switch {
		case n.Health != cluster.HealthUp || n.Applied == nil:
			complete = false
		case set == nil:
			set = n.Applied
		default:
			set = set.Intersect(n.Applied)
		}
	}
	return set, complete
}
