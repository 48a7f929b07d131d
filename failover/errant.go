package failover

import (
	"fmt"

	"github.com/bellwether-db/bellwether/cluster"
)

// ErrantError says that a node has transactions that nobody else has and that
// nobody was told of: a crashed master's recovery makes some. They are saved
// before the node may lose them, and never served.
type ErrantError struct {
	// Node is its name.
	Node string
	// Extra are the transactions.
	Extra *cluster.GTIDSet
}

// Error names the node and the transactions.
func (e *ErrantError) Error() string {
	return fmt.Sprintf("%s has transactions that only it has: %v", e.Node, e.Extra)
}
