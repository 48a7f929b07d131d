package failover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bellwether-db/bellwether/cluster"
)

// The bounds of what comes behind the record; each is tried again until the new
// master is open, or is given up itself.
const (
	promoteBound = 5 * time.Second
	closeBound   = 200 * time.Millisecond
	eventsBound  = 10 * time.Second
	forwardPause = 50 * time.Millisecond
)

// forward makes one attempt at completing the recorded promotion. Its error is
// one of the disk.
func (c *Controller) forward(ctx context.Context) error {
	if c.released {
		c.runEvents(ctx)
		return nil
	}
	t := c.store.Load()
	n := c.recordedNode(t)
	switch {
	case n == nil:
		return c.publish(refused("the recorded master %s is not in the configuration: add it", c.state.Master))
	case time.Now().Before(c.retryAt):
		return nil
	case n.Health != cluster.HealthUp:
		return c.publish(held(actionNone, "the new master %s is %v", n.Name, n.Health))
	case n.Identity != c.state.Identity:
		return c.serve(ctx, t, verdict{}) // which says so
	}
	if err := c.publish(held(actionNone, "%s is being made the master in place of %s", n.Name, c.state.Promotion.From)); err != nil {
		return err
	}
	if err := c.promote(ctx, *n); err != nil {
		c.retryAt = time.Now().Add(forwardPause)
		if ctx.Err() == nil {
			c.complain("the new master is not open yet, trying again", err)
		}
		return nil
	}
	return c.release(n.Name)
}

// promote makes the recorded master ready, and writable.
func (c *Controller) promote(ctx context.Context, n cluster.Node) error {
	group, beside := errgroup.WithContext(ctx)
	group.Go(func() error { return c.closeOthers(beside) })
	err := c.do(ctx, StepPromote, n.Name, promoteBound, func(ctx context.Context) (string, error) {
		return "it follows nobody any more", c.stream.Promote(ctx, n)
	})
	if err == nil {
		err = c.do(ctx, StepAttach, n.Name, promoteBound, func(ctx context.Context) (string, error) {
			return "its writes are followed", c.stream.Attach(ctx, n)
		})
	}
	if others := group.Wait(); others != nil {
		c.complain("a node that is not the master may be writable", others)
	}
	if err != nil {
		return err
	}
	return c.do(ctx, StepOpen, n.Name, promoteBound, func(ctx context.Context) (string, error) {
		if reason := c.lock.holds(c.store.Load(), &n); reason != "" {
			return "", errors.New(reason)
		}
		return "it takes writes", c.openWrites(ctx, &n)
	})
}

// closeOthers makes every other node read-only that answers and is not. Nothing
// that Bellwether writes goes there, so one that cannot be closed keeps the new
// master from nothing.
func (c *Controller) closeOthers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, closeBound)
	defer cancel()
	var group errgroup.Group
	t := c.store.Load()
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if n.Name == c.state.Master || n.Health != cluster.HealthUp || c.state.Distrusts(n.Name, n.Identity) {
			continue // former masters are fenced besides
		}
		group.Go(func() error {
			if readOnly, err := c.operator.ReadOnly(ctx, n.Addr); err != nil || readOnly {
				return err
			}
			return c.operator.CloseWrites(ctx, n.Addr, n.Identity)
		})
	}
	return group.Wait()
}

// release lets the writes go on that wait.
func (c *Controller) release(node string) error {
	begun := time.Now()
	if err := c.publish(verdict{writes: cluster.WritesOpen}); err != nil {
		return err
	}
	t := c.store.Load()
	c.remember(t, verdict{writes: cluster.WritesOpen})
	c.released = true
	if c.episode != nil && !c.heldSince.IsZero() {
		c.episode.Held = time.Since(c.heldSince)
	}
	c.heldSince = time.Time{}
	c.note(newStep(StepRelease, node, begun, "writes go on", nil))
	c.metrics.held(c.episode)
	return nil
}

// runEvents completes the promotion: what the old master ran by itself the new
// one runs.
func (c *Controller) runEvents(ctx context.Context) {
	n := c.recordedNode(c.store.Load())
	if n == nil || n.Health != cluster.HealthUp {
		return
	}
	node, incident := *n, c.state.Promotion.Incident
	c.beside(ctx, "events "+node.Name, func(ctx context.Context) func() {
		ctx, cancel := context.WithTimeout(ctx, eventsBound)
		defer cancel()
		begun := time.Now()
		err := c.stream.Opened(ctx, node)
		return func() {
			if c.state.Promotion == nil || c.state.Promotion.Incident != incident {
				return // another one has taken over
			}
			c.note(newStep(StepEvents, node.Name, begun, "events run there and nowhere else", err))
			if err != nil {
				c.again["events "+node.Name] = time.Now().Add(time.Second)
				return
			}
			c.settle()
		}
	})
}

// settle ends the promotion.
func (c *Controller) settle() {
	next := c.state
	next.Promotion = nil
	if err := c.saveState(next); err != nil {
		c.complain("the end of a promotion cannot be kept", err)
		return
	}
	if c.episode != nil && (c.pending == nil || !c.pending.begun) {
		c.end(OutcomeDone, fmt.Sprintf("%s is the master", c.state.Master))
	}
}

// saveState makes a state durable whose roles are as they are published.
func (c *Controller) saveState(next State) error {
	if err := c.keep(&next, c.store.Load().Generation); err != nil {
		return err
	}
	c.state = next
	c.recorded.Store(&next)
	return nil
}
