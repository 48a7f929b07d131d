package replicator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bellwether-db/bellwether/replicator/control"
	"github.com/bellwether-db/bellwether/replicator/downstream"
)

// streamsOf are the streams of registered slaves by their names, the last one
// of each: that of the node, or for one that nobody has configured its server
// id.
func streamsOf(s Status) map[string]downstream.SlaveInfo {
	streams := map[string]downstream.SlaveInfo{}
	for _, info := range slices.Concat(s.Departed, s.Downstream) {
		if !info.Registered {
			continue
		}
		name := nameOf(info, s.Slaves)
		if other, ok := streams[name]; !ok || info.Since.After(other.Since) {
			streams[name] = info
		}
	}
	return streams
}

// nameOf finds the node that a slave is: MySQL's identity is its UUID, MariaDB's
// begins with its server id.
func nameOf(info downstream.SlaveInfo, nodes []control.SlaveReport) string {
	id := fmt.Sprint(info.ServerID)
	for _, n := range nodes {
		if first, _, maria := strings.Cut(n.Node.Identity, "@"); maria && first == id || info.UUID != "" && n.Node.Identity == info.UUID {
			return n.Node.Name
		}
	}
	return "server id " + id
}
