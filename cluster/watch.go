package cluster

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// watcher probes one node again and again. Its run belongs to one goroutine.
type watcher struct {
	monitor    *Monitor
	name, addr string
	config     *Config // as it was when the connections were opened
	probe      prober
	state      state
	toldLate   bool // what the log last said
	log        *slog.Logger

	cancel context.CancelFunc
	wake   chan struct{} // a hint: probe at once
	hurt   atomic.Int64  // when somebody last was; nanoseconds, 0 for never
	done   chan struct{} // closed at the end of run
}

// fits says whether the watcher's connections are those of this configuration.
func (w *watcher) fits(addr string, c *Config) bool {
	return w.addr == addr && w.config.Operator == c.Operator && w.config.TLS == c.TLS &&
		w.config.TLSOptional == c.TLSOptional && w.config.ProbeTimeout == c.ProbeTimeout
}

// run ends with the context.
func (w *watcher) run(ctx context.Context) {
	defer close(w.done)
	defer func() {
		if err := w.probe.close(); err != nil {
			w.log.Debug("probe connection closed", "error", err)
		}
	}()
	w.state.Condition = w.inherited()
	for ctx.Err() == nil {
		o := w.look(ctx)
		if ctx.Err() != nil {
			return // the failure is our own leaving
		}
		w.take(o)
		w.askHeart(ctx, o)
		w.pause(ctx)
	}
}

// inherited is what an earlier watcher published, so that a reload does not
// make a node new.
func (w *watcher) inherited() Condition {
	t := w.monitor.store.Load()
	if i := t.Find(w.name); i >= 0 && t.Nodes[i].Addr == w.addr {
		return t.Nodes[i].condition()
	}
	return Condition{}
}

// look probes once.
func (w *watcher) look(ctx context.Context) observation {
	begun := time.Now()
	limited, cancel := context.WithTimeout(ctx, w.config.ProbeTimeout)
	defer cancel()
	o := w.probe.probe(limited)
	if o.ended = time.Now(); o.begun.IsZero() {
		o.begun = begun
	}
	return o
}

// take judges an observation and publishes the verdict.
func (w *watcher) take(o observation) {
	m, before := w.monitor, w.state
	m.metrics.probed(w.name, o.outcome, o.ended.Sub(o.begun))
	if b := m.heart.of(w.name); b != nil && b.diskFull() {
		o.settings.DiskFull = true
	}
	role := w.role()
	switch {
	case o.outcome != OutcomeAnswered:
	case role == RoleMaster:
		m.trail.note(w.name+" "+o.server.identity, o.ended, o.applied)
	default:
		w.guess(o)
	}
	w.state = judge(before, o, role, m.trail.read(o.applied, o.begun), m.config.Load().MaxLag)
	m.store.Report(func(d *ReportDraft) { d.SetCondition(w.name, w.addr, w.state.Condition) })
	w.tell(before, o)
}

// askHeart asks the server what a heartbeat that hangs there waits for.
func (w *watcher) askHeart(ctx context.Context, o observation) {
	b := w.monitor.heart.of(w.name)
	if b == nil || o.outcome != OutcomeAnswered {
		return
	}
	thread := b.hanging(time.Now())
	if thread == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, asksFor)
	defer cancel()
	state, busy, err := w.probe.waits(ctx, thread)
	if err != nil {
		w.log.Debug("heartbeat asked after", "error", err)
		return
	}
	b.waits(thread, state, busy)
}

// asksFor bounds the question, for which the next probe waits.
const asksFor = 200 * time.Millisecond

// guess notes the furthest position of all nodes, while there is no master to
// ask for its own.
func (w *watcher) guess(o observation) {
	t := w.monitor.store.Load()
	if master := t.MasterNode(); master != nil && master.Health != HealthDown {
		return
	}
	furthest := o.applied
	for i := range t.Nodes {
		if n := &t.Nodes[i]; n.Name != w.name && n.Health == HealthUp {
			furthest = furthest.Union(n.Applied)
		}
	}
	w.monitor.trail.guess(o.begun, furthest)
}

func (w *watcher) role() Role {
	t := w.monitor.store.Load()
	if i := t.Find(w.name); i >= 0 {
		return t.Nodes[i].Role
	}
	return RoleUnknown
}

// tell logs what changed, once for each change.
func (w *watcher) tell(before state, o observation) {
	now := w.state
	if before.Identity != "" && before.Identity != now.Identity {
		w.monitor.metrics.another(w.name)
		w.log.Warn("another server answers at the node's address", "before", before.Identity, "now", now.Identity)
	}
	switch {
	case before.Health != now.Health && now.Health == HealthDown:
		w.log.Warn("node is down", "outcome", o.outcome.String(), "error", o.err)
	case before.Health != now.Health && now.Health == HealthUp:
		w.log.Info("node is up", "version", now.Version, "identity", now.Identity)
	}
	w.tellLate()
	if before.Replication != now.Replication && before.Replication != ReplicationUnknown {
		w.log.Info("replication changed", "before", before.Replication.String(), "now", now.Replication.String(), "problem", now.Problem)
	}
}

// tellLate logs a slave that leaves for its lag, and its return. The first
// probe of a slave may come before the master's, when no lag can be known yet.
func (w *watcher) tellLate() {
	now := w.state
	if now.Health != HealthUp || now.Late == w.toldLate || now.successes < upSuccesses {
		return
	}
	w.toldLate = now.Late
	if now.Late {
		w.log.Warn("slave is late, it serves no reads", "problem", now.Problem, "lag", now.Lag, "gtids", now.LagGTIDs)
		return
	}
	w.log.Info("slave has caught up", "lag", now.Lag)
}

// The pauses between probes.
const (
	hintPause    = 20 * time.Millisecond // after a hint, so that a storm of hints is none of probes
	suspectPause = 50 * time.Millisecond // until the verdict, after the first probe that speaks for another one
)

// sooner has the next probe come at once. Any goroutine may call it; the error
// only serves the log.
func (w *watcher) sooner(err error) {
	select {
	case w.wake <- struct{}{}:
		w.log.Debug("node looked at sooner", "error", err)
	default:
	}
}

// pause waits for the next probe: the interval give or take a fifth, so that
// the nodes are not all probed at one instant; sooner after a failure or a hint.
func (w *watcher) pause(ctx context.Context) {
	interval := w.monitor.config.Load().ProbeInterval
	interval += time.Duration((rand.Float64() - 0.5) * 0.4 * float64(interval))
	if w.state.undecided() || w.state.Outcome == OutcomeTimeout { // which was pause enough
		interval = min(interval, suspectPause)
	}
	least := time.NewTimer(min(interval, hintPause))
	defer least.Stop()
	select {
	case <-ctx.Done():
		return
	case <-least.C:
	}
	rest := time.NewTimer(interval - min(interval, hintPause))
	defer rest.Stop()
	select {
	case <-ctx.Done():
	case <-rest.C:
	case <-w.wake:
	}
}
