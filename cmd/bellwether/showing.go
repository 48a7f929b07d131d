package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
)

// How often progress is shown: on a terminal in one line, elsewhere a line each.
const (
	terminalInterval = 500 * time.Millisecond
	logInterval      = 10 * time.Second
)

// showing does work and shows how far it is until it ends.
func showing(ctx context.Context, out io.Writer, line func() string, work func(ctx context.Context) error) error {
	interval, format := logInterval, "%s\n"
	if isTerminal(out) {
		interval, format = terminalInterval, "\r\033[K%s"
		defer func() { fmt.Fprint(out, "\r\033[K") }()
	}
	return every(ctx, interval, func() { fmt.Fprintf(out, format, line()) }, work)
}

// every does work, and something else again and again until it ends.
func every(ctx context.Context, interval time.Duration, again func(), work func(ctx context.Context) error) error {
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

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
