package failover

import (
	"errors"
	"fmt"

	"github.com/bellwether-db/bellwether/cluster"
)

// ErrIncomplete says that a former master lacks what it wrote itself, and would
// not take it again from others: only a copy makes it whole.
var ErrIncomplete = errors.New("it can only be copied anew")

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
