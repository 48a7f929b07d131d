package proxy

import (
	"math"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// SlowWriters bounds how far the slaves fall behind, by slowing writers down.
// The zero value never does. It is a value.
type SlowWriters struct {
	// Lag is how long a write may take to be on the least late slave; 0 is no
	// limit.
	Lag time.Duration
	// Most is how long a write waits at most before it begins.
	Most time.Duration
}

// follower is how fast one slave applies. It is a value.
type follower struct {
	seen    time.Time
	applied uint64
	rate    float64 // transactions a second, smoothed; 0 while not known
}

// rateMemory is how far back a follower's rate looks.
const rateMemory = 5 * time.Second

// next takes in another look at the slave.
func (f follower) next(n *cluster.Node) follower {
	applied := n.Applied.Count()
	passed := n.Seen.Sub(f.seen)
	if passed <= 0 {
		return f
	}
	now := follower{seen: n.Seen, applied: applied}
	if f.seen.IsZero() || applied < f.applied {
		return now
	}
	rate := float64(applied-f.applied) / passed.Seconds()
	if f.rate == 0 {
		now.rate = rate
		return now
	}
	weight := 1 - math.Exp(-passed.Seconds()/rateMemory.Seconds())
	now.rate = f.rate + weight*(rate-f.rate)
	return now
}

// mostAhead bounds how much more than what is seen may be foretold.
const mostAhead = 6

// outlook is how long what is written now will take to be on a slave: what it
// lacks, at the rate at which it applies. Its lag tells what was written long
// ago, and goes on growing for as long as it is itself after writers have become
// slower; who steers by it swings from one extreme to the other.
func (f follower) outlook(n *cluster.Node) time.Duration {
	if n.Lag == 0 || f.rate == 0 {
		return n.Lag
	}
	seconds := float64(n.LagGTIDs) / f.rate
	return time.Duration(min(seconds, mostAhead*n.Lag.Seconds()) * float64(time.Second))
}

// counts reports whether writers may be slowed down for a slave: it may serve
// reads but for its lag, and it is applying. One that is down, broken, drained
// or in maintenance would not catch up, however slow they were.
func counts(n *cluster.Node) bool {
	usable := n.Role == cluster.RoleSlave && n.Health == cluster.HealthUp && n.Weight > 0 && n.Replication == cluster.ReplicationRunning
	return usable && n.LagKnown && n.Applied != nil && !n.Drain && !n.Maintenance && n.Touched == "" && !n.Fenced
}

// followers is how fast each slave applies, by name. It belongs to one goroutine.
type followers map[string]follower

// look takes in a topology, and returns the least late of the slaves that count
// and its outlook. The least late and no other: while one keeps up reads go
// there, and slowing writers for a slave that is merely weaker than the others
// would let it set the pace of all.
func (fs followers) look(t *cluster.Topology) (name string, least time.Duration, known bool) {
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if !counts(n) {
			delete(fs, n.Name)
			continue
		}
		f := fs[n.Name].next(n)
		fs[n.Name] = f
		if ahead := f.outlook(n); !known || ahead < least {
			name, least, known = n.Name, ahead, true
		}
	}
	for gone := range fs {
		if t.Find(gone) < 0 {
			delete(fs, gone)
		}
	}
	return name, least, known
}

// pressure is how much writers are held back. It is a value; the zero one is
// not at all.
type pressure struct {
	level   float64 // 0 to 1
	outlook time.Duration
	known   bool // outlook is that of the step before
}

// How fast the level follows. What is beyond the limit moves it by integral each
// second and span; a change of the outlook moves it at once. At these the loop
// is damped also where the outlook is half a second old.
const (
	integral     = 0.25
	proportional = 1.0
	leastSpan    = 5 * time.Second // both are measured by the limit, or this
	mostTrend    = 0.25            // of one step
)

// next is one step of the controller: passed is the time since the last one. The
// outlook is not known where no slave counts; then nothing is gained by waiting,
// and the level falls.
func (p pressure) next(outlook time.Duration, known bool, limit, passed time.Duration) pressure {
	span := float64(max(limit, leastSpan))
	beyond, trend := -1.0, 0.0
	if known {
		beyond = clamp(float64(outlook-limit)/span, 1)
		if outlook < limit {
			beyond = float64(outlook-limit) / float64(limit) // -1 once it has caught up
		}
		if p.known {
			trend = clamp(float64(outlook-p.outlook)/span, mostTrend)
		}
	}
	next := pressure{outlook: outlook, known: known}
	if p.level == 0 && outlook < limit/2 {
		return next // a moment's lag is no trend
	}
	next.level = min(max(p.level+integral*beyond*passed.Seconds()+proportional*trend, 0), 1)
	return next
}

func clamp(v, most float64) float64 { return min(max(v, -most), most) }

// steep makes a step of the level multiply the delay instead of adding to it,
// since nobody knows beforehand whether one millisecond is enough or all of it is
// needed: half the level is a twentieth of the delay.
const steep = 400

// delay is how long each write waits at a level.
func (p pressure) delay(most time.Duration) time.Duration {
	return time.Duration(float64(most) * (math.Pow(steep, p.level) - 1) / (steep - 1))
}
