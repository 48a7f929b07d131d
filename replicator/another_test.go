package replicator

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
	"github.com/bellwether-db/bellwether/replicator/upstream"
)

// A commit that another semi-synchronous replica has acknowledged, so that the master
// says OK, is stored no sooner for that: its client hears nothing before it is.
func TestAnotherReplicaAcknowledges(t *testing.T) {
	worlds(t, 0, func(w *world) {
		master := w.nodes.Nodes[0]
		w.must(master.Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)"))
		other := w.another()
		w.must(w.replicator.Await(w.Context(), w.position(master)))
		master.Cut() // Bellwether's way to it, which is neither the other's nor the client's
		defer master.Mend()
		ctx, cancel := context.WithTimeout(w.Context(), patience)
		defer cancel()
		w.must(master.Exec(ctx, "INSERT INTO shop.t VALUES (1)")) // which waits for an acknowledgement
		written := w.position(master)
		if !other.Executed().ContainsSet(written) {
			w.Fatalf("nobody acknowledged %s", written)
		}
		soon, cancel := context.WithTimeout(w.Context(), 500*time.Millisecond)
		defer cancel()
		if err := w.replicator.Await(soon, written); err == nil || w.replicator.Stored().ContainsSet(written) {
			w.Errorf("%s counts as stored: %v", written, err)
		}
		master.Mend()
		w.must(w.replicator.Await(w.Context(), written))
	})
}

// another follows the master past Bellwether and acknowledges, to the end of the test.
func (w *world) another() *storedlog.Log {
	w.Helper()
	master := w.nodes.Nodes[0]
	log := slog.New(slog.DiscardHandler)
	kept, err := storedlog.Open(storedlog.Config{Dir: w.TempDir(), Flavour: w.position(master).Flavour(), ServerID: 77}, log)
	w.must(err)
	w.must(kept.Seed(w.position(master)))
	c := w.replicator.upstreamOf(identity{ServerID: 77, UUID: "77777777-7777-7777-7777-777777777777"}, sourceAt(w.node(master)))
	c.Addr, c.SemiSync = master.DirectAddr(), true
	client := upstream.New(c, kept, log)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = client.Run(ctx) })
	w.Cleanup(func() { cancel(); running.Wait(); _ = kept.Close() })
	w.until("another replica follows", func(*cluster.Topology) bool { return client.Status().Connected && client.Status().SemiSync })
	return kept
}
