package replicator

import (
	"context"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// Await returns once every transaction of set is in the stored log, fsynced: at
// once where it is already, which is so for every commit that the master held
// for us. What came before the log counts as stored. With PolicyDegrade it
// waits no longer than DegradeAfter, and not at all while the promise is
// withdrawn (the master waited already), and counts the write as unprotected.
// Its error is ctx's, or says that the master is a former one: its GTIDs may
// name other transactions in the stored log.
func (r *Replicator) Await(ctx context.Context, set *cluster.GTIDSet) error {
	var degrade <-chan time.Time
	for {
		if err := r.rejected(r.cluster.Load().MasterIdentity); err != nil {
			return err
		}
		var more <-chan struct{} = r.opened
		if relay := r.relay.Load(); relay != nil {
			more = relay.stored.Changed()
			if relay.stored.Executed().ContainsSet(set) {
				return nil
			}
		}
		if degrade == nil && r.config.Policy == PolicyDegrade {
			timer := time.NewTimer(r.patience())
			defer timer.Stop()
			degrade = timer.C
		}
		select {
		case <-more:
		case <-degrade:
			r.unprotectedWrites.Add(1)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// patience is how long a write that is not stored is held with PolicyDegrade.
func (r *Replicator) patience() time.Duration {
	if relay := r.relay.Load(); relay != nil {
		if holds, _ := relay.protection.read(); holds {
			return r.config.DegradeAfter
		}
	}
	return 0
}
