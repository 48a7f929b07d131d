package replicator

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// A master whose binary log is reset while it is read gives GTIDs that are stored to
// other transactions, and nothing in the stream tells. It is refused at once: from then
// on no write counts as stored, also for the next process. One that only gets another
// source besides has lost nothing.
func TestMasterIsResetWhileItIsRead(t *testing.T) {
	worlds(t, 1, func(w *world) {
		master := w.nodes.Nodes[0]
		w.must(master.Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)"))
		for _, row := range []string{"(1)", "(2)", "(3)", "(4)"} {
			w.must(master.Exec(w.Context(), "INSERT INTO shop.t VALUES "+row))
		}
		w.converge()
		w.must(master.Exec(w.Context(), w.either("CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=1 FOR CHANNEL 'besides'", "CHANGE MASTER 'besides' TO MASTER_HOST='127.0.0.1', MASTER_PORT=1")))
		w.probed()
		w.must(master.Exec(w.Context(), "INSERT INTO shop.t VALUES (5)", w.either("RESET REPLICA ALL FOR CHANNEL 'besides'", "RESET SLAVE 'besides' ALL")))
		w.probed()
		stored := w.position(master)
		w.must(w.replicator.Await(w.Context(), stored))
		w.must(master.Exec(w.Context(), w.either("RESET BINARY LOGS AND GTIDS", "RESET MASTER")))
		w.until("it is refused", func(*cluster.Topology) bool { return errors.Is(w.replicator.Await(w.Context(), stored), ErrFormer) })
		for range 2 {
			w.until("it may not be opened", func(*cluster.Topology) bool {
				return errors.Is(w.replicator.MayOpen(w.Context(), master.Addr(), w.store.Load().MasterIdentity), ErrFormer)
			})
			if reason, waits := w.replicator.Unprotected(); reason == "" || !waits {
				w.Errorf("unprotected %q, writes wait %t", reason, waits)
			}
			w.stop()
			w.begin()
		}
	})
}

// probed waits until the master was looked at some times more.
func (w *world) probed() {
	w.Helper()
	for range 3 {
		seen := w.node(w.nodes.Nodes[0]).Seen
		w.until("another look at the master", func(*cluster.Topology) bool { return w.node(w.nodes.Nodes[0]).Seen.After(seen) })
	}
	ctx, cancel := context.WithTimeout(w.Context(), 10*lookInterval+time.Second)
	defer cancel()
	if err := w.replicator.Await(ctx, w.position(w.nodes.Nodes[0])); err != nil {
		w.Errorf("what the master has is not stored: %v", err)
	}
}
