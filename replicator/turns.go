package replicator

import (
	"context"
	"sync"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
)

// turnPatience is how long the others wait for a slave whose turn it is.
const turnPatience = 20 * time.Second

// turns has slaves change their source one after the other, so that the others
// serve meanwhile. It belongs to the goroutine of one keeper; over may be waited
// for by anyone.
type turns struct {
	// may says whether a slave's turn may come now.
	may func(control.Slave) bool
	// has is what the new source has, for the slave whose turn it is.
	has func() *cluster.GTIDSet

	gone  map[string]bool // who has had its turn
	name  string          // whose turn it is, since when; "" nobody's
	since time.Time
	end   sync.Once
	over  chan struct{} // closed once everybody has
}

func newTurns(may func(control.Slave) bool, has func() *cluster.GTIDSet) *turns {
	return &turns{may: may, has: has, gone: map[string]bool{}, over: make(chan struct{})}
}

// order has those slaves only watched whose turn has not come.
func (t *turns) order(slaves []control.Slave, reports []control.SlaveReport, now time.Time) []control.Slave {
	seen := map[string]*control.SlaveReport{}
	for i := range reports {
		seen[reports[i].Node.Name] = &reports[i]
	}
	all := true
	for i := range slaves {
		s := &slaves[i]
		if !t.gone[s.Node.Name] {
			s.Observe = s.Observe || !t.comes(s, seen[s.Node.Name], now)
		}
		if s.Node.Name == t.name {
			s.Has = t.has
		}
		all = all && t.gone[s.Node.Name]
	}
	if all {
		t.end.Do(func() { close(t.over) })
	}
	return slaves
}

// comes says whether a slave's turn has come, and notes when it is over: it runs
// from its new source, it cannot be reached, or it takes too long.
func (t *turns) comes(s *control.Slave, seen *control.SlaveReport, now time.Time) bool {
	name := s.Node.Name
	switch {
	case seen == nil:
		return false // it is looked at first
	case arrived(seen, s.Source), seen.Verdict.State == control.StateUnknown, t.name == name && now.Sub(t.since) > turnPatience:
		t.gone[name] = true
		if t.name == name {
			t.name = ""
		}
	case t.name == "" && t.may(*s):
		t.name, t.since = name, now
	}
	return t.gone[name] || t.name == name
}

// arrived says whether a slave was seen to run from a source.
func arrived(seen *control.SlaveReport, source control.Source) bool {
	return seen.Verdict.State == control.StateRunning && seen.Status.SourceAddr == source.Addr() && seen.Status.SourceUser == source.User
}

// hurryInterval is how often slaves are looked at while they change.
const hurryInterval = 200 * time.Millisecond

// hurry has a keeper look often until everybody has had its turn.
func (t *turns) hurry(ctx context.Context, k *control.Keeper) {
	tick := time.NewTicker(hurryInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			k.Nudge()
		case <-t.over:
			return
		case <-ctx.Done():
			return
		}
	}
}
