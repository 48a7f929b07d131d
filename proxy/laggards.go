package proxy

import (
	"sync"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// laggards remembers which slaves somebody has waited for in vain, so that not
// every statement finds that out anew. For such a slave nobody waits but one scout
// at a time, a read that would go to the master otherwise. Once a scout has
// arrived, or a probe has found the slave near, everybody may. Any number of
// goroutines; the zero value remembers nobody.
type laggards struct{ nodes sync.Map } // by name, *laggard

// laggard is what is remembered of one slave.
type laggard struct {
	mu       sync.Mutex
	vain     time.Time // when it was waited for in vain last, zero for never
	arrived  time.Time // when a wait for it ended well last
	failures int       // in a row, of waits that began after one another
	next     time.Time // when a scout may go
}

// The pauses between two scouts double: each may cost a read as much time as
// slaves are waited for.
const (
	firstPause = 2 * time.Millisecond
	lastPause  = 250 * time.Millisecond
)

// scoutsWithin is how many times as late as waits last a slave may be, as the last
// probe saw it, for scouts to go there.
const scoutsWithin = 10

// prospect is what may be hoped of a wait for a slave.
type prospect uint8

const (
	prospectUnknown prospect = iota
	prospectGood
	prospectDoubtful // only a scout may wait
	prospectNone
)

// String names it.
func (p prospect) String() string {
	return [...]string{"unknown", "good", "doubtful", "none"}[min(p, prospectNone)]
}

// prospect says what may be hoped of a wait for a slave, where waits last so long.
func (l *laggards) prospect(n *cluster.Node, wait time.Duration) prospect {
	arrived, vain := l.of(n.Name).times()
	switch {
	case n.Lag > scoutsWithin*wait:
		return prospectNone
	case arrived.After(vain) && arrived.After(n.Seen):
		return prospectGood
	case n.Lag > wait || vain.After(arrived) && vain.After(n.Seen):
		return prospectDoubtful
	}
	return prospectGood
}

// scout reports whether its caller is to wait for a doubtful slave. Nobody else is
// until it tells how that ended, or such a wait is over.
func (l *laggards) scout(node string, wait time.Duration, now time.Time) bool {
	one := l.of(node)
	one.mu.Lock()
	defer one.mu.Unlock()
	if now.Before(one.next) {
		return false
	}
	one.next = now.Add(wait)
	return true
}

// ended takes in how a wait for a slave has ended. One in vain that began before
// another one was in vain tells nothing new.
func (l *laggards) ended(node string, has bool, begun, now time.Time) {
	one := l.of(node)
	one.mu.Lock()
	defer one.mu.Unlock()
	switch {
	case has:
		one.arrived, one.failures, one.next = now, 0, time.Time{}
	case begun.After(one.vain):
		one.vain = now
		one.next = now.Add(min(firstPause<<min(one.failures, 10), lastPause))
		one.failures++
	}
}

// of is what is remembered of a node.
func (l *laggards) of(node string) *laggard {
	v, ok := l.nodes.Load(node)
	if !ok {
		v, _ = l.nodes.LoadOrStore(node, new(laggard))
	}
	return v.(*laggard)
}

func (l *laggard) times() (arrived, vain time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.arrived, l.vain
}
