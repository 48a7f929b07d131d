package failover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// The errors of a recovery.
var (
	// ErrRefused is wrapped by the error of an order that must not be carried
	// out; it says why, and what to do.
	ErrRefused = errors.New("refused")
	// errBack: the old master answers again before anything was recorded.
	errBack = errors.New("the master answers again")
)

// attemptPause is between two attempts at a recovery.
const attemptPause = 100 * time.Millisecond

// failover makes one attempt at a plan. It says whether it was begun: where it
// was not, the episode says why. What goes wrong before the new master is
// recorded is told and tried again, by the next step.
func (c *Controller) failover(ctx context.Context, plan Plan, o Order, evidence []string) (begun bool, err error) {
	if plan.Refusal != "" {
		c.refuse(plan, evidence)
		return false, nil
	}
	if time.Now().Before(c.retryAt) {
		return true, nil
	}
	c.begin(plan, evidence)
	if err := c.replaceMaster(ctx, plan, o); err != nil {
		c.retryAt = time.Now().Add(attemptPause)
		if ctx.Err() == nil {
			c.complain("the master could not be replaced yet", err)
			c.episode.Says, c.obstacle = err.Error(), err.Error()
		}
		return true, nil
	}
	return true, c.forward(ctx)
}

// replaceMaster goes from the cut to the record of the new master.
func (c *Controller) replaceMaster(ctx context.Context, plan Plan, o Order) error {
	t := c.store.Load()
	old := c.recordedNode(t)
	if c.heldSince.IsZero() {
		c.heldSince = time.Now()
	}
	reason := plan.Reason
	if c.obstacle != "" {
		reason += "; " + c.obstacle
	}
	err := c.do(ctx, StepCut, plan.From, plan.bound(StepCut, c.config.StepTimeout), func(context.Context) (string, error) {
		return "no node is the master", c.publish(verdict{writes: cluster.WritesHeld, reason: reason, cut: true})
	})
	if err != nil {
		return err
	}
	if old != nil {
		c.fenceOld(ctx, plan, *old)
	}
	end, err := c.seal(ctx, plan)
	if err != nil {
		return err
	}
	choice, err := c.drain(ctx, plan, o, end, c.back(old))
	if err != nil {
		c.mustOpen = c.mustOpen || errors.Is(err, errBack) // it may have been fenced
		return err
	}
	if choice.Lost != nil {
		if end, err = c.lose(ctx, plan, &choice); err != nil {
			return err
		}
	}
	return c.record(ctx, plan, choice, end)
}

// bound is how long a step of the plan may take.
func (p Plan) bound(k StepKind, otherwise time.Duration) time.Duration {
	for _, s := range p.Steps {
		if s.Kind == k && s.Deadline > 0 {
			return s.Deadline
		}
	}
	return otherwise
}

// recordedNode is the recorded master as it is seen now; nil where it is not in
// the configuration.
func (c *Controller) recordedNode(t *cluster.Topology) *cluster.Node {
	i := t.Find(c.state.Master)
	if i < 0 {
		return nil
	}
	return &t.Nodes[i]
}

// back returns who says whether the old master is up again that was down. One
// that answered all the time, though it did nothing else, proves nothing by that.
func (c *Controller) back(old *cluster.Node) func() bool {
	if old == nil || old.Health == cluster.HealthUp || c.state.Promotion != nil {
		return func() bool { return false }
	}
	identity := c.state.Identity
	return func() bool {
		n := c.recordedNode(c.store.Load())
		return n != nil && n.Health == cluster.HealthUp && n.Identity == identity
	}
}

// fenceOld fences the old master, beside everything else: where it cannot be
// reached it is fenced when it comes back.
func (c *Controller) fenceOld(ctx context.Context, plan Plan, old cluster.Node) {
	identity, bound := c.state.Identity, plan.bound(StepFence, c.config.StepTimeout)
	c.beside(ctx, "fence "+old.Name, func(ctx context.Context) func() {
		ctx, cancel := context.WithTimeout(ctx, bound)
		defer cancel()
		begun := time.Now()
		err := c.operator.Fence(ctx, old.Addr, identity)
		return func() {
			if err != nil {
				err = fmt.Errorf("it is fenced when it comes back: %w", err)
			}
			c.note(newStep(StepFence, old.Name, begun, "read-only, its clients' connections ended", err))
		}
	})
}

// seal returns all that was acknowledged: what is stored, and what the master
// before had when it was made one.
func (c *Controller) seal(ctx context.Context, plan Plan) (end *cluster.GTIDSet, err error) {
	err = c.do(ctx, StepSeal, "", plan.bound(StepSeal, 5*time.Second), func(ctx context.Context) (string, error) {
		if end, err = c.stream.Seal(ctx); err != nil {
			return "", err
		}
		if p := c.state.Promotion; p != nil && p.End != "" {
			before, err := cluster.ParseGTIDSet(c.flavour(), p.End)
			if err != nil {
				return "", err
			}
			end = before.Union(end)
		}
		end = c.acknowledged.Union(end)
		c.acknowledged = end
		if end == nil {
			return "slaves follow the master by themselves", nil
		}
		return "all that was acknowledged is " + end.String(), nil
	})
	return end, err
}

// flavour is that of the fleet.
func (c *Controller) flavour() cluster.Flavour {
	t := c.store.Load()
	i := slices.IndexFunc(t.Nodes, func(n cluster.Node) bool { return n.Flavour != cluster.FlavourUnknown })
	if i < 0 {
		return cluster.FlavourUnknown
	}
	return t.Nodes[i].Flavour
}

// record makes the chosen node the master: durably, then for all to see. Before
// it everything is undone by a restart, behind it the only way is forward.
func (c *Controller) record(ctx context.Context, plan Plan, choice Choice, end *cluster.GTIDSet) error {
	return c.do(ctx, StepRecord, choice.Node, c.config.StepTimeout, func(context.Context) (string, error) {
		t := c.store.Load()
		i := t.Find(choice.Node)
		if i < 0 {
			return "", fmt.Errorf("%s: %w", choice.Node, cluster.ErrNoNode)
		}
		n := &t.Nodes[i]
		if reason := c.lock.holds(t, n); reason != "" {
			return "", errors.New(reason)
		}
		next := c.state
		next.Fenced = append(slices.Clone(c.state.Fenced), Fenced{Node: c.state.Master, Identity: c.state.Identity, Generation: t.Generation})
		if choice.Lost != nil {
			next.Fenced = append(next.Fenced, leftBehind(c.state, t, n.Name)...)
		}
		next.Promotion = &Promotion{Kind: plan.Kind.String(), From: c.state.Master, Identity: c.state.Identity, End: end.String(), Incident: c.episode.ID}
		next.Master, next.Identity = n.Name, n.Identity
		if err := c.advance(t, next, held(actionNone, "%s is being made the master in place of %s", n.Name, plan.From)); err != nil {
			return "", err
		}
		c.mayOpen, c.mustOpen, c.released = true, false, false
		if plan.Problem != KindUnknown {
			c.changes = append(c.changes, time.Now())
		}
		e := c.episode
		if e.To, e.End = n.Name, end.String(); choice.Lost == nil {
			e.Lost = "" // an attempt before this one had to give up more
		}
		c.acknowledged = nil
		c.saveEpisode()
		return choice.Reason, nil
	})
}
