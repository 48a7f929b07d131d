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

// Promote begins a new binary log on a slave, so that who asks for what comes
// next need not wait until the old one was read, calls flushed then, and has the
// slave follow nobody any more. It stays read-only. A slave that has not executed
// all of must is left as it is: ErrLacks. A node that has no source loses nothing
// by it, and is not asked what it has; doing it again does no harm.
func (c *Conn) Promote(ctx context.Context, must *cluster.GTIDSet, flushed func()) error {
	s, err := c.Status(ctx)
	if err != nil {
		return err
	}
	if has := s.Executed.Union(s.Current); s.Configured && must != nil && !has.ContainsSet(must) {
		return fmt.Errorf("promote %s: %w: %v", c.node.Name, ErrLacks, must.Subtract(has))
	}
	err = c.exec(ctx, "FLUSH LOCAL BINARY LOGS")
	if err == nil {
		flushed()
	}
	if err == nil && s.Configured {
		err = c.say(ctx, dialect.StopSlave, dialect.ResetSlaveAll)
	}
	if err != nil {
		return fmt.Errorf("promote %s: %w", c.node.Name, err)
	}
	return nil
}
