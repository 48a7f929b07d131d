package failover

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// The bounds of bringing a former master back.
const (
	fenceBound  = 10 * time.Second
	demoteBound = 30 * time.Second
	saveBound   = 10 * time.Minute
	rejoinPause = time.Second      // after a failure
	leavePause  = 30 * time.Second // where someone has to decide
)

// rejoin brings back the fenced nodes that answer, each beside the loop.
func (c *Controller) rejoin(ctx context.Context, v View) {
	if v.Lock != "" {
		return
	}
	for _, f := range c.state.Fenced {
		n := findFenced(v.Nodes, f)
		if n == nil || n.Health != cluster.HealthUp || n.Name == c.state.Master {
			continue
		}
		node, key, plan := *n, "rejoin "+f.Node+" "+f.Identity, PlanRejoin(v, n.Name)
		if plan.Refusal != "" {
			continue // the problem tells it
		}
		c.beside(ctx, key, func(ctx context.Context) func() {
			r := c.bringBack(ctx, v, f, node, plan)
			return func() { c.returned(key, f, r) }
		})
	}
}

// has says whether a plan has a step.
func (p Plan) has(k StepKind) bool {
	return slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Kind == k })
}

// closeStrays makes nodes read-only that are writable, and neither the master nor
// former ones: nothing that Bellwether writes goes there.
func (c *Controller) closeStrays(ctx context.Context, v View, problems []Problem) {
	for _, p := range problems {
		at := slices.IndexFunc(v.Nodes, func(n cluster.Node) bool { return n.Name == p.Node })
		if p.Kind != KindSecondWriter || at < 0 || v.Lock != "" || v.Nodes[at].Maintenance || c.state.Distrusts(p.Node, v.Nodes[at].Identity) {
			continue
		}
		n, key := v.Nodes[at], "close "+p.Node
		c.beside(ctx, key, func(ctx context.Context) func() {
			ctx, cancel := context.WithTimeout(ctx, fenceBound)
			defer cancel()
			err := c.operator.CloseWrites(ctx, n.Addr, n.Identity)
			return func() {
				c.log.Warn("a node that is not the master was writable", "node", n.Name, "closed", err == nil, "error", err)
				c.again[key] = time.Now().Add(rejoinPause)
			}
		})
	}
}

// findFenced is where the server answers that is fenced, or the node of its name.
func findFenced(nodes []cluster.Node, f Fenced) *cluster.Node {
	at := slices.IndexFunc(nodes, func(n cluster.Node) bool { return f.Identity != "" && n.Identity == f.Identity })
	if at < 0 {
		at = slices.IndexFunc(nodes, func(n cluster.Node) bool { return n.Name == f.Node })
	}
	if at < 0 {
		return nil
	}
	return &nodes[at]
}

// comeback is how an attempt to bring a node back went. It belongs to one
// goroutine at a time.
type comeback struct {
	node   string
	steps  []IncidentStep
	errant *cluster.GTIDSet
	files  []string
	left   string // why it stays fenced until someone decides
	waits  bool   // it is fenced, and no more can be done now
	err    error
}

func (r *comeback) do(ctx context.Context, kind StepKind, bound time.Duration, work func(context.Context) (string, error)) error {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	begun := time.Now()
	says, err := work(ctx)
	r.steps = append(r.steps, newStep(kind, r.node, begun, says, err))
	return err
}

// bringBack makes a former master a node that can be trusted as a slave.
func (c *Controller) bringBack(ctx context.Context, v View, f Fenced, n cluster.Node, plan Plan) *comeback {
	r := &comeback{node: n.Name}
	r.err = r.do(ctx, StepFence, fenceBound, func(ctx context.Context) (string, error) {
		return "read-only, its clients' connections ended", c.operator.Fence(ctx, n.Addr, n.Identity)
	})
	if r.err != nil {
		return r
	}
	if !plan.has(StepDemote) {
		r.waits = true
		return r
	}
	r.err = r.demote(ctx, c.stream, n)
	var errant *ErrantError
	switch {
	case errors.As(r.err, &errant):
		c.save(ctx, r, f, n, errant.Extra)
		if r.err != nil {
			return r
		}
	case !errors.Is(r.err, ErrIncomplete):
		return r
	}
	if rest := PlanErrant(v, n.Name, r.errant); !rest.has(StepCopy) {
		r.left = orElse(rest.Refusal, rest.Reason)
		return r
	}
	r.err = r.do(ctx, StepCopy, copyBound, func(ctx context.Context) (string, error) {
		return "it is a copy of the others", c.stream.Copy(ctx, n, func(progress string) {
			c.log.Info("copying", "node", n.Name, "progress", progress)
		})
	})
	if r.err == nil {
		r.err = r.demote(ctx, c.stream, n)
	}
	return r
}

func orElse(first, second string) string {
	if first != "" {
		return first
	}
	return second
}

// save keeps what only a node has, before it is lost.
func (c *Controller) save(ctx context.Context, r *comeback, f Fenced, n cluster.Node, extra *cluster.GTIDSet) {
	r.errant = extra
	r.err = r.do(ctx, StepSave, saveBound, func(ctx context.Context) (says string, err error) {
		dir := filepath.Join(c.config.StateDir, "errant", fmt.Sprintf("%s-%d", n.Name, f.Generation))
		r.files, err = c.stream.Save(ctx, n, extra, dir)
		return fmt.Sprintf("%v is kept in %v", extra, r.files), err
	})
}

// copyBound is more than any copy takes that is worth waiting for.
const copyBound = 48 * time.Hour

func (r *comeback) demote(ctx context.Context, s Stream, n cluster.Node) error {
	return r.do(ctx, StepDemote, demoteBound, func(ctx context.Context) (string, error) {
		return "it has nothing of its own, and can be a slave", s.Demote(ctx, n)
	})
}

// returned records how an attempt went, and trusts the node again that can be.
func (c *Controller) returned(key string, f Fenced, r *comeback) {
	if r.waits {
		c.again[key] = time.Now().Add(rejoinPause)
		return
	}
	trusted := r.err == nil && r.left == ""
	if trusted {
		r.err = c.trust(f)
		trusted = r.err == nil
	}
	switch {
	case r.left != "":
		c.again[key] = time.Now().Add(leavePause)
	case !trusted:
		c.again[key] = time.Now().Add(rejoinPause)
	}
	if e := c.episode; e != nil && e.From == f.Node && e.Kind == RecoverySwitchover.String() && trusted {
		for _, s := range r.steps {
			c.note(s)
		}
		return
	}
	c.recordReturn(f, r, trusted)
}

// trust takes a node from the fenced ones.
func (c *Controller) trust(f Fenced) error {
	next := c.state
	next.Fenced = slices.DeleteFunc(slices.Clone(c.state.Fenced), func(o Fenced) bool { return o == f })
	if len(next.Fenced) == 0 {
		next.Fenced = nil
	}
	t := c.store.Load()
	return c.advance(t, next, verdict{writes: t.Writes, reason: t.WritesReason, cut: t.MasterNode() == nil})
}

// recordReturn keeps an incident of its own for a node that came back.
func (c *Controller) recordReturn(f Fenced, r *comeback, trusted bool) {
	i := c.returning(f, r.node)
	for _, s := range r.steps {
		i.add(s)
		c.metrics.step(s)
	}
	i.Outcome, i.Ended, i.Generation, i.Says = OutcomeDone, time.Now(), c.store.Load().Generation, r.node+" is a slave"
	if r.errant != nil {
		i.Errant, i.Files = r.errant.String(), r.files
	}
	switch {
	case r.left != "":
		i.Outcome, i.Says = OutcomeRefused, r.node+" stays fenced: "+r.left
	case !trusted:
		i.Outcome, i.Says, i.Ended = OutcomeRunning, fmt.Sprintf("it is tried again: %v", r.err), time.Time{}
	}
	h := c.history.Load()
	known, _ := h.find(i.ID)
	h.show(i)
	if known.Outcome != i.Outcome || known.Says != i.Says {
		c.log.Warn("a former master came back", "incident", i.ID, "node", r.node, "outcome", i.Outcome.String(), "story", i.Story())
		c.metrics.ended(i.Kind, i.Outcome)
		c.jobs.Go(func() { c.keepIncident(i) })
	}
}

// returning is the record of a node's return that goes on, or a new one.
func (c *Controller) returning(f Fenced, node string) Incident {
	h := c.history.Load()
	for _, i := range slices.Backward(h.all()) {
		open := i.Outcome == OutcomeRunning || i.Outcome == OutcomeRefused
		if i.Kind == RecoveryRejoin.String() && i.From == node && open {
			return i.copied()
		}
	}
	now, reason := time.Now(), fmt.Sprintf("%s (%s), which was the master until generation %d, answers again", f.Node, f.Identity, f.Generation)
	if f.Slave {
		reason = fmt.Sprintf("%s (%s) may have what was given up in generation %d", f.Node, f.Identity, f.Generation)
	}
	return Incident{
		ID: h.name(now, RecoveryRejoin.String()), Kind: RecoveryRejoin.String(), From: node, To: node, Begun: now, Outcome: OutcomeRunning,
		Problem: KindFencedBack.String(), Reason: reason,
	}
}
