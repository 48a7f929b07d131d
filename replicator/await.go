package replicator

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// Await returns once every transaction of set is in the stored log, fsynced: at
// once where it is already, which is so for every commit that the master held
// for us, and where nothing is promised. What came before the log counts as
// stored. With PolicyDegrade it waits no longer than DegradeAfter, and not at all
// while the promise is withdrawn (the master waited already), and counts the
// write as unprotected. Its error is ctx's, or says that the master is a former
// one: its GTIDs may name other transactions in the stored log.
func (r *Replicator) Await(ctx context.Context, set *cluster.GTIDSet) error {
	of := r.cluster.Load().MasterIdentity
	if done, err := r.answered(set, of); done {
		return err
	}
	begun := time.Now()
	for {
		changed, stored := r.changed.wait(), r.storedChanged()
		if done, err := r.answered(set, of); done {
			return err
		}
		degrade, stop := r.degrade(begun)
		select {
		case <-changed:
		case <-stored:
		case <-degrade:
			r.unprotectedWrites.Add(1)
			r.lost.add(set)
			return nil
		case <-ctx.Done():
			stop()
			return ctx.Err()
		}
		stop()
	}
}

// ErrLost is returned by Await for a write that its server had, and that was not
// stored when another server became the master: it is not among what that has.
var ErrLost = errors.New("the write was not stored before its master was replaced")

// answered says whether a write of a server need not be waited for, or cannot.
func (r *Replicator) answered(set *cluster.GTIDSet, of string) (bool, error) {
	if !r.promised.Load() {
		return true, nil
	}
	now := r.cluster.Load().MasterIdentity
	if err := r.rejected(now); err != nil {
		return true, err
	}
	relay := r.relay.Load()
	if relay != nil && now != "" && of != "" && now != of {
		// The next master may have used a MariaDB's number for another transaction.
		if left := relay.left.Load(); left != nil && left.identity == of && !left.end.ContainsSet(set) {
			return true, ErrLost
		}
	}
	return relay != nil && relay.stored.Executed().ContainsSet(set), nil
}

// storedChanged is closed when more is stored; nil while nothing can be.
func (r *Replicator) storedChanged() <-chan struct{} {
	if relay := r.relay.Load(); relay != nil {
		return relay.stored.Changed()
	}
	return nil
}

// degrade is when a write that has waited since begun goes on although it is not
// stored: with PolicyDegrade.
func (r *Replicator) degrade(begun time.Time) (<-chan time.Time, func()) {
	if r.settings().Policy != PolicyDegrade {
		return nil, func() {}
	}
	timer := time.NewTimer(r.patience() - time.Since(begun))
	return timer.C, func() { timer.Stop() }
}

// patience is how long a write that is not stored is held with PolicyDegrade.
func (r *Replicator) patience() time.Duration {
	if relay := r.relay.Load(); relay != nil {
		if holds, _ := relay.protection.read(); holds {
			return r.settings().DegradeAfter
		}
	}
	return 0
}

// unstored are writes that clients were told of and that were not stored then;
// any number of goroutines. The zero value is none.
type unstored struct {
	mu  sync.Mutex
	set *cluster.GTIDSet
	any atomic.Bool // whether there are any, for those who ask all the time
}

func (u *unstored) add(set *cluster.GTIDSet) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.set != nil {
		set = u.set.Union(set)
	}
	u.set = set
	u.any.Store(true)
}

// within says whether all of them are stored by now. It takes no lock where there
// are none.
func (u *unstored) within(stored *cluster.GTIDSet) bool {
	if !u.any.Load() {
		return true
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.set != nil && stored.ContainsSet(u.set) {
		u.set = nil
		u.any.Store(false)
	}
	return u.set == nil
}
