package failover

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bellwether-db/bellwether/cluster"
)

// The bounds of a switchover, whose writes wait all the while.
const (
	warmBound  = time.Second
	quietBound = 150 * time.Millisecond
	closeOld   = 2 * time.Second // longer than the order itself waits
	followTo   = 3 * time.Second
	storedTick = time.Millisecond
)

// switchover makes a slave the master while the old one lives. Before the record
// of the new master whatever goes wrong leaves the old one, which is opened again.
func (c *Controller) switchover(ctx context.Context, plan Plan) error {
	t := c.store.Load()
	old, i := c.recordedNode(t), t.Find(plan.To)
	if old == nil || i < 0 {
		return fmt.Errorf("switch over from %s to %s: %w", c.state.Master, plan.To, cluster.ErrNoNode)
	}
	c.begin(plan, nil)
	if err := c.handOver(ctx, plan, *old, t.Nodes[i]); err != nil {
		c.mustOpen, c.mayOpen, c.retryAt, c.heldSince = true, true, time.Time{}, time.Time{}
		c.end(OutcomeUndone, fmt.Sprintf("%s stays the master: %v", old.Name, err))
		return err
	}
	return c.forward(ctx)
}

// handOver goes from the hold to the record of the new master.
func (c *Controller) handOver(ctx context.Context, plan Plan, old, to cluster.Node) error {
	if err := c.warm(ctx, old, to); err != nil {
		return err
	}
	c.heldSince = time.Now()
	if err := c.publish(held(actionNone, "%s takes over from %s", to.Name, old.Name)); err != nil {
		return err
	}
	c.quiet(ctx, plan, old)
	executed, err := c.closeOld(ctx, plan, old)
	if err != nil {
		return err
	}
	if err := c.follow(ctx, plan, to, executed); err != nil {
		return err
	}
	if err := c.publish(verdict{writes: cluster.WritesHeld, reason: plan.Reason, cut: true}); err != nil {
		return err
	}
	end, err := c.seal(ctx, plan)
	if err != nil {
		return err
	}
	if end == nil {
		end = executed
	}
	if !end.ContainsSet(executed) {
		return fmt.Errorf("%v was executed by %s and is not stored", executed.Subtract(end), old.Name)
	}
	if err := c.follow(ctx, plan, to, end); err != nil {
		return err
	}
	return c.record(ctx, plan, Choice{Node: to.Name, Has: end, Reason: "it was asked for, and has all that " + old.Name + " had"}, end)
}

// warm has the connections ready that the orders go over, before writes wait.
func (c *Controller) warm(ctx context.Context, nodes ...cluster.Node) error {
	ctx, cancel := context.WithTimeout(ctx, warmBound)
	defer cancel()
	var group errgroup.Group
	for _, n := range nodes {
		group.Go(func() error {
			_, err := c.operator.Executed(ctx, n.Addr, n.Identity)
			return err
		})
	}
	return group.Wait()
}

// quiet waits, for a moment, until nobody is in the middle of a write. Who is
// still then is cut, and goes on at the new master.
func (c *Controller) quiet(ctx context.Context, plan Plan, old cluster.Node) {
	if c.clients == nil {
		return
	}
	_ = c.do(ctx, StepQuiet, old.Name, plan.bound(StepQuiet, quietBound), func(ctx context.Context) (string, error) { //nolint:errcheck // it is in the record
		return "no write is under way", c.clients.Quiet(ctx)
	})
}

// closeOld makes the old master read-only, and returns all that it has.
func (c *Controller) closeOld(ctx context.Context, plan Plan, old cluster.Node) (executed *cluster.GTIDSet, err error) {
	err = c.do(ctx, StepCloseOld, old.Name, max(closeOld, plan.bound(StepCloseOld, 0)), func(ctx context.Context) (string, error) {
		if err := c.operator.CloseWrites(ctx, old.Addr, c.state.Identity); err != nil {
			return "", err
		}
		if executed, err = c.operator.Executed(ctx, old.Addr, c.state.Identity); err != nil {
			return "", err
		}
		return "it has " + executed.String(), nil
	})
	return executed, err
}

// follow returns once a set is stored and the target has committed it.
func (c *Controller) follow(ctx context.Context, plan Plan, to cluster.Node, set *cluster.GTIDSet) error {
	return c.do(ctx, StepDrain, to.Name, plan.bound(StepDrain, followTo), func(ctx context.Context) (string, error) {
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error { return c.operator.AwaitApplied(ctx, to.Addr, to.Identity, set) })
		group.Go(func() error { return c.stored(ctx, set) })
		return "it has all of it", group.Wait()
	})
}

// stored returns once a set is stored; at once where nothing is.
func (c *Controller) stored(ctx context.Context, set *cluster.GTIDSet) error {
	tick := time.NewTicker(storedTick)
	defer tick.Stop()
	for {
		if v := c.stream.View(); v.Direct || v.End.ContainsSet(set) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait until all is stored: %w", ctx.Err())
		}
	}
}
