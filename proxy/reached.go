package proxy

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// reached is what slaves were found to have applied since their last probe: what
// one session waited for, no other has to. Any number of goroutines; the zero
// value knows nothing.
type reached struct{ nodes sync.Map } // by name, *atomic.Pointer[reachedBy]

// reachedBy is what one node had.
type reachedBy struct {
	set *cluster.GTIDSet
	at  time.Time // when it was found last
	// since and generation are the node's and the topology's when it was asked.
	since      time.Time
	generation uint64
}

// stands reports whether it is still worth something: a probe that came later
// knows better, and after a restart or a failover a node may have less.
func (r *reachedBy) stands(n *cluster.Node, generation uint64) bool {
	return r.generation == generation && r.since.Equal(n.Since) && r.at.After(n.Asked)
}

// of returns what a node was found to have, nil where that is nothing more than
// what its last probe told.
func (r *reached) of(n *cluster.Node, generation uint64) *cluster.GTIDSet {
	v, ok := r.nodes.Load(n.Name)
	if !ok {
		return nil
	}
	if found := v.(*atomic.Pointer[reachedBy]).Load(); found != nil && found.stands(n, generation) {
		return found.set
	}
	return nil
}

// note takes in that a node had a set at some time.
func (r *reached) note(n *cluster.Node, generation uint64, set *cluster.GTIDSet, at time.Time) {
	v, ok := r.nodes.Load(n.Name)
	if !ok {
		v, _ = r.nodes.LoadOrStore(n.Name, new(atomic.Pointer[reachedBy]))
	}
	p := v.(*atomic.Pointer[reachedBy])
	for {
		next := &reachedBy{set: set, at: at, since: n.Since, generation: generation}
		before := p.Load()
		if before != nil && before.stands(n, generation) {
			if before.set.ContainsSet(set) {
				return
			}
			next.set, next.at = before.set.Union(set), latest(before.at, at)
		}
		if p.CompareAndSwap(before, next) {
			return
		}
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
