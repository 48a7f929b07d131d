package replicator

import (
	"context"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
)

// Somebody switches the master's checksums off: no commit waits any longer for that, the
// slaves get everything, and Bellwether switches them on again; also where it was not there
// when it happened, and a commit waits for it. On MySQL that very statement would wait
// behind the commit, every login behind the statement, and nobody for the end of it.
func TestChecksumsSwitchedOff(t *testing.T) {
	worlds(t, 1, func(w *world) {
		master := w.nodes.Nodes[0]
		w.must(master.Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(40))"))
		stop := make(chan struct{})
		acknowledged := w.writer(stop)
		w.progress()
		w.must(master.Exec(w.Context(), "SET GLOBAL binlog_checksum = NONE"))
		w.checksums()
		w.progress()
		close(stop)
		rows := acknowledged()
		w.stop()
		w.must(master.Exec(w.Context(), "SET GLOBAL binlog_checksum = NONE"))
		done := make(chan error, 1)
		go func() {
			done <- master.Exec(context.WithoutCancel(w.Context()), "INSERT INTO shop.t VALUES (0, 'waits')")
		}()
		w.until("the commit waits", func(*cluster.Topology) bool {
			n, err := master.Query(w.Context(), "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'INSERT INTO shop%' AND STATE LIKE '%ACK%'")
			return err == nil && n == "1"
		})
		w.start()
		w.must(<-done)
		w.checksums()
		w.converge()
		w.same("SELECT CONCAT(COUNT(*), SUM(CRC32(CONCAT(id, v)))) FROM shop.t")
		w.Logf("%d rows", rows)
	})
}

// checksums waits until the master has them again.
func (w *world) checksums() {
	w.Helper()
	w.until("the master writes checksums", func(*cluster.Topology) bool {
		value, err := w.nodes.Nodes[0].Query(w.Context(), "SELECT @@GLOBAL.binlog_checksum")
		return err == nil && value == "CRC32" && !w.replicator.Status().Upstream.NoChecksums
	})
}
