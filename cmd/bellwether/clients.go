package main

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/bellwether-db/bellwether/failover"
)

// writers are all whose writes a switchover waits for: the clients, and the
// heartbeat. It is safe for concurrent use.
type writers struct{ *house }

var _ failover.Clients = writers{}

// Quiet implements failover.Clients.
func (w writers) Quiet(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return w.proxy.Quiet(ctx) })
	group.Go(func() error { return w.monitor.Still(ctx) })
	return group.Wait()
}
