package admin

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// callersKnown bounds how many callers' rates are remembered at a time.
const callersKnown = 4096

// rates holds how often callers call. Any number of goroutines may use it; its
// zero value is ready.
type rates struct {
	mu      sync.Mutex
	callers map[string]*rate.Limiter
}

// take counts a call and returns how long the caller has to wait before it
// may be made; 0: now.
func (r *rates) take(caller string, perSecond int) time.Duration {
	if perSecond <= 0 {
		return 0
	}
	reservation := r.limiter(caller, perSecond).Reserve()
	wait := reservation.Delay()
	if wait > 0 {
		reservation.Cancel()
	}
	return wait
}

func (r *rates) limiter(caller string, perSecond int) *rate.Limiter {
	r.mu.Lock()
	defer r.mu.Unlock()
	limiter := r.callers[caller]
	if limiter != nil && limiter.Burst() == perSecond {
		return limiter
	}
	if r.callers == nil || len(r.callers) >= callersKnown {
		r.callers = make(map[string]*rate.Limiter) // each begins anew, with a full second's calls
	}
	limiter = rate.NewLimiter(rate.Limit(perSecond), perSecond)
	r.callers[caller] = limiter
	return limiter
}
