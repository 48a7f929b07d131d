package failover

import (
	"fmt"
	"slices"

	"github.com/bellwether-db/bellwether/cluster"
)

// touchedBy tells of a slave that somebody has changed outside the stream.
func touchedBy(n *cluster.Node) []Problem {
	if n.Touched == "" {
		return nil
	}
	return one(KindSlaveTouched, n.Name, "it was "+n.Touched, say("bellwether verify %s clears it where nothing differs, /sync where something does", n.Name))
}

// untouched keeps a node from becoming the master that was changed by hand since
// it was chosen. Nobody can touch it while this is decided, nor afterwards: the
// registry marks no master.
func untouched(d *cluster.RoleDraft, now, next *State) error {
	nodes := d.Nodes()
	i := slices.IndexFunc(nodes, func(n cluster.Node) bool { return n.Name == next.Master })
	if next.Master == now.Master || i < 0 || nodes[i].Touched == "" {
		return nil
	}
	return fmt.Errorf("%s was %s", next.Master, nodes[i].Touched)
}
