package replicator

import "github.com/bellwether-db/bellwether/cluster"

// storedEnd is what was stored until changed was closed. It is immutable.
type storedEnd struct {
	set     *cluster.GTIDSet
	changed <-chan struct{}
}

// End is the set of all that is stored now, what came before the log included:
// nothing that a slave can show is missing there. It is nil while nothing is
// promised, or slaves may be fed by the master as well. With whole, every
// write that was acknowledged is in it, and so is all that the master can show,
// because its commits wait until they are stored. It takes no lock as long as
// nothing more is stored.
func (r *Replicator) End() (set *cluster.GTIDSet, whole bool) {
	relay := r.relay.Load()
	if relay == nil || !r.promised.Load() || !r.alone.Load() {
		return nil, false
	}
	whole = relay.protection.now.Load() && r.rejected(r.cluster.Load().MasterIdentity) == nil
	if end := relay.end.Load(); end != nil {
		select {
		case <-end.changed:
		default:
			return end.set, whole
		}
	}
	end := &storedEnd{changed: relay.stored.Changed()}
	end.set = relay.stored.Executed()
	relay.end.Store(end)
	return end.set, whole
}
