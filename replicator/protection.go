package replicator

import (
	"sync"
	"time"
)

// protection is whether the master's commits wait for the stored log; any
// number of goroutines.
type protection struct {
	mu    sync.Mutex
	holds bool
	since time.Time
}

// set reports whether that is a change.
func (p *protection) set(holds bool, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.holds == holds {
		return false
	}
	p.holds, p.since = holds, now
	return true
}

func (p *protection) read() (holds bool, since time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.holds, p.since
}
