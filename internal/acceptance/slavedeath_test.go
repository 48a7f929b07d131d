package acceptance

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

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
		var group errgroup.Group
		for i := range clients {
			group.Go(func() error { return readUntil(ctx, w, s.schema, i, &reads) })
		}
		awaitReads(t, &reads, 200)
		if err := victim.Kill(); err != nil {
			t.Fatal(err)
		}
		awaitReads(t, &reads, reads.Load()+1000)
		again, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := victim.StartServer(again); err != nil {
			t.Fatal(err)
		}
		awaitReads(t, &reads, reads.Load()+1000)
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

func awaitReads(t *testing.T, reads *atomic.Int64, n int64) {
	t.Helper()
	err := eventually(30*time.Second, func() error {
		if got := reads.Load(); got < n {
			return fmt.Errorf("%d reads, want %d", got, n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// restored waits until a slave that was started again has all that the master
// has, and quietens it again.
func (w *world) restored(addr string) error {
	err := asBoss(addr, func(c *rawclient.Conn) error { return script(c, "", quietSQL(w.flavour)) })
	if err != nil {
		return err
	}
	return eventually(20*time.Second, func() error {
		c := &stage{arena: w.arena()}
		if err := c.connect(); err != nil {
			return err
		}
		defer func() { _ = c.close() }()
		return c.settle()
	})
}
