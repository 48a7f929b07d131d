package replicator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// errNotOpen says that nothing is known of what is stored yet.
var errNotOpen = errors.New("the stored log is not open yet")

// Seal returns all that is stored, for good: it waits until a topology without a
// master is published and nobody is read any more. Every write that was
// acknowledged is in it (see View.Whole), and of what came from the former
// master and was not, a transaction is in it whole or not at all. Slaves go on
// being fed. nil where slaves follow the master by themselves. Its error is
// ctx's, with what it waited for, or says that the log is not open.
func (r *Replicator) Seal(ctx context.Context) (*cluster.GTIDSet, error) {
	for {
		changed, t := r.changed.wait(), r.cluster.Load()
		relay := r.relay.Load()
		switch {
		case !r.promised.Load():
			return nil, nil
		case relay == nil:
			return nil, fmt.Errorf("seal the stored log: %w", errNotOpen)
		case t.MasterNode() == nil && relay.reading.Load() == nil: // in this order, see takes
			return relay.stored.Executed(), nil
		}
		select {
		case <-changed:
		case <-t.Replaced():
		case <-ctx.Done():
			return nil, fmt.Errorf("seal the stored log: %s: %w", relay.busy(t), ctx.Err())
		}
	}
}

// busy says what Seal waits for.
func (r *relay) busy(t *cluster.Topology) string {
	if m := t.MasterNode(); m != nil {
		return m.Name + " is the published master"
	}
	if failing, _ := r.sink.health(time.Now()); failing != "" {
		return failing
	}
	return "the former master is still being let go of"
}
