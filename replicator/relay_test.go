package replicator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
)

// Every write reaches every slave, exactly once, while slaves are killed, the
// network is cut and the replicator itself is ended and begun again.
func TestRelayUnderFaults(t *testing.T) {
	worlds(t, 2, func(w *world) {
		w.must(w.nodes.Nodes[0].Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(40))"))
		stop := make(chan struct{})
		acknowledged := w.writer(stop)
		for round := range 3 {
			slave := w.nodes.Slaves()[rand.IntN(2)]
			w.must(slave.Kill())
			w.nodes.Nodes[0].ResetConnections()
			w.progress()
			w.must(slave.StartServer(w.Context()))
			slave.Cut()
			w.progress()
			slave.Mend()
			if round == 1 {
				w.stop()
				w.start()
			}
			w.progress()
		}
		close(stop)
		rows := acknowledged()
		w.converge()
		if got, err := strconv.Atoi(w.same("SELECT COUNT(*) FROM shop.t")); err != nil || got < rows {
			w.Errorf("%d rows (%v), %d were acknowledged", got, err, rows)
		}
		w.same("SELECT SUM(CRC32(CONCAT(id, v))) FROM shop.t")
	})
}

// progress waits until the stored log has grown by some transactions.
func (w *world) progress() {
	w.Helper()
	before := w.replicator.Status().Stored.Count()
	w.until("the stored log grows", func(*cluster.Topology) bool {
		s := w.replicator.Status().Stored
		return s != nil && s.Count() >= before+20
	})
}

// A commit waits while the replicator is away, is not lost, and is there once
// it is back: policy durable.
func TestCommitsWaitForTheLog(t *testing.T) {
	worlds(t, 1, func(w *world) {
		master := w.nodes.Nodes[0]
		w.must(master.Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)"))
		w.stop()
		db := w.dial(master)
		done := make(chan error, 1)
		go func() {
			_, err := db.ExecContext(context.Background(), "INSERT INTO shop.t VALUES (1)")
			done <- err
		}()
		w.until("the commit waits", func(*cluster.Topology) bool {
			n, err := master.Query(w.Context(), "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'INSERT INTO shop%' AND STATE LIKE '%ACK%'")
			return err == nil && n == "1"
		})
		select {
		case err := <-done:
			w.Fatalf("the commit ended without the log: %v", err)
		default:
		}
		w.start()
		select {
		case err := <-done:
			w.must(err)
		case <-time.After(patience):
			w.Fatal("the commit still waits although the replicator is back")
		}
		w.converge()
		w.same("SELECT GROUP_CONCAT(id) FROM shop.t")
	})
}

// With policy degrade a commit goes on without the log after the stated time,
// the promise is withdrawn until the log has caught up, and holds again then.
func TestDegrade(t *testing.T) {
	worlds(t, 1, func(w *world) {
		master := w.nodes.Nodes[0]
		w.must(master.Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)"))
		w.stop()
		w.config.Policy, w.config.DegradeAfter = PolicyDegrade, 300*time.Millisecond
		w.start()
		w.stop()
		begun := time.Now()
		w.must(master.Exec(w.Context(), "INSERT INTO shop.t VALUES (1)"))
		if took := time.Since(begun); took < w.config.DegradeAfter/2 {
			w.Errorf("the commit did not wait for the log: %v", took)
		}
		w.must(w.replicator.Await(w.Context(), w.position(master)))
		if reason, waits := w.replicator.Unprotected(); reason == "" || waits {
			w.Errorf("without the log: %q, writes wait %t", reason, waits)
		}
		w.start() // and wait until the promise holds again
		w.converge()
		w.same("SELECT GROUP_CONCAT(id) FROM shop.t")
	})
}

// Trap 4: a master that came back without what is stored would give the same
// GTIDs to other transactions, and slaves would skip those in silence. It is
// refused, also after it was written to, and by the next process.
func TestFormerMasterIsRefused(t *testing.T) {
	worlds(t, 0, func(w *world) {
		master := w.nodes.Nodes[0]
		w.must(master.Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)"))
		stored := w.position(master)
		w.must(w.replicator.Await(w.Context(), stored))
		t := w.store.Load()
		w.must(w.replicator.MayOpen(w.Context(), master.Addr(), t.MasterIdentity))
		w.stop()
		forget := []string{"SET GLOBAL rpl_semi_sync_source_enabled = 0", "RESET BINARY LOGS AND GTIDS"}
		if w.nodes.Flavour == playground.MariaDB {
			forget = []string{"SET GLOBAL rpl_semi_sync_master_enabled = 0", "RESET MASTER"}
		}
		w.must(master.Exec(w.Context(), forget...))
		for range 2 {
			w.begin()
			w.until("refused", func(*cluster.Topology) bool {
				return errors.Is(w.replicator.MayOpen(w.Context(), master.Addr(), t.MasterIdentity), ErrFormer)
			})
			if err := w.replicator.Await(w.Context(), stored); !errors.Is(err, ErrFormer) {
				w.Errorf("a write with the GTID of another counts as stored: %v", err)
			}
			w.stop()
			w.must(master.Exec(w.Context(), "DROP DATABASE IF EXISTS shop", "CREATE DATABASE shop", "CREATE DATABASE other"))
			w.must(master.Exec(w.Context(), "DROP DATABASE other"))
		}
	})
}

// Await lets a write go once it is stored, and not before.
func TestAwait(t *testing.T) {
	worlds(t, 0, func(w *world) {
		master := w.nodes.Nodes[0]
		w.must(master.Exec(w.Context(), "CREATE DATABASE shop"))
		w.must(w.replicator.Await(w.Context(), w.position(master)))
		far, err := cluster.ParseGTIDSet(cluster.FlavourMySQL, "00000000-0000-0000-0000-000000000001:1")
		if master := w.position(master); master.Flavour() == cluster.FlavourMariaDB {
			far, err = cluster.ParseGTIDSet(cluster.FlavourMariaDB, fmt.Sprintf("0-1-%d", master.Count()+1))
		}
		w.must(err)
		ctx, cancel := context.WithTimeout(w.Context(), 50*time.Millisecond)
		defer cancel()
		if err := w.replicator.Await(ctx, far); err == nil {
			w.Errorf("%s is said to be stored", far)
		}
	})
}
