package fullcopy

import (
	"context"
	"sync"
	"time"
)

// pace spreads bytes over time. Any number of goroutines share one.
type pace struct {
	perSecond int64 // 0: no bound

	mu   sync.Mutex
	free time.Time // when everything so far is paid for
}

// take waits until n more bytes may go.
func (p *pace) take(ctx context.Context, n int) error {
	if p.perSecond <= 0 {
		return ctx.Err()
	}
	wait := time.Until(p.reserve(n, time.Now()))
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// reserve returns when n bytes may go: at once after idleness, which earns
// nothing for later.
func (p *pace) reserve(n int, now time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.free.Before(now) {
		p.free = now
	}
	at := p.free
	p.free = at.Add(time.Duration(float64(n) / float64(p.perSecond) * float64(time.Second)))
	return at
}
