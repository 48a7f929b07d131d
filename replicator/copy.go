package replicator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
	"github.com/bellwether-db/bellwether/replicator/fullcopy"
)

// tellInterval is how often a copy's progress is told.
const tellInterval = time.Second

// Copy makes a node a copy of the master, or of a slave that has caught up where
// there is one: all that it has goes. tell is called now and then with how far it
// is. The node must not be kept as a slave meanwhile: it is fenced, or in
// maintenance. Afterwards it has nothing that is not stored, is read-only and has
// no source. With an error it may be half a copy, which no source accepts; copying
// it again goes on from there.
func (r *Replicator) Copy(ctx context.Context, n cluster.Node, tell func(string)) error {
	t := r.cluster.Load()
	if t.MasterIdentity == n.Identity {
		return fmt.Errorf("copy to %s: %w", n.Name, cluster.ErrIsMaster)
	}
	sources := copySources(t, n)
	if len(sources) == 0 {
		return fmt.Errorf("copy to %s: there is nobody to copy from", n.Name)
	}
	if i := t.Find(n.Name); i >= 0 && !t.Nodes[i].Fenced && !t.Nodes[i].Maintenance {
		return fmt.Errorf("copy to %s: it is neither fenced nor in maintenance, so it is kept as a slave", n.Name)
	}
	if err := r.unkept(ctx, n.Name); err != nil {
		return fmt.Errorf("copy to %s: it is still kept as a slave: %w", n.Name, err)
	}
	leave, err := r.nodes.enter(ctx, n.Name)
	if err != nil {
		return fmt.Errorf("copy to %s: it is still being looked at: %w", n.Name, err)
	}
	defer leave()
	says, err := r.copyFrom(ctx, sources, n, tell)
	if err != nil {
		return err
	}
	tell(says)
	return r.forgive(n.Identity)
}

// copyFrom copies from the first of some nodes that is fit for it, and not too
// busy. What is neither has touched nothing.
func (r *Replicator) copyFrom(ctx context.Context, sources []*cluster.Node, n cluster.Node, tell func(string)) (says string, err error) {
	for i, from := range sources {
		config := fullcopy.Config{
			Source: control.Node{Name: from.Name, Addr: from.Addr, Identity: from.Identity},
			Target: control.Node{Name: n.Name, Addr: n.Addr, Identity: n.Identity},
			Nodes:  r.settings().Nodes,
		}
		last := i == len(sources)-1
		if !last {
			config.LockTries = 2
		}
		tell("copying everything from " + from.Name)
		result, err := telling(ctx, fullcopy.New(config, r.log.With("node", n.Name)), tell)
		if err == nil {
			return copied(from.Name, result), nil
		}
		if last || !errors.Is(err, fullcopy.ErrBusy) && !errors.Is(err, fullcopy.ErrUnfit) {
			return "", err
		}
		r.log.Warn("a slave cannot be copied from", "node", from.Name, "error", err)
	}
	return "", nil // nobody to copy from
}

// copied says what a copy came to, and what it lacks.
func copied(from string, result fullcopy.Result) string {
	return strings.Join(append([]string{fmt.Sprintf("it is a copy of %s at %v", from, result.Position)}, result.Notes...), "; note: ")
}

// copySources are those to copy from, in order: a slave that serves reads, so that
// the master's commits need not stand still, and the master.
func copySources(t *cluster.Topology, target cluster.Node) (out []*cluster.Node) {
	for _, i := range t.Readable {
		if s := &t.Nodes[i]; s.Name != target.Name && s.Identity != "" && s.Replication == cluster.ReplicationRunning {
			out = append(out, s)
			break
		}
	}
	if m := t.MasterNode(); m != nil && m.Health == cluster.HealthUp {
		out = append(out, m)
	}
	return out
}

// telling runs a copy and tells its progress.
func telling(ctx context.Context, c *fullcopy.Copy, tell func(string)) (fullcopy.Result, error) {
	ctx, stop := context.WithCancel(ctx)
	var watch sync.WaitGroup
	defer watch.Wait()
	defer stop()
	watch.Go(func() {
		tick := time.NewTicker(tellInterval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				tell(c.Progress().String())
			case <-ctx.Done():
				return
			}
		}
	})
	return c.Run(ctx)
}
