package replicator

import "github.com/bellwether-db/bellwether/cluster"

// End is the set of all that is stored now, what came before the log included:
// nothing that a slave can show is missing there. It is nil while nothing is
// promised, or slaves may be fed by the master as well. With whole, every
// write that was acknowledged is in it, and so is all that the master can show,
// because its commits wait until they are stored. It takes no lock.
//
// Nothing of it may be kept for the next call until the log says that it has
// changed: the log tells its readers only once the master has its answer, and by
// then a client may have its OK and ask for what it wrote.
func (r *Replicator) End() (set *cluster.GTIDSet, whole bool) {
	relay := r.relay.Load()
	if relay == nil || !r.promised.Load() || !r.alone.Load() {
		return nil, false
	}
	set = relay.stored.Executed()
	whole = relay.protection.now.Load() && r.lost.within(set) && r.rejected(r.cluster.Load().MasterIdentity) == nil
	return set, whole
}

// Stored is the set of all that is stored now, what came before the log included;
// nil while nothing is promised. Any of it may have been acknowledged to a client.
// It takes no lock.
func (r *Replicator) Stored() *cluster.GTIDSet {
	relay := r.relay.Load()
	if relay == nil || !r.promised.Load() {
		return nil
	}
	return relay.stored.Executed()
}
