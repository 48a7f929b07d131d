package proxy

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/wire"
)

// holding is the statements of all clients that wait for a master. Any goroutine
// may use it; the zero value is nobody.
type holding struct {
	clients, bytes atomic.Int64
	ends           [numHoldEnds]atomic.Uint64
}

// holdEnd is how a statement's wait ended.
type holdEnd uint8

const (
	holdGoesOn   holdEnd = iota // something has changed, or a moment has passed
	holdTimedOut                // hold_timeout has passed
	holdFull                    // too many wait already
	holdLeft                    // its client has left, or ended it
	numHoldEnds
)

func (e holdEnd) String() string {
	return [...]string{"served", "timeout", "full", "left"}[min(e, numHoldEnds-1)]
}

// enter counts a statement of size bytes in, unless that are too many.
func (h *holding) enter(size int, f *Failover) bool {
	clients, bytes := h.clients.Add(1), h.bytes.Add(int64(size))
	if clients <= int64(f.HoldClients) && bytes <= int64(f.HoldBytes) {
		return true
	}
	h.leave(size)
	h.ends[holdFull].Add(1)
	return false
}

func (h *holding) leave(size int) {
	h.clients.Add(-1)
	h.bytes.Add(-int64(size))
}

// patience is the wait of one request for a master, its zero value none. All of
// its waits together are bounded by the hold timeout.
type patience struct {
	since time.Time
	// asked is when a master was first asked to wait for what must be seen.
	asked time.Time
	size  int
	end   holdEnd
	// waits is how often it waited, which are no attempts.
	waits int
}

// waits counts a request in that has to wait, or has to find out something about
// a lost connection.
func (x *session) waits(r *request) bool {
	if !r.patience.since.IsZero() {
		return true
	}
	x.server.metrics.holds.Add(1)
	if !x.server.holding.enter(len(r.payload), &x.server.config.Load().Failover) {
		r.patience.end = holdFull
		return false
	}
	r.patience.since, r.patience.size = time.Now(), len(r.payload)
	if !r.patience.asked.IsZero() {
		r.patience.since = r.patience.asked
	}
	return true
}

// over counts a request out that had to wait.
func (x *session) over(r *request) {
	if p := &r.patience; !p.since.IsZero() {
		x.server.holding.leave(p.size)
		x.server.holding.ends[p.end].Add(1)
	}
}

// left is how much longer a request may wait.
func (x *session) left(r *request) time.Duration {
	return x.server.config.Load().HoldTimeout - time.Since(r.patience.since)
}

// hold has a request wait for another topology than t, in all no longer than the
// hold timeout, or for a moment where that is not 0. It goes on with
// holdGoesOn only.
func (x *session) hold(r *request, t *cluster.Topology, moment time.Duration) holdEnd {
	if !x.waits(r) {
		return holdFull
	}
	r.patience.waits++
	left := x.left(r)
	if left <= 0 || x.client.PeerGone() {
		r.patience.end = holdTimedOut
		return holdTimedOut
	}
	if moment > 0 {
		left = min(left, moment)
	}
	ctx, done := x.interruptible(left)
	defer done()
	x.shown.held.Store(true)
	defer x.shown.held.Store(false)
	select {
	case <-t.Replaced():
	case <-ctx.Done():
		if moment > 0 && ctx.Err() == context.DeadlineExceeded {
			break
		}
		r.patience.end = holdTimedOut
		if ctx.Err() == context.Canceled {
			r.patience.end = holdLeft
		}
		return r.patience.end
	}
	r.excluded = 0 // they may serve by now
	return holdGoesOn
}

// interruptible is a context for a wait that KILL ends, bounded.
func (x *session) interruptible(d time.Duration) (context.Context, func()) {
	ctx, cancel := context.WithTimeout(x.ctx, d)
	x.delayed.Store(&cancel)
	return ctx, func() { x.delayed.Store(nil); cancel() }
}

// waitedInVain is what a client is told whose statement waited in vain; otherwise is
// the error of a wait that took too long.
func (x *session) waitedInVain(end holdEnd, otherwise *wire.ServerError) *wire.ServerError {
	switch end {
	case holdFull:
		h := x.server.holding
		return notNow(fmt.Sprintf("%d clients wait already, with %d bytes of statements: proxy.failover.hold_clients and hold_bytes allow no more",
			h.clients.Load(), h.bytes.Load()))
	case holdLeft:
		return errInterrupted
	}
	return otherwise
}
