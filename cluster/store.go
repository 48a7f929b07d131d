package cluster

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// ErrGenerationMoved is returned by Store.Advance when the topology is no
// longer of the generation that the caller's change was made for.
var ErrGenerationMoved = errors.New("topology generation moved")

// Store holds the published topology. It is safe for any number of goroutines;
// Load is one atomic load, writers wait for one another.
//
// It has three doors, each with a draft that offers only what its owner may
// change: Advance for the failover controller, Report for the Monitor,
// Register for the Registry. Only Advance changes the generation.
type Store struct {
	current atomic.Pointer[Topology]
	writing sync.Mutex // one change after the other; Load never takes it
}

// NewStore publishes a copy of first, with Readable computed from its nodes.
// A Master that is no index of Nodes becomes -1, so the zero Topology is an
// empty cluster.
func NewStore(first *Topology) *Store {
	s := &Store{}
	next := clone(first)
	if next.MasterNode() == nil {
		next.Master = -1
	}
	next.replaced, next.outdated = make(chan struct{}), make(chan struct{})
	s.current.Store(settle(next))
	return s
}

// Load returns the topology of this moment. It is immutable; load it once for
// each decision, so that all of one decision sees the same.
func (s *Store) Load() *Topology { return s.current.Load() }

// Advance publishes a new generation if the present one is previous, and wakes
// those who wait for Replaced. Otherwise it returns ErrGenerationMoved. An
// error of change is returned and nothing is published. The change runs before
// anything is published and while no other change can run, so it is the place
// to make the new state durable (RoleDraft.Generation tells its number).
func (s *Store) Advance(previous uint64, change func(*RoleDraft) error) (*Topology, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	old := s.current.Load()
	if old.Generation != previous {
		return old, fmt.Errorf("advance from generation %d, now %d: %w", previous, old.Generation, ErrGenerationMoved)
	}
	next := clone(old)
	next.Generation++
	if err := change(&RoleDraft{next}); err != nil {
		return old, err
	}
	date(old, next)
	return s.publish(old, next), nil
}

// date begins a new epoch of every node whose role is another than before, or
// that is the master as another server. A draft may take roles away and give
// them back; a node that had none yet has nothing to end.
func date(old, next *Topology) {
	for i := range next.Nodes {
		before, now := old.Nodes[i].Role, &next.Nodes[i]
		replaced := i == next.Master && old.MasterIdentity != "" && old.MasterIdentity != next.MasterIdentity
		if before != RoleUnknown && (before != now.Role || replaced) {
			now.Epoch = next.Generation
		}
		now.Former = now.Role == RoleSlave && (now.Former || before == RoleMaster)
	}
}

// publish replaces the topology and wakes those who wait for Replaced, where
// they may have something to gain.
func (s *Store) publish(old, next *Topology) *Topology {
	settle(next)
	wake := next.Generation != old.Generation || next.offers(old)
	if wake {
		next.replaced = make(chan struct{})
	}
	next.outdated = make(chan struct{})
	s.current.Store(next)
	if wake {
		close(old.replaced)
	}
	close(old.outdated)
	return next
}

// offers says whether who found no node in the old topology may find one in
// this: a slave serves that did not or a node is up, or the catalogue is known again.
func (t *Topology) offers(old *Topology) bool {
	for i := range t.Nodes {
		n, before := &t.Nodes[i], &Node{}
		if j := old.Find(n.Name); j >= 0 {
			before = &old.Nodes[j]
		}
		if n.Readable() && !before.Readable() || n.Health == HealthUp && before.Health != HealthUp {
			return true
		}
	}
	return t.Catalogue.Known && !old.Catalogue.Known
}

// Report publishes what was observed, in the same generation: neither roles
// nor writes can change.
func (s *Store) Report(change func(*ReportDraft)) *Topology {
	s.writing.Lock()
	defer s.writing.Unlock()
	old := s.current.Load()
	next := clone(old)
	change(&ReportDraft{next})
	return s.publish(old, next)
}

// Register publishes a change of the operator's wishes: which nodes there are
// and how they may be used, in the same generation. An error of change is
// returned and nothing is published.
func (s *Store) Register(change func(*RegisterDraft) error) (*Topology, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	old := s.current.Load()
	next := clone(old)
	if err := change(&RegisterDraft{next}); err != nil {
		return old, err
	}
	return s.publish(old, next), nil
}

// clone copies what a change may touch. The catalogue and the GTID sets are
// immutable and shared.
func clone(t *Topology) *Topology {
	next := *t
	next.Nodes = slices.Clone(t.Nodes)
	if next.Catalogue == nil {
		next.Catalogue = &Catalogue{}
	}
	return &next
}

// settle computes what follows from the rest.
func settle(t *Topology) *Topology {
	t.Readable = readable(t.Nodes)
	return t
}

// readable returns the indexes of the slaves that may serve reads.
func readable(nodes []Node) []int {
	out := make([]int, 0, len(nodes))
	for i := range nodes {
		if nodes[i].Readable() {
			out = append(out, i)
		}
	}
	return out
}

// Readable says whether the node is a slave that may serve reads now.
func (n *Node) Readable() bool {
	usable := n.Role == RoleSlave && n.Health == HealthUp && !n.Late && n.Weight > 0
	return usable && !n.Drain && !n.Maintenance && n.Touched == "" && !n.Fenced && !n.Former
}
