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
	return relay.storedSet(), whole
}

// Stored is the set of all that is stored now, what came before the log included;
// nil while nothing is promised. Any of it may have been acknowledged to a client.
// It takes no lock as long as nothing more is stored.
func (r *Replicator) Stored() *cluster.GTIDSet {
	relay := r.relay.Load()
	if relay == nil || !r.promised.Load() {
		return nil
	}
	return relay.storedSet()
}

// storedSet is what is stored; it is looked at again only once that has changed.
func (r *relay) storedSet() *cluster.GTIDSet {
	if end := r.end.Load(); end != nil {
		select {
		case <-end.changed:
		default:
			return end.set
		}
	}
	end := &storedEnd{changed: r.stored.Changed()}
	end.set = r.stored.Executed()
	r.end.Store(end)
	return end.set
}
