package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/admin/operation"
	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator"
)

// resyncWait bounds how long a copied slave may take to serve again before the
// next one is taken.
const resyncWait = 10 * time.Minute

// prepareSync copies everything onto the node named, or with "" onto one slave
// after the other.
func (o operations) prepareSync(node string) (operation.Job, error) {
	if feed := o.replicator.Status().Feed; feed != replicator.FeedRelay {
		return operation.Job{}, fmt.Errorf("the feed is %s, where Bellwether does not copy by itself: put the node in maintenance in the configuration, and run bellwether sync NODE", feed)
	}
	targets, err := slavesToTake(o.store.Load(), node)
	if err != nil {
		return operation.Job{}, err
	}
	if node == "" {
		if err := keepsCandidate(o.store.Load(), targets[0]); err != nil {
			return operation.Job{}, err
		}
	}
	says := "everything is copied anew onto " + strings.Join(targets, ", ") + "; they serve nothing meanwhile, and /nodes shows them again when they do"
	return operation.Job{Says: says, Alone: "sync", Cancellable: true, Do: func(ctx context.Context, tell *operation.Teller) (operation.Outcome, error) {
		return o.resync(ctx, targets, node != "", tell)
	}}, nil
}

// keepsCandidate insists on another slave that could become master while one is
// copied to.
func keepsCandidate(t *cluster.Topology, node string) error {
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if n.Name != node && i != t.Master && n.Health == cluster.HealthUp && !n.Fenced && !n.Former && !n.Maintenance && n.Touched == "" {
			return nil
		}
	}
	return fmt.Errorf("%s is not copied to: %w (name it, to do it all the same)", node, errLastCandidate)
}

// slavesToTake returns the slave named, or all of them, those first that serve
// nothing as it is.
func slavesToTake(t *cluster.Topology, node string) ([]string, error) {
	if t.MasterNode() == nil {
		return nil, errors.New("there is no master to copy from")
	}
	if node != "" {
		i := t.Find(node)
		switch {
		case i < 0:
			return nil, fmt.Errorf("there is no node %q", node)
		case i == t.Master:
			return nil, fmt.Errorf("%s is the master: it is what slaves are held against", node)
		}
		return []string{node}, nil
	}
	var slaves []string
	for i := range t.Nodes {
		if i != t.Master {
			slaves = append(slaves, t.Nodes[i].Name)
		}
	}
	if len(slaves) == 0 {
		return nil, errors.New("there is no slave")
	}
	slices.SortStableFunc(slaves, func(a, b string) int {
		return rank(&t.Nodes[t.Find(a)]) - rank(&t.Nodes[t.Find(b)])
	})
	return slaves, nil
}

func rank(n *cluster.Node) int {
	if n.Readable() {
		return 1
	}
	return 0
}

// resync copies to one node after the other; where nobody named it, only while
// another one could become master.
func (o operations) resync(ctx context.Context, targets []string, named bool, tell *operation.Teller) (operation.Outcome, error) {
	for i, node := range targets {
		tell.Progress(float64(i) / float64(len(targets)))
		err := o.step(tell, "copy", node, func() (string, error) {
			if !named {
				if err := keepsCandidate(o.store.Load(), node); err != nil {
					return "", err
				}
			}
			return o.copyTo(ctx, node, tell)
		})
		if err == nil && i+1 < len(targets) && !o.inMaintenance(node) {
			tell.Says(node + ": waiting until it serves again")
			err = o.step(tell, "serve", node, func() (string, error) { return "it serves again", o.serving(ctx, node) })
		}
		if err != nil {
			room(o.log, "sync").Error("sync ended before its end", "node", node, "left", targets[i+1:], "error", err)
			return operation.Outcome{}, err
		}
		room(o.log, "sync").Info("the node is a copy of the master", "node", node)
	}
	tell.Progress(1)
	return operation.Outcome{Says: strings.Join(targets, ", ") + ": copied"}, nil
}

// step is one thing that is done for a node.
func (o operations) step(tell *operation.Teller, step, node string, do func() (string, error)) error {
	end := tell.Begin(step, node)
	says, err := do()
	if err != nil {
		says = ""
	}
	end(says, err)
	return err
}

// copyTo takes a node out of service, copies, and gives it back, unless somebody
// else had put it in maintenance. A node that was left half a copy stays there.
func (o operations) copyTo(ctx context.Context, node string, tell *operation.Teller) (says string, err error) {
	t := o.store.Load()
	i := t.Find(node)
	if i < 0 || i == t.Master {
		return "", fmt.Errorf("copy to %s: it is no slave any more", node)
	}
	equal, err := o.examine(ctx, t.Nodes[i])
	if err != nil {
		return "", err
	}
	if err := o.takeOut(node); err != nil {
		return "", err
	}
	if err := o.replicator.Copy(ctx, t.Nodes[i], func(text string) { says = text; tell.Says(node + ": " + text) }); err != nil {
		return "", fmt.Errorf("%w; it stays in maintenance: sync again goes on from there", err)
	}
	if _, err := equal(); err != nil {
		return "", err
	}
	given, err := o.giveBack(node)
	if err == nil && !given {
		says += "; it stays in maintenance, where somebody has put it"
	}
	return says, err
}

// takeOut puts a node in maintenance, where it is not; or is for a copy that broke
// off.
func (o operations) takeOut(node string) error {
	on, there := true, o.inMaintenance(node)
	err := o.copying.change(func(nodes []string) ([]string, error) {
		if there || slices.Contains(nodes, node) {
			return nodes, nil
		}
		return append(nodes, node), nil
	})
	if err != nil {
		return err
	}
	return o.registry.Set(node, nil, &on)
}

// giveBack ends the maintenance that takeOut has begun, unless somebody has said
// since what is to be of it.
func (o operations) giveBack(node string) (given bool, err error) {
	off := false
	err = o.copying.change(func(nodes []string) ([]string, error) {
		if given = slices.Contains(nodes, node); !given {
			return nodes, nil
		}
		return without(nodes, node), o.registry.Set(node, nil, &off)
	})
	return given || !o.inMaintenance(node), err
}

func (o operations) inMaintenance(node string) bool {
	t := o.store.Load()
	i := t.Find(node)
	return i >= 0 && t.Nodes[i].Maintenance
}

// serving waits until a node serves reads again.
func (o operations) serving(ctx context.Context, node string) error {
	ctx, cancel := context.WithTimeout(ctx, resyncWait)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		t := o.store.Load()
		if i := t.Find(node); i >= 0 && t.Nodes[i].Readable() {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s to serve again: %w", node, ctx.Err())
		case <-tick.C:
		}
	}
}
