package replicator

import (
	"context"
	"errors"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
)

// readyInterval is how often nodes are looked for that have to be made ready.
const readyInterval = time.Second

// readySlaves sets on each slave what it needs to be the master one day, once
// after each of its starts: afterwards it may be too late. It returns when ctx
// ends.
func (r *relay) readySlaves(ctx context.Context) error {
	tick := time.NewTicker(readyInterval)
	defer tick.Stop()
	done := map[string]time.Time{} // by name: which start of the server
	for {
		for _, n := range unready(r.cluster.Load(), done) {
			if r.readySlave(ctx, n) {
				done[n.Name] = n.Since
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// unready are the slaves that run and were not made ready since their start.
func unready(t *cluster.Topology, done map[string]time.Time) (out []cluster.Node) {
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if n.Role == cluster.RoleSlave && !n.Maintenance && !n.Fenced && n.Health == cluster.HealthUp && n.Replication == cluster.ReplicationRunning && !n.Since.Equal(done[n.Name]) {
			out = append(out, *n)
		}
	}
	return out
}

// readySlave prepares one and reports whether that was done; each failure is
// told once.
func (r *relay) readySlave(ctx context.Context, n cluster.Node) bool {
	release, err := r.nodes.enter(ctx, n.Name)
	if err != nil {
		return false
	}
	defer release()
	if t := r.cluster.Load(); t.MasterNode() == nil || t.MasterNode().Name == n.Name {
		return false // it is about to become the master, or may be
	}
	err = r.order(ctx, source{name: n.Name, addr: n.Addr, identity: n.Identity}, func(ctx context.Context, c *control.Conn) error {
		return errors.Join(r.unwait(ctx, c), r.set(ctx, c))
	})
	if err != nil && ctx.Err() == nil && r.found.first(err.Error()) {
		r.log.Warn("a slave was not prepared; trying again", "node", n.Name, "error", err)
	}
	return err == nil
}

// unwait has a slave's commits wait for nobody: one that has semi-synchronous
// replication switched on as if it were the master, because it was or because its
// option file says so, would apply nothing any more once it waits without a limit.
func (r *relay) unwait(ctx context.Context, c *control.Conn) error {
	s, err := c.SemiSync(ctx)
	if err != nil || !s.Enabled {
		return err
	}
	r.log.Warn("a slave waits for acknowledgements as if it were the master: switched off; its option file should not switch that on", "node", c.Node().Name)
	return c.DisableSemiSync(ctx)
}
