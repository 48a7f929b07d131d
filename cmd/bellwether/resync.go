package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/bellwether-db/bellwether/admin"
	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator"
)

// resyncWait bounds how long a copied slave may take to serve again before the
// next one is taken.
const resyncWait = 10 * time.Minute

// resync copies slaves anew for /sync, one after the other and one order at a
// time. It is safe for concurrent use; Run carries out what is ordered.
type resync struct {
	house *house
	log   *slog.Logger
	// ordered hands over the nodes; who has put something in is the order that runs.
	ordered chan []string

	mu   sync.Mutex
	told string // how far it is; "" while none runs
}

var _ admin.Resyncer = (*resync)(nil)

func newResync(h *house) *resync {
	return &resync{house: h, log: room(h.log, "sync"), ordered: make(chan []string, 1)}
}

// Resync implements admin.Resyncer.
func (r *resync) Resync(_ context.Context, node string) (string, error) {
	if feed := r.house.replicator.Status().Feed; feed != replicator.FeedRelay {
		return "", fmt.Errorf("the feed is %s: run bellwether sync", feed)
	}
	targets, err := resyncTargets(r.house.store.Load(), node)
	if err != nil {
		return "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.told != "" {
		return "", errors.New("a sync is under way: " + r.told)
	}
	r.told = "it has not begun yet"
	r.ordered <- targets // there is room: no other order is under way
	return "everything is copied anew onto " + strings.Join(targets, ", ") + "; they serve nothing meanwhile, and /nodes shows them again when they do", nil
}

// resyncTargets returns the nodes to copy to: the one named, or all slaves.
func resyncTargets(t *cluster.Topology, node string) ([]string, error) {
	if t.MasterNode() == nil {
		return nil, errors.New("there is no master to copy from")
	}
	if node != "" {
		i := t.Find(node)
		switch {
		case i < 0:
			return nil, fmt.Errorf("there is no node %q", node)
		case i == t.Master:
			return nil, fmt.Errorf("%s is the master: it is what slaves are copied from", node)
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
	return slaves, nil
}

// Run carries out orders until ctx ends.
func (r *resync) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case targets := <-r.ordered:
			for i, node := range targets {
				err := r.copy(ctx, node)
				if err == nil && i+1 < len(targets) {
					err = r.serving(ctx, node)
				}
				if err != nil {
					r.log.Error("sync ended before its end", "node", node, "left", targets[i+1:], "error", err)
					break
				}
				r.log.Info("the node is a copy of the master", "node", node)
			}
			r.tell("")
		}
	}
}

// copy takes a node out of service, copies, and gives it back. A node that was
// left half a copy stays in maintenance.
func (r *resync) copy(ctx context.Context, node string) error {
	t := r.house.store.Load()
	i := t.Find(node)
	if i < 0 || i == t.Master {
		return fmt.Errorf("copy to %s: it is no slave any more", node)
	}
	on, off := true, false
	before, equal := t.Nodes[i].Maintenance, r.house.registry.Examine(node)
	if err := r.house.registry.Set(node, nil, &on); err != nil {
		return err
	}
	if err := r.house.replicator.Copy(ctx, t.Nodes[i], func(text string) { r.tell(node + ": " + text) }); err != nil {
		return fmt.Errorf("%w; it stays in maintenance: /sync again goes on from there", err)
	}
	if _, err := equal(); err != nil { // what was changed there by hand is gone
		return err
	}
	if before {
		return nil
	}
	return r.house.registry.Set(node, nil, &off)
}

// serving waits until a node serves reads again.
func (r *resync) serving(ctx context.Context, node string) error {
	ctx, cancel := context.WithTimeout(ctx, resyncWait)
	defer cancel()
	r.tell(node + ": waiting until it serves again")
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		t := r.house.store.Load()
		for _, i := range t.Readable {
			if t.Nodes[i].Name == node {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s to serve again: %w", node, ctx.Err())
		case <-tick.C:
		}
	}
}

func (r *resync) tell(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = text
}
