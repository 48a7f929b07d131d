package control

import (
	"context"
	"errors"
	"log/slog"
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/bellwether-db/bellwether/cluster"
)

// keeping keeps one slave. Its goroutine alone uses what stands below log.
type keeping struct {
	slave  atomic.Pointer[Slave] // wanted now
	cancel context.CancelFunc
	ended  chan struct{}
	nudged chan struct{}
	keeper *Keeper
	log    *slog.Logger

	conn    *Conn  // nil while there is none
	source  Source // that was wanted at the last look
	renew   bool   // its password is another since, which no server tells
	history History
	excess  excess    // what it has and its source lacks
	failed  int       // attempts in a row to set the slave up
	next    time.Time // not before then the next one
	report  SlaveReport
}

// keep starts a slave's goroutine; whoever calls waits for ended.
func (k *Keeper) keep(ctx context.Context, s Slave) *keeping {
	ctx, cancel := context.WithCancel(ctx)
	out := &keeping{
		cancel: cancel, ended: make(chan struct{}), nudged: make(chan struct{}, 1),
		keeper: k, log: k.log.With("node", s.Node.Name),
	}
	out.slave.Store(&s)
	k.mu.Lock()
	k.kept[s.Node.Name] = out.ended
	k.mu.Unlock()
	go func() {
		defer close(out.ended)
		defer cancel()
		out.run(ctx)
	}()
	return out
}

func (k *keeping) run(ctx context.Context) {
	defer k.drop()
	tick := time.NewTicker(k.keeper.config.Interval)
	defer tick.Stop()
	for ctx.Err() == nil {
		k.look(ctx, *k.slave.Load())
		select {
		case <-ctx.Done():
		case <-k.nudged:
		case <-tick.C:
		}
	}
}

// drop ends the connection: nobody knows what state it is in, or it is another
// node's.
func (k *keeping) drop() {
	if k.conn != nil {
		_ = k.conn.Close() // it may be broken
		k.conn = nil
	}
}

// look is one look at the slave, with what follows from it.
func (k *keeping) look(ctx context.Context, s Slave) {
	if k.conn != nil && k.conn.node != s.Node {
		k.drop()
	}
	if s.Source != k.source {
		k.renew = k.renew || s.Source.onlyPasswordOf(k.source)
		k.source, k.history, k.failed, k.next = s.Source, History{}, 0, time.Time{}
	}
	bounded, cancel := context.WithTimeout(ctx, k.keeper.config.Patience)
	defer cancel()
	v, err := k.step(bounded, s)
	if ctx.Err() != nil {
		return // what was seen is of no interest any more
	}
	if err != nil {
		v = verdictOf(err)
	}
	if bounded.Err() != nil || v.State == StateUnknown && !refused(err) {
		k.drop()
	}
	k.tell(s, v)
}

// refused says whether a server answered with an error; then the connection is
// as good as before.
func refused(err error) bool {
	var server *mysql.MySQLError
	return errors.As(err, &server)
}

// step reads, judges and acts.
func (k *keeping) step(ctx context.Context, s Slave) (v Verdict, err error) {
	if k.conn == nil {
		if k.conn, err = Connect(ctx, s.Node, *k.keeper.login.Load()); err != nil {
			return v, err
		}
	}
	status, err := k.conn.Status(ctx)
	if err != nil {
		return v, err
	}
	k.report.Status, k.report.Seen = status, time.Now()
	v = Judge(status, k.history)
	has := s.has(ctx, &status, k.renew)
	p, err := planAttach(s.Node.Name, &status, s.Source, has)
	switch {
	case s.Observe: // how it should be set up is not known
		p, err = plan{}, unfit(s.Node.Name, &status, has)
	case err == nil && k.renew && !p.change:
		p.setAnew()
	}
	k.excess = k.excess.after(errant(&status, has), has, time.Now())
	acts := p.timely(v, k.history, time.Now()) && !time.Now().Before(k.next)
	k.history = k.history.After(v, status, acts && p.repairs(), time.Now())
	if acts {
		v, err = k.outcome(v, &p, errors.Join(err, k.act(ctx, s, &p, v)))
	}
	return k.patient(v, err)
}

// has is what the source has: of now, where something is to be done about a slave
// that is ahead of what was known.
func (s *Slave) has(ctx context.Context, status *Status, renew bool) *cluster.GTIDSet {
	has := asked(s.Has)
	if s.HasNow == nil || s.Observe || errant(status, has) == nil {
		return has
	}
	if p, _ := planAttach(s.Node.Name, status, s.Source, nil); p.empty() && !renew {
		return has
	}
	if now := s.HasNow(ctx); now != nil {
		return now
	}
	return has
}

// outcome is the verdict once the plan was carried out, or was not.
func (k *keeping) outcome(v Verdict, p *plan, err error) (Verdict, error) {
	undrained := (*UndrainedError)(nil)
	switch {
	case err == nil && (v.Failure == "" || p.position != nil) && (p.pause || p.start):
		return Verdict{State: StateStarting}, nil
	case errors.As(err, &undrained) && v.State == StateBroken:
		return v, nil // it will not apply the rest before an operator has acted
	case errors.As(err, &undrained):
		k.failed, k.next = 0, time.Time{} // it gets further by itself: look again soon
	}
	return v, err
}

// timely says whether a plan is to be carried out now. What is set wrong is set
// right at once; what only failed waits for its time, or for an operator.
func (p *plan) timely(v Verdict, h History, now time.Time) bool {
	switch {
	case p.empty():
		return false
	case !p.repairs():
		return true
	case v.State == StateBroken && !v.again:
		return false
	}
	return h.due(v, now)
}

// most failing attempts are this far apart.
const longestPause = 30 * time.Second

// act carries the plan out, and says so.
func (k *keeping) act(ctx context.Context, s Slave, p *plan, v Verdict) error {
	err := k.conn.execute(ctx, p, s.Source)
	k.report.Changed++
	if err != nil {
		k.failed++
		k.next = time.Now().Add(min(time.Second<<min(k.failed, 10), longestPause))
		return err
	}
	k.failed, k.renew = 0, false
	starts := k.history.Starts
	switch {
	case p.position != nil && !p.change:
		k.log.Warn("slave's position repaired", "because", p.why, "position", p.position.String())
	case !p.repairs():
		k.log.Info("slave set up", "source", s.Source, "because", p.why)
	case bits.OnesCount(uint(starts)) == 1: // the first, the second, the fourth, ...
		k.log.Warn("slave started again", "because", v.String(), "starts", starts)
	}
	return nil
}

// tell reports the verdict, and logs it when it has changed.
func (k *keeping) tell(s Slave, v Verdict) {
	changed := k.report.Since.IsZero() || !v.same(k.report.Verdict)
	if changed {
		k.report.Since = time.Now()
	}
	k.report.Node, k.report.Source, k.report.Verdict, k.report.History = s.Node, s.Source.String(), v, k.history
	k.keeper.mu.Lock()
	k.keeper.reports[s.Node.Name] = k.report
	k.keeper.mu.Unlock()
	if !changed {
		return
	}
	log := k.log
	if v.Hint != "" {
		log = log.With("hint", v.Hint)
	}
	log.Log(context.Background(), v.State.level(), "slave "+v.String())
}

// level is how loudly a state is told.
func (s State) level() slog.Level {
	switch s {
	case StateBroken:
		return slog.LevelError
	case StateWaiting, StateRestart, StateUnknown:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}
