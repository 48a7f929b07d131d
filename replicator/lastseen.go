package replicator

import "github.com/bellwether-db/bellwether/cluster"

// lastSeen is what each node was last seen to have, by its name. It is on disk: what a
// slave that is down lacks is kept for it also by a process that has never seen it. It
// is immutable.
type lastSeen map[string]string

const lastSeenName = "last-seen.json"

// loadLastSeen reads what is remembered in dir.
func loadLastSeen(dir string) (seen lastSeen, err error) {
	return seen, readJSON(dir, lastSeenName, &seen)
}

// after is what is known once a topology was seen: of the nodes that are in it, whatever
// they are, since the master may be a slave tomorrow, and down.
func (l lastSeen) after(t *cluster.Topology) lastSeen {
	out := lastSeen{}
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if has, ok := l[n.Name]; ok {
			out[n.Name] = has
		}
		if n.Applied != nil {
			out[n.Name] = n.Applied.String()
		}
	}
	return out
}

// slaves are the slaves of a topology that were ever seen, and what they have in the
// words of a family. For one that never was nothing can be kept: it gets a copy first.
func (l lastSeen) slaves(t *cluster.Topology, f cluster.Flavour) (names []string, sets []*cluster.GTIDSet) {
	for i := range t.Nodes {
		has, seen := l[t.Nodes[i].Name]
		if !seen || t.Nodes[i].Role != cluster.RoleSlave {
			continue
		}
		if set, err := cluster.ParseGTIDSet(f, has); err == nil { // else it is of another family
			names, sets = append(names, t.Nodes[i].Name), append(sets, set)
		}
	}
	return names, sets
}
