package failover

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// Controller is the one writer of roles, generation and whether writes are
// open. It belongs to one goroutine, that of Run.
type Controller struct {
	config   Config
	store    *cluster.Store
	operator Operator
	log      *slog.Logger

	dir       *stateDir
	state     State
	published bool      // this process has published the state
	mayOpen   bool      // the master must be verified, and opened if it is read-only
	since     time.Time // since when the probes talked to the master that was last seen open
	openedAt  time.Time // what the probes saw before is older than our order
	retryAt   time.Time // after an order that failed
	last      string    // the failure that was last logged
}

// NewController returns a controller that owns nothing yet.
func NewController(store *cluster.Store, c Config, operator Operator, log *slog.Logger) *Controller {
	return &Controller{config: c, store: store, operator: operator, log: log, mayOpen: true}
}

// Run locks the state directory, loads what was recorded, and keeps what is
// published true to it until the context ends. It returns at once with an error
// if the directory is another process's or its state cannot be trusted, and
// with one if the state can no longer be written.
func (c *Controller) Run(ctx context.Context) (err error) {
	if c.dir, err = openState(c.config.StateDir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.dir.close()) }()
	if c.state, err = c.dir.load(); err != nil {
		return err
	}
	tick := time.NewTicker(c.config.Interval)
	defer tick.Stop()
	for {
		if err := c.step(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// step looks, and does what follows, one thing at a time. Its error is one of
// the disk; what nodes refuse becomes the reason why writes are not open.
func (c *Controller) step(ctx context.Context) error {
	t := c.store.Load()
	v := judge(c.state, c.config.Master, t, c.mayOpen || c.reconnected(t))
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
		case !readOnly:
			c.retryAt = time.Now().Add(retryPause)
			return refusedWritable(c.state.Master, n)
		}
	}
	n := &t.Nodes[t.Find(c.state.Master)]
	ctx, cancel := context.WithTimeout(ctx, c.config.StepTimeout)
	defer cancel()
	err := c.operator.OpenWrites(ctx, n.Addr, c.state.Identity)
	if errors.Is(err, ErrUnfit) {
		c.retryAt = time.Now().Add(retryPause)
		return refused("the master %s %v", n.Name, err)
	}
	if err != nil {
		return c.failed(v, fmt.Errorf("open %s: %w", n.Name, err))
	}
	c.openedAt = time.Now()
	c.log.Info("master opened for writes", "node", n.Name, "identity", c.state.Identity)
	return verdict{writes: cluster.WritesOpen}
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
	if err.Error() != c.last {
		c.last = err.Error()
		c.log.Warn("order failed, trying again", "error", err)
	}
	v.action = actionNone
	return v
}

// publish makes the state durable and then visible, if anything changed.
func (c *Controller) publish(v verdict) error {
	t := c.store.Load()
	if c.published && t.Writes == v.writes && t.WritesReason == v.reason && c.rolesMatch(t) {
		return nil
	}
	next := c.state
	after, err := c.store.Advance(t.Generation, func(d *cluster.RoleDraft) error {
		d.Resume(c.state.Generation)
		if err := c.assign(d); err != nil {
			return err
		}
		d.SetWrites(v.writes, v.reason)
		next.Generation = d.Generation()
		return c.dir.save(next)
	})
	if errors.Is(err, cluster.ErrGenerationMoved) {
		return nil // the next step looks again
	}
	if err != nil {
		return fmt.Errorf("publish generation: %w", err)
	}
	c.state, c.published = next, true
	c.log.Info("generation published", "generation", after.Generation, "master", c.state.Master, "writes", v.writes.String(), "reason", v.reason)
	return nil
}

// assign gives every node its role by the state.
func (c *Controller) assign(d *cluster.RoleDraft) error {
	d.ClearMaster()
	for _, n := range d.Nodes() {
		if err := d.SetFenced(n.Name, c.state.Distrusts(n.Name, n.Identity)); err != nil {
			return err
		}
		if n.Name == c.state.Master {
			if err := d.SetMaster(n.Name, c.state.Identity); err != nil {
				return err
			}
		}
	}
	return nil
}

// rolesMatch says whether the topology has the roles of the state; a node that
// the registry added has none yet.
func (c *Controller) rolesMatch(t *cluster.Topology) bool {
	for i := range t.Nodes {
		role := cluster.RoleSlave
		if t.Nodes[i].Name == c.state.Master {
			role = cluster.RoleMaster
		}
		if t.Nodes[i].Role != role {
			return false
		}
	}
	return t.MasterIdentity == c.state.Identity || t.MasterNode() == nil
}
