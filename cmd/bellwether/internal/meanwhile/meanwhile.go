// Package meanwhile does something again and again beside a piece of work.
package meanwhile

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
)

// Every does work, and something else again and again until it ends.
func Every(ctx context.Context, interval time.Duration, again func(), work func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	group := errgroup.Group{}
	group.Go(func() error {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
				again()
			}
		}
	})
	err := work(ctx)
	cancel()
	_ = group.Wait() // it has no error
	return err
}
