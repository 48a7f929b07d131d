package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/running"
	"github.com/bellwether-db/bellwether/config"
	"github.com/bellwether-db/bellwether/replicator/control"
)

// letGoPatience is how long a Bellwether that runs may take to let go of a node:
// what it is doing there comes to its end first.
const letGoPatience = 30 * time.Second

// errKept is why a node is not copied to.
var errKept = errors.New("the bellwether that runs still keeps its replication")

// letGo has the Bellwether that runs on a configuration read it again, in which
// these nodes are in maintenance, and waits until it acts on none of them any
// more: it reports the replication of each slave that it keeps.
func letGo(ctx context.Context, c *config.File, nodes []control.Node) error {
	calls, err := running.Of(c)
	if err != nil {
		return err
	}
	if err := calls.Reload(ctx); err != nil {
		return fmt.Errorf("have the configuration read, in which the node is in maintenance: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, letGoPatience)
	defer cancel()
	tick := time.NewTicker(awaitInterval)
	defer tick.Stop()
	for {
		name, err := keeps(ctx, calls, nodes)
		if err == nil && name == "" {
			return nil
		}
		select {
		case <-tick.C:
			continue
		case <-ctx.Done():
		}
		if err != nil || errors.Is(ctx.Err(), context.Canceled) {
			return errors.Join(err, ctx.Err())
		}
		return fmt.Errorf("node %s: %w after %v; was it started with another configuration than %s?", name, errKept, letGoPatience, c.Path())
	}
}

// keeps names one of the nodes whose replication Bellwether keeps, "" if there is
// none.
func keeps(ctx context.Context, b running.Bellwether, nodes []control.Node) (string, error) {
	body, err := b.Get(ctx, "/metrics")
	if err != nil {
		return "", err
	}
	for _, n := range nodes {
		if strings.Contains(string(body), fmt.Sprintf("\nbellwether_replication_slave{node=%q,", n.Name)) {
			return n.Name, nil
		}
	}
	return "", nil
}
