package failover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// serve publishes the recorded roles, and whether writes are open, by what is
// seen; it records the first master, and opens a master that has to be. wish is
// what keeps writes from being open besides, the zero verdict for nothing.
func (c *Controller) serve(ctx context.Context, t *cluster.Topology, wish verdict) error {
	v := judge(c.state, c.config.Master, t, c.mayOpen || c.reconnected(t) || time.Since(c.openedAt) < ownClosing)
	if c.mustOpen && v.writes == cluster.WritesOpen {
		v = held(actionOpen, "the master %s is being opened again", c.state.Master)
	}
	switch reason, decisive := c.lock.refuses(t, c.state.Master); {
	case decisive:
		v = verdict{writes: cluster.WritesRefused, reason: reason, cut: true}
	case reason != "" && (v.action != actionNone || v.writes == cluster.WritesOpen && !c.lock.had()):
		v = verdict{writes: cluster.WritesHeld, reason: reason, cut: true}
	case wish.reason != "" && v.writes != cluster.WritesRefused:
		v = wish
	}
	if c.stale(t, v) {
		return nil
	}
	if v.action != actionNone && time.Now().Before(c.retryAt) {
		return nil // its reason is published
	}
	switch v.action {
	case actionAdopt:
		v = c.adopt(ctx, t, v)
	case actionOpen:
		v = c.open(ctx, t, v)
	}
	if ctx.Err() != nil {
		return nil
	}
	c.remember(t, v)
	return c.publish(v)
}

// reconnected says that the probes lost the master since it was last seen
// open: it may have been restarted between two of them.
func (c *Controller) reconnected(t *cluster.Topology) bool {
	i := t.Find(c.state.Master)
	return i >= 0 && !t.Nodes[i].Since.Equal(c.since)
}

// stale says that the verdict rests on a probe from before our own order.
func (c *Controller) stale(t *cluster.Topology, v verdict) bool {
	i := t.Find(c.state.Master)
	return v.writes != cluster.WritesOpen && i >= 0 && t.Nodes[i].Health == cluster.HealthUp && t.Nodes[i].Seen.Before(c.openedAt.Add(staleProbe))
}

// staleProbe is how long after an order a probe may end that had looked before.
const staleProbe = time.Second

// ownClosing is how long after the opening a master may still be closed by an
// order of ours that was given before.
const ownClosing = 4 * time.Second

// remember keeps whether the master has to be verified anew: from when it was
// down until it was seen open.
func (c *Controller) remember(t *cluster.Topology, v verdict) {
	switch {
	case v.writes == cluster.WritesOpen:
		c.mayOpen, c.last = false, ""
		c.since = t.Nodes[t.Find(c.state.Master)].Since
	case v.writes == cluster.WritesHeld && v.action == actionNone:
		c.mayOpen = true
	}
}

// adopt records the configured node as the first master, by the identity that
// it shows now.
func (c *Controller) adopt(ctx context.Context, t *cluster.Topology, v verdict) verdict {
	n := &t.Nodes[t.Find(c.config.Master)]
	ctx, cancel := context.WithTimeout(ctx, c.config.StepTimeout)
	defer cancel()
	identity, err := c.operator.ReadIdentity(ctx, n.Addr)
	if err != nil {
		return c.failed(v, fmt.Errorf("read identity of %s: %w", n.Name, err))
	}
	c.state.Master, c.state.Identity = n.Name, identity
	c.log.Info("first master recorded", "node", n.Name, "identity", identity)
	return v
}

// open makes the recorded master writable, if no other node is. Nodes that are
// down are not asked: nothing that Bellwether writes can reach them.
func (c *Controller) open(ctx context.Context, t *cluster.Topology, v verdict) verdict {
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if n.Name == c.state.Master || n.Health != cluster.HealthUp {
			continue
		}
		readOnly, err := c.askReadOnly(ctx, n)
		switch {
		case err != nil:
			return c.failed(v, fmt.Errorf("ask %s whether it is read-only: %w", n.Name, err))
		case !readOnly && !c.state.Distrusts(n.Name, n.Identity):
			c.retryAt = time.Now().Add(retryPause)
			return refusedWritable(c.state.Master, n)
		}
	}
	n := &t.Nodes[t.Find(c.state.Master)]
	if reason := c.lock.holds(t, n); reason != "" {
		return held(actionNone, "%s", reason)
	}
	err := c.openWrites(ctx, n)
	if errors.Is(err, ErrUnfit) {
		c.retryAt = time.Now().Add(retryPause)
		return refused("the master %s %v", n.Name, err)
	}
	if err != nil {
		return c.failed(v, fmt.Errorf("open %s: %w", n.Name, err))
	}
	return verdict{writes: cluster.WritesOpen}
}

// openWrites makes the recorded master writable.
func (c *Controller) openWrites(ctx context.Context, n *cluster.Node) error {
	ctx, cancel := context.WithTimeout(ctx, c.config.StepTimeout)
	defer cancel()
	if err := c.operator.OpenWrites(ctx, n.Addr, c.state.Identity); err != nil {
		return err
	}
	c.openedAt, c.mustOpen = time.Now(), false
	c.log.Info("master opened for writes", "node", n.Name, "identity", c.state.Identity)
	return nil
}

func (c *Controller) askReadOnly(ctx context.Context, n *cluster.Node) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.StepTimeout)
	defer cancel()
	return c.operator.ReadOnly(ctx, n.Addr)
}

// retryPause is between two attempts at an order that failed.
const retryPause = 500 * time.Millisecond

// failed logs a failure once and tries again later.
func (c *Controller) failed(v verdict, err error) verdict {
	c.retryAt = time.Now().Add(retryPause)
	c.complain("order failed, trying again", err)
	v.action = actionNone
	return v
}

// complain logs an error unless it is the last one again.
func (c *Controller) complain(what string, err error) {
	if text := what + ": " + err.Error(); text != c.last {
		c.last = text
		c.log.Warn(what, "error", err)
	}
}
