package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
)

const (
	// restartAfter is how long a server of the demo stays dead: long enough to
	// see that another one is the master meanwhile.
	restartAfter = 3 * time.Second
	// restartPatience bounds one start of a server.
	restartPatience = time.Minute
)

// turns lets several goroutines write to one place, each line whole. It may be
// used concurrently.
type turns struct {
	mu sync.Mutex
	to io.Writer
}

// Write writes once nobody else does.
func (w *turns) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(b)
}

// supervise starts servers again that have ended, as a service manager does,
// and tells who is master, until ctx ends.
func (d *demoRun) supervise(ctx context.Context, h *house, servers *playground.Cluster) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, n := range servers.Nodes {
		group.Go(func() error { d.keepAlive(ctx, h, servers, n); return nil })
	}
	group.Go(func() error { d.tellMaster(ctx, h.store); return nil })
	return group.Wait()
}

// keepAlive starts one server again whenever it has ended.
func (d *demoRun) keepAlive(ctx context.Context, h *house, servers *playground.Cluster, n *playground.Node) {
	for {
		how, err := n.AwaitEnd(ctx)
		if err != nil {
			return // ctx has ended
		}
		if d.options.noRestart {
			fmt.Fprintf(d.out, "%s  %s has ended (%s). --no-restart: it stays dead.\n", clock(), n.Name, how)
			return
		}
		fmt.Fprintf(d.out, "%s  %s has ended (%s). The demo starts it again in %v, as a service manager would.\n", clock(), n.Name, how, restartAfter)
		d.restart(ctx, h, servers, n)
		if ctx.Err() != nil {
			return
		}
	}
}

// restart tries until the server runs or ctx ends.
func (d *demoRun) restart(ctx context.Context, h *house, servers *playground.Cluster, n *playground.Node) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(restartAfter):
		}
		err := startAgain(ctx, n)
		if err == nil {
			err = writeWhole(d.folder.environment(), d.environment(h, servers)) // for its new process id
		}
		if ctx.Err() != nil {
			return
		}
		if n.PID() != 0 {
			fmt.Fprintf(d.out, "%s  %s runs again, process %d.\n", clock(), n.Name, n.PID())
		}
		if err == nil {
			return
		}
		fmt.Fprintf(d.out, "%s  %s: %v\n", clock(), n.Name, err)
	}
}

func startAgain(ctx context.Context, n *playground.Node) error {
	if n.PID() != 0 {
		return nil // it runs, and what failed was to write so
	}
	ctx, cancel := context.WithTimeout(ctx, restartPatience)
	defer cancel()
	return n.StartServer(ctx)
}

// tellMaster says whenever another node has become the master, and takes writes.
func (d *demoRun) tellMaster(ctx context.Context, store *cluster.Store) {
	last := ""
	for {
		t := store.Load()
		if m := t.MasterNode(); m != nil && t.Writes == cluster.WritesOpen && m.Name != last {
			if last != "" {
				fmt.Fprintf(d.out, "%s  %s is the master now, in the place of %s.\n", clock(), m.Name, last)
			}
			last = m.Name
		}
		select {
		case <-ctx.Done():
			return
		case <-t.Replaced():
		}
	}
}

// clock is the time of day, for lines that people read.
func clock() string { return time.Now().Format("15:04:05.000") }
