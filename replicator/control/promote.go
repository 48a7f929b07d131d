package control

import (
	"context"
	"errors"
	"fmt"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/dialect"
)

// ErrLacks is returned by Promote for a node that has not all that is stored.
var ErrLacks = errors.New("it lacks transactions")

// Promote has a slave follow nobody any more and begins a new binary log there,
// so that a source that asks for what comes next need not read the old one. It
// stays read-only. A slave that has not executed all of must is left as it is:
// ErrLacks. A node that has no source loses nothing by it, and is not asked what
// it has; doing it again does no harm.
func (c *Conn) Promote(ctx context.Context, must *cluster.GTIDSet) error {
	s, err := c.Status(ctx)
	if err != nil {
		return err
	}
	if s.Configured {
		if has := s.Executed.Union(s.Current); must != nil && !has.ContainsSet(must) {
			return fmt.Errorf("promote %s: %w: %v", c.node.Name, ErrLacks, must.Subtract(has))
		}
		if err := c.say(ctx, dialect.StopSlave, dialect.ResetSlaveAll); err != nil {
			return fmt.Errorf("promote %s: %w", c.node.Name, err)
		}
	}
	if err := c.exec(ctx, "FLUSH LOCAL BINARY LOGS"); err != nil {
		return fmt.Errorf("promote %s: %w", c.node.Name, err)
	}
	return nil
}
