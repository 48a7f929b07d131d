package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/config"
	"github.com/bellwether-db/bellwether/failover"
	"github.com/bellwether-db/bellwether/router"
)

// observeTimeout bounds how long explain looks at the nodes.
const observeTimeout = 10 * time.Second

// observed returns the topology as the nodes show it now, and the rules of the
// configuration. It changes nothing on the nodes and nothing in state_dir.
func observed(ctx context.Context, path string) (*cluster.Topology, *router.Rules, error) {
	c, err := config.Load(path)
	if err != nil {
		return nil, nil, err
	}
	wanted, err := withRecordedMaster(c)
	if err != nil {
		return nil, nil, err
	}
	store := cluster.NewStore(&cluster.Topology{Master: -1})
	if _, err := cluster.NewRegistry(store).Apply(wanted); err != nil {
		return nil, nil, err
	}
	if _, err := store.Advance(store.Load().Generation, func(d *cluster.RoleDraft) error {
		d.SetWrites(cluster.WritesOpen, "")
		return d.SetMaster(wanted.MasterName(), "")
	}); err != nil {
		return nil, nil, err
	}
	monitor := cluster.NewMonitor(store, wanted, slog.New(slog.DiscardHandler), nil)
	if err := watchUntil(ctx, monitor, func() bool { return seen(store.Load()) }); err != nil {
		return nil, nil, fmt.Errorf("look at the nodes: %w: %s", err, unready(store.Load()))
	}
	return store.Load(), c.Rules(), nil
}

// watchUntil probes until done is true, and returns an error if that does not
// come in time.
func watchUntil(ctx context.Context, monitor *cluster.Monitor, done func() bool) error {
	bounded, cancel := context.WithTimeout(ctx, observeTimeout)
	defer cancel()
	watching, stop := context.WithCancel(bounded)
	group, watching := errgroup.WithContext(watching)
	group.Go(func() error { return monitor.Run(watching) })
	group.Go(func() error {
		defer stop()
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for !done() {
			select {
			case <-watching.Done():
				return bounded.Err()
			case <-tick.C:
			}
		}
		return nil
	})
	return group.Wait()
}

// seen reports whether every node has been probed and the schemas read.
func seen(t *cluster.Topology) bool {
	for i := range t.Nodes {
		if t.Nodes[i].Health == cluster.HealthUnknown {
			return false
		}
	}
	return t.Catalogue.Known
}

// unready says for people what keeps the nodes from serving.
func unready(t *cluster.Topology) string {
	var reasons []string
	if t.Writes != cluster.WritesOpen {
		reasons = append(reasons, strings.TrimSuffix(fmt.Sprintf("writes are %s: %s", t.Writes, t.WritesReason), ": "))
	}
	for i := range t.Nodes {
		node := &t.Nodes[i]
		if problem := node.Problem; problem != "" || node.Health != cluster.HealthUp {
			reasons = append(reasons, strings.TrimSuffix(fmt.Sprintf("%s at %s is %s: %s", node.Name, node.Addr, node.Health, problem), ": "))
		}
	}
	if len(reasons) == 0 && !t.Catalogue.Known {
		reasons = append(reasons, "the schemas could not be read")
	}
	return strings.Join(reasons, "; ")
}

// withRecordedMaster is what the file says of the nodes, with the master that
// state_dir records: the file's is that of the first start.
func withRecordedMaster(c *config.File) (cluster.Config, error) {
	wanted := c.ClusterConfig()
	recorded, err := failover.Recorded(c.StateDir)
	if err != nil || recorded.Master == "" {
		return wanted, err
	}
	for i := range wanted.Nodes {
		wanted.Nodes[i].Master = wanted.Nodes[i].Name == recorded.Master
	}
	return wanted, nil
}
