package replicator

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
	"github.com/bellwether-db/bellwether/replicator/upstream"
)

// storedPatience is how long the stored log may take to get what the master has.
const storedPatience = time.Second

// conduct keeps the slaves at the feed that is wanted, until ctx ends; or until
// they have gone to the master, which is errReleased.
func (r *relay) conduct(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := r.whileWanted(ctx, FeedRelay, r.takeOver); err != nil {
			return err
		}
		if err := r.whileWanted(ctx, FeedDirect, r.handBack); err != nil {
			return err
		}
	}
	return nil
}

// takeOver feeds the slaves from the stored log until ctx ends. Slaves that
// follow the master meanwhile are left there until every commit waits for the
// log, and then come one after the other.
func (r *relay) takeOver(ctx context.Context) error {
	r.release(false)
	r.alone.Store(false)
	var last []control.Slave // of the keeper's goroutine
	want := func() []control.Slave {
		t := r.cluster.Load()
		slaves := slavesOf(t, r.source(), r.has())
		if t.MasterNode() == nil {
			slaves = without(still(last, t), r.apart.Load())
		} else {
			r.apart.Store(nil)
		}
		last = slaves
		r.alone.Store(t.MasterIdentity != "" && all(slaves, r.keeper.Load().Report()))
		return slaves
	}
	if r.promised.Load() {
		return r.runKeeper(ctx, want, nil)
	}
	arriving := newTurns(func(control.Slave) bool { return r.promised.Load() }, func() *cluster.GTIDSet { return r.storedNow(ctx) })
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.promise(ctx) })
	group.Go(func() error { return r.runKeeper(ctx, want, arriving) })
	return group.Wait()
}

// has is what slaves are compared with: nothing while the log has still to catch
// up with a master that they follow by themselves.
func (r *relay) has() func() *cluster.GTIDSet {
	if !r.promised.Load() {
		return nil
	}
	return r.stored.Executed
}

// all says whether every slave was seen to have its source, or to serve nobody.
func all(slaves []control.Slave, reports []control.SlaveReport) bool {
	there := map[string]string{}
	for _, r := range reports {
		there[r.Node.Name] = r.Status.SourceUser + "@" + r.Status.SourceAddr
		if r.Verdict.State == control.StateUnknown {
			there[r.Node.Name] = r.Source
		}
	}
	for _, s := range slaves {
		if there[s.Node.Name] != s.Source.String() {
			return false
		}
	}
	return true
}

// promise begins to hold back OKs as soon as the master's commits wait.
func (r *relay) promise(ctx context.Context) error {
	for {
		changed := r.changed.wait()
		if holds, _ := r.protection.read(); holds {
			r.promised.Store(true)
			r.trouble.Store(nil)
			r.changed.send()
			r.log.Info("no write is acknowledged to a client from now on before it is stored; the slaves come next")
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

// storedNow is what is stored, once that is all that the master has now: more
// than a slave can have that was looked at before.
func (r *relay) storedNow(ctx context.Context) *cluster.GTIDSet {
	ctx, cancel := context.WithTimeout(ctx, storedPatience)
	defer cancel()
	has := r.masterNow(ctx)
	for has != nil {
		more := r.stored.Changed()
		if r.stored.Executed().ContainsSet(has) {
			break
		}
		select {
		case <-more:
		case <-ctx.Done():
			has = nil
		}
	}
	return r.stored.Executed()
}

// caughtUp says whether everything is stored that the master was last seen to
// have: a commit that is made to wait now does not wait for what came before it.
func (r *relay) caughtUp() bool {
	has := masterHas(r.cluster.Load())
	return has != nil && r.stored.Executed().ContainsSet(has)
}

// handBack has the slaves follow the master, one after the other while it
// answers, and then lets its commits go on without the stored log. It returns
// errReleased when that is done, and nil if ctx ends before.
func (r *relay) handBack(ctx context.Context) error {
	r.alone.Store(false)
	r.prepareAccount(ctx)
	leaving := newTurns(func(s control.Slave) bool { return r.mayLeave(ctx, s) }, func() *cluster.GTIDSet { return r.masterNow(ctx) })
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.runKeeper(ctx, r.directSlaves, leaving) })
	group.Go(func() error {
		select {
		case <-leaving.over:
		case <-ctx.Done():
			return nil
		}
		return r.letMasterGo(ctx)
	})
	return group.Wait()
}

// prepareAccount makes the account on the master that slaves are to use, where
// it is missing. That it fails is told by the slaves that cannot log in.
func (r *relay) prepareAccount(ctx context.Context) {
	from, ok := r.sourceOf(r.cluster.Load())
	if !ok {
		return
	}
	if err := r.order(ctx, from, func(ctx context.Context, c *control.Conn) error {
		_, err := c.Prepare(ctx, r.settings().Direct)
		return err
	}); err != nil && ctx.Err() == nil {
		r.log.Warn("the master was not prepared for its slaves", "node", from.name, "error", err)
	}
}

// mayLeave says whether a slave can go on from the master now: that answers, and
// has still in its binary logs what the slave lacks.
func (r *relay) mayLeave(ctx context.Context, s control.Slave) bool {
	t := r.cluster.Load()
	from, ok := r.sourceOf(t)
	n := t.Find(s.Node.Name)
	if !ok || n < 0 || t.Nodes[n].Applied == nil || t.MasterNode().Health != cluster.HealthUp {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, orderTimeout)
	defer cancel()
	err := upstream.Check(ctx, r.upstream(from), t.Nodes[n].Applied)
	var refusal *upstream.Refusal
	if errors.As(err, &refusal) && refusal.Reason == upstream.ReasonBehind {
		return true // it was about to commit what the slave has applied; the keeper looks again
	}
	if err != nil && ctx.Err() == nil && r.found.first(s.Node.Name+err.Error()) {
		r.log.Warn("a slave stays with the stored log for now", "node", s.Node.Name, "error", err)
	}
	return err == nil
}

// letMasterGo withdraws the promise and has the master's commits go on by
// themselves; then the stream may end.
func (r *relay) letMasterGo(ctx context.Context) error {
	r.promised.Store(false)
	r.changed.send()
	r.release(true)
	r.protection.set(false, time.Now())
	if !r.asynchronous(ctx) {
		return nil
	}
	r.log.Info("the slaves follow the master; the stored log is closed")
	return errReleased
}

// release says whether the master is not to wait any more, once an order that is
// under way is through.
func (r *relay) release(yes bool) {
	r.orders.Lock()
	defer r.orders.Unlock()
	r.released = yes
}
