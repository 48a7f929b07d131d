package acceptance

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/bellwether-db/bellwether/internal/acceptance/rawclient"
)

// TestSlaveDiesUnderReads kills a slave as kill -9 does while clients read on
// pooled connections, and wants no client to notice; then it comes back.
func TestSlaveDiesUnderReads(t *testing.T) {
	const clients = 8
	onEachFlavour(t, func(t *testing.T, w *world) {
		s := w.stage(t, "accdead")
		victim := w.cluster.Slaves()[1]
		var reads atomic.Int64
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		group, ctx := errgroup.WithContext(ctx) // ends when a reader notices, too
		for i := range clients {
			group.Go(func() error { return readUntil(ctx, w, s.schema, i, &reads) })
		}
		awaitReads := func(n int64) {
			if err := eventually(func() error { return enough(ctx, &reads, n) }); err != nil {
				stop()
				t.Fatal(errors.Join(err, group.Wait()))
			}
		}
		awaitReads(200)
		if err := victim.Kill(); err != nil {
			t.Fatal(err)
		}
		awaitReads(reads.Load() + 1000)
		again, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if err := victim.StartServer(again); err != nil {
			t.Fatal(err)
		}
		awaitReads(reads.Load() + 1000)
		stop()
		if err := group.Wait(); err != nil {
			t.Errorf("a reader noticed: %v", err)
		}
		t.Logf("%d reads", reads.Load())
		if err := w.restored(victim.Addr()); err != nil {
			t.Error(err)
		}
	})
}

// readUntil reads as one client, text and prepared, until the context ends.
func readUntil(ctx context.Context, w *world, schema string, i int, reads *atomic.Int64) error {
	c, err := open(w.proxy.proxyAddr, client{schema: true, deprecateEOF: i%2 == 0}, schema)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	if _, err := step("!prepare h SELECT b FROM t1 WHERE id = ?").run(c); err != nil {
		return err
	}
	for n := 0; ctx.Err() == nil; n++ {
		s := step(fmt.Sprintf("SELECT id, b FROM t1 WHERE id <= %d ORDER BY id", n%5))
		if n%3 == 0 {
			s = step(fmt.Sprintf("!execute h i:%d", 1+n%5))
		}
		answer, err := s.run(c)
		if err != nil || answer.Err() != "" {
			return fmt.Errorf("client %d, read %d: %w %s", i, n, err, answer.Err())
		}
		reads.Add(1)
	}
	return nil
}

// enough is an error until there are so many reads; once nobody reads any more
// it does not wait for them.
func enough(ctx context.Context, reads *atomic.Int64, n int64) error {
	if got := reads.Load(); got < n && ctx.Err() == nil {
		return fmt.Errorf("%d reads, want %d", got, n)
	}
	return nil
}

// restored waits until a slave that was started again has all that the master
// has, and quietens it again.
func (w *world) restored(addr string) error {
	err := asBoss(addr, func(c *rawclient.Conn) error { return script(c, "", quietSQL(w.flavour)) })
	if err != nil {
		return err
	}
	return eventually(func() error {
		c := &stage{arena: w.arena()}
		if err := c.connect(); err != nil {
			return err
		}
		defer func() { _ = c.close() }()
		return c.settle()
	})
}
