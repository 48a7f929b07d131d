package proxy

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

const (
	// pressureInterval is between two steps of the controller.
	pressureInterval = 100 * time.Millisecond
	// pressureOver is how long writers must have been free until it is told that
	// they are.
	pressureOver = 10 * time.Second
)

// pressureMetrics is what writers see of it, and what is counted. Any goroutine
// may use it.
type pressureMetrics struct {
	delay      atomic.Int64  // of each write, in nanoseconds; 0 is none
	statements atomic.Uint64 // that had to wait
	waited     atomic.Int64  // in all, in nanoseconds
}

// count notes that a statement had to wait.
func (m *pressureMetrics) count(waited time.Duration) {
	m.statements.Add(1)
	m.waited.Add(int64(waited))
}

// backpressure slows writers down while no slave keeps up. It belongs to one
// goroutine.
type backpressure struct {
	config  func() SlowWriters
	load    func() *cluster.Topology
	metrics *pressureMetrics
	log     *slog.Logger

	slaves   followers
	pressure pressure
	begun    time.Time // of what was told last; zero while nothing was
	free     time.Time // since when there has been no delay
	full     bool      // that it is as long as may be was told
	before   uint64    // delayed statements when it began
}

func newBackpressure(s *Server) *backpressure {
	return &backpressure{
		config: func() SlowWriters { return s.config.Load().SlowWriters }, load: s.store.Load,
		metrics: &s.metrics.pressure, log: s.log, slaves: followers{},
	}
}

// run follows the slaves until ctx ends.
func (b *backpressure) run(ctx context.Context) {
	tick := time.NewTicker(pressureInterval)
	defer tick.Stop()
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		b.step(now, min(now.Sub(last), time.Second))
		last = now
	}
}

// step looks once and sets the delay.
func (b *backpressure) step(now time.Time, passed time.Duration) {
	c := b.config()
	if c.Lag == 0 && b.pressure.level == 0 && b.begun.IsZero() {
		return
	}
	slave, outlook, known := "", time.Duration(0), false
	if c.Lag > 0 {
		slave, outlook, known = b.slaves.look(b.load())
	}
	b.pressure = b.pressure.next(outlook, known, c.Lag, passed)
	delay := b.pressure.delay(c.Most)
	b.metrics.delay.Store(int64(delay))
	b.tell(now, slave, delay, c)
}

// tell logs the beginning and the end.
func (b *backpressure) tell(now time.Time, slave string, delay time.Duration, c SlowWriters) {
	if delay > 0 {
		b.free = time.Time{}
	} else if b.free.IsZero() {
		b.free = now
	}
	switch {
	case delay > 0 && b.begun.IsZero():
		b.begun, b.before, b.full = now, b.metrics.statements.Load(), false
		b.log.Warn("no slave keeps up, writers are slowed down", "least_late", slave, "outlook", b.pressure.outlook, "limit", c.Lag)
	case b.pressure.level == 1 && !b.full:
		b.full = true
		b.log.Warn("writers are slowed down as much as the configuration allows", "delay", delay, "least_late", slave, "outlook", b.pressure.outlook)
	case !b.begun.IsZero() && !b.free.IsZero() && now.Sub(b.free) >= pressureOver:
		b.log.Info("writers are not slowed down any more",
			"lasted", b.free.Sub(b.begun).Round(time.Millisecond), "statements", b.metrics.statements.Load()-b.before)
		b.begun = time.Time{}
	}
}

// errInterrupted is what servers tell whose statement was killed.
var errInterrupted = &wire.ServerError{Code: 1317, State: "70100", Message: "Query execution was interrupted"}

// slowDown has a write wait before it begins, while no slave keeps up: before a
// statement of its own, before BEGIN or whatever else begins a transaction, and
// never while the session holds locks that others wait for. It reports false
// where the statement was killed meanwhile.
func (x *session) slowDown(r *request) bool {
	delay := time.Duration(x.server.metrics.pressure.delay.Load())
	if delay == 0 || !x.yields(r) {
		return true
	}
	ctx, cancel := context.WithCancel(x.ctx)
	defer cancel()
	x.delayed.Store(&cancel)
	defer x.delayed.Store(nil)
	timer := time.NewTimer(delay)
	defer timer.Stop()
	began := time.Now()
	defer func() { x.server.metrics.pressure.count(time.Since(began)) }()
	select {
	case <-timer.C:
	case <-x.server.drain.asked:
	case <-ctx.Done():
		return x.ctx.Err() != nil // what ends with the server sees that for itself
	}
	return true
}

// lockPins are held together with locks.
const lockPins = 1<<router.PinTransaction | 1<<router.PinUserLock | 1<<router.PinTableLock | 1<<router.PinHandler | 1<<router.PinXA

// yields reports whether a request is one that may wait.
func (x *session) yields(r *request) bool {
	command := wire.Command(r.payload[0])
	if command != wire.ComQuery && command != wire.ComStmtExecute || r.unknown != 0 || x.pins&lockPins != 0 {
		return false
	}
	return router.BeginsWrite(r.statement, x.facts(r), x.topology(), &x.server.config.Load().Rules)
}

// WriteDelay is how long each write waits now, because no slave keeps up; see
// SlowWriters.
func (s *Server) WriteDelay() time.Duration { return time.Duration(s.metrics.pressure.delay.Load()) }
