package failover

import (
	"context"
	"time"
)

// beside runs something beside the loop that may take long, unless it runs
// already or failed a moment ago. What it returns is carried out in the loop.
func (c *Controller) beside(ctx context.Context, name string, work func(context.Context) func()) {
	if c.running[name] != nil || time.Now().Before(c.again[name]) {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	c.running[name] = cancel
	c.jobs.Go(func() {
		defer cancel()
		after := work(ctx)
		select {
		case c.results <- func() { delete(c.running, name); after() }:
		case <-ctx.Done(): // the loop has ended, or does not want it any more
		}
	})
}
