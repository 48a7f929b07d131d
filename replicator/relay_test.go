package replicator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
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

// While the network is away with policy degrade, writes go on, are counted, and the promise
// is withdrawn, where one asks and in the metrics, until it holds again.
func TestPromiseIsWithdrawn(t *testing.T) {
	worlds(t, 0, func(w *world) {
		master := w.nodes.Nodes[0]
		w.must(master.Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)"))
		w.stop()
		w.config.Policy, w.config.DegradeAfter = PolicyDegrade, 300*time.Millisecond
		w.start()
		w.promises(true, 0)
		master.Cut()
		defer master.Mend()
		w.must(master.Exec(w.Context(), "INSERT INTO shop.t VALUES (1)"))
		w.must(w.replicator.Await(w.Context(), w.position(master)))
		w.promises(false, 1)
		master.Mend()
		w.promises(true, 1)
	})
}

// The disk of the stored log hangs, and the stream does not break for that: the promise is
// withdrawn all the same once the master goes on without it.
func TestPromiseIsWithdrawnWhileTheDiskHangs(t *testing.T) {
	worlds(t, 0, func(w *world) {
		master := w.nodes.Nodes[0]
		w.must(master.Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)"))
		w.stop()
		w.config.Policy, w.config.DegradeAfter = PolicyDegrade, 300*time.Millisecond
		w.start()
		sink := w.replicator.relay.Load().sink
		sink.mu.Lock() // no call of the disk begins
		goes := sync.OnceFunc(sink.mu.Unlock)
		defer goes()
		w.must(master.Exec(w.Context(), "INSERT INTO shop.t VALUES (1)"))
		w.promises(false, 0)
		if s := w.replicator.Status(); !s.Upstream.Connected {
			w.Errorf("the stream is broken: %+v", s.Upstream)
		}
		goes()
		w.promises(true, 0)
	})
}

// Somebody switches the waiting off on a master that runs, or bounds it: it is as it was again.
func TestCommitsWaitAgain(t *testing.T) {
	worlds(t, 0, func(w *world) {
		master, name := w.nodes.Nodes[0], w.either("rpl_semi_sync_source_enabled", "rpl_semi_sync_master_enabled")
		for range 2 { // the first time something else may have it looked at
			w.must(master.Exec(w.Context(), "SET GLOBAL "+name+" = OFF"))
			w.until("commits wait again", func(*cluster.Topology) bool {
				on, err := master.Query(w.Context(), "SELECT @@GLOBAL."+name)
				return err == nil && on == "1"
			})
		}
		timeout := w.either("rpl_semi_sync_source_timeout", "rpl_semi_sync_master_timeout")
		w.must(master.Exec(w.Context(), "SET GLOBAL "+timeout+" = 1000"))
		w.until("commits wait without a bound again", func(*cluster.Topology) bool {
			got, err := master.Query(w.Context(), "SELECT @@GLOBAL."+timeout)
			return err == nil && len(got) >= 10
		})
	})
}

// The next file of the stored log cannot be made: nothing is acknowledged until the log
// has recovered, and then everything goes on.
func TestStoredLogRecovers(t *testing.T) {
	worlds(t, 0, func(w *world) {
		master := w.nodes.Nodes[0]
		w.must(master.Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)"))
		files, err := storedlog.List(w.config.StoredLog(), nil)
		w.must(err)
		var number int
		_, err = fmt.Sscanf(files[len(files)-1].Name, "bellwether.%d", &number)
		w.must(err)
		inTheWay := filepath.Join(w.config.StoredLog(), fmt.Sprintf("bellwether.%06d", number+1))
		w.must(os.WriteFile(inTheWay, []byte("not ours"), 0o600))
		w.must(master.Exec(w.Context(), "FLUSH BINARY LOGS"))
		ctx, cancel := context.WithTimeout(w.Context(), patience)
		defer cancel()
		w.must(master.Exec(ctx, "INSERT INTO shop.t VALUES (1)"))
		w.must(w.replicator.Await(ctx, w.position(master)))
		w.until("protected again", func(*cluster.Topology) bool { return w.replicator.Status().Protected })
	})
}

// promises waits until the promise holds or not, and so many writes went on without it.
func (w *world) promises(holds bool, writes float64) {
	w.Helper()
	metrics := prometheus.NewRegistry()
	w.must(metrics.Register(NewMetrics(w.replicator)))
	w.until(fmt.Sprintf("the promise holds: %t, after %v writes", holds, writes), func(*cluster.Topology) bool {
		families, err := metrics.Gather()
		w.must(err)
		values := map[string]float64{}
		for _, f := range families {
			m := f.GetMetric()[0]
			values[f.GetName()] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
		reason, waits := w.replicator.Unprotected()
		return (reason == "") == holds && !waits && values["bellwether_replication_protected"] == number(holds) && values["bellwether_replication_unprotected_writes_total"] == writes
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
