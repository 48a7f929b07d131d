package replicator

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Unprotected says why the master's commits do not wait for the stored log, ""
// where they do or nobody promised it, and whether the clients' writes wait
// meanwhile, as PolicyDurable has them.
func (r *Replicator) Unprotected() (reason string, waits bool) {
	if !r.promised.Load() {
		return r.adopting(), false
	}
	waits = r.settings().Policy == PolicyDurable
	switch s := r.Status(); {
	case s.Protected:
		return "", false
	case !s.Open:
		return "the stored log is not open yet", waits
	case !s.Upstream.Connected && s.Upstream.LastError != nil:
		return fmt.Sprintf("the master's binary log is not being read: %v", s.Upstream.LastError), waits
	case !s.Upstream.Connected:
		return "the master's binary log is not being read", waits
	}
	return "the master's commits do not wait until they are stored; the log says why", waits
}

// adopting says how far a fleet is whose writes are to be stored and are not
// promised to be yet, "" where there is none.
func (r *Replicator) adopting() string {
	if r.settings().Feed != FeedRelay {
		return ""
	}
	if trouble := r.trouble.Load(); trouble != nil {
		return "the stored log does not take over: " + *trouble
	}
	return "the stored log is about to take over; writes are not stored yet before they are acknowledged"
}

// troubled tells what keeps the feed from being changed, each thing once.
func (r *Replicator) troubled(err error) {
	text := err.Error()
	if old := r.trouble.Swap(&text); old == nil || *old != text {
		r.log.Error("the feed cannot be changed yet; trying again", "feed", r.settings().Feed, "error", err)
	}
}

// protection is whether the master's commits wait for the stored log; any
// number of goroutines.
type protection struct {
	mu    sync.Mutex
	holds bool
	since time.Time
	now   atomic.Bool // holds, for those who ask all the time
}

// set reports whether that is a change.
func (p *protection) set(holds bool, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.holds == holds {
		return false
	}
	p.holds, p.since = holds, now
	p.now.Store(holds)
	return true
}

func (p *protection) read() (holds bool, since time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.holds, p.since
}
