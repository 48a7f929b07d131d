package cluster

import (
	"sort"
	"sync"
	"time"
)

// trail is the recent history of the master's position: when Bellwether first
// saw it where. It is safe for concurrent use.
//
// A slave's lag follows from it exactly, to one probe interval, on both
// flavours, whatever the slave's threads and clocks say: it is the age of the
// first position that the slave has not applied. Seconds_Behind is 0 while the
// receiving thread hangs, and NULL while a thread is stopped; this is neither.
//
// Invariant: samples are in order of time, and each contains the one before.
type trail struct {
	mu      sync.Mutex
	master  string // name and identity; another one begins a new trail
	samples []sample
}

type sample struct {
	at  time.Time
	set *GTIDSet
}

// trailLength bounds the samples; beyond it the older half is thinned out.
const trailLength = 512

// note records where the master is. Positions of another master, and one that
// went backwards, begin anew. An unknown position begins anew as well.
func (t *trail) note(master string, at time.Time, set *GTIDSet) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(master, at, set)
}

// guessed is the name under which the trail of an unseen master runs.
const guessed = ""

// guess stands in while the master is down and was never seen: then the furthest
// that any node has is the best that is known of it, and the node that has it
// may serve reads. A trail of the master itself is kept.
func (t *trail) guess(at time.Time, set *GTIDSet) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.master != guessed {
		return
	}
	if n := len(t.samples); n > 0 && at.Before(t.samples[n-1].at) {
		at = t.samples[n-1].at
	}
	t.add(guessed, at, set)
}

func (t *trail) add(master string, at time.Time, set *GTIDSet) {
	if t.master != master || set == nil {
		t.master, t.samples = master, nil
	}
	if set == nil {
		return
	}
	if n := len(t.samples); n > 0 {
		last := t.samples[n-1].set
		switch {
		case last.ContainsSet(set) && set.ContainsSet(last):
			return
		case !set.ContainsSet(last):
			t.samples = nil
		}
	}
	t.samples = append(t.samples, sample{at, set})
	t.thin()
}

// thin drops every second sample of the older half.
func (t *trail) thin() {
	if len(t.samples) <= trailLength {
		return
	}
	kept := t.samples[:0]
	for i, s := range t.samples {
		if i > trailLength/2 || i%2 == 0 {
			kept = append(kept, s)
		}
	}
	t.samples = kept
}

// lagReading is how far a slave is behind.
type lagReading struct {
	known bool          // whether lag is the lag, and not only a lower bound
	lag   time.Duration // behind the master
	gtids uint64        // transactions not applied
}

// read returns the lag of a slave that had applied this set at a time. Only
// what the master was seen at before then counts, so that a slave is not
// blamed for what it could not have.
func (t *trail) read(applied *GTIDSet, at time.Time) lagReading {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := sort.Search(len(t.samples), func(i int) bool { return t.samples[i].at.After(at) })
	if n == 0 || applied == nil {
		return lagReading{}
	}
	missing := sort.Search(n, func(i int) bool { return !applied.ContainsSet(t.samples[i].set) })
	if missing == n {
		return lagReading{known: true}
	}
	return lagReading{
		known: missing > 0,
		lag:   at.Sub(t.samples[missing].at),
		gtids: applied.Lacks(t.samples[n-1].set),
	}
}
