package replicator

import (
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
)

// A connection may be older than the stored log is open in this process, as after
// a restart, when clients are back before the master was probed: what became of its
// writes is known all the same.
func TestOutcomeOfAConnectionFromBeforeTheLogWasOpen(t *testing.T) {
	worlds(t, 0, func(w *world) {
		master := w.nodes.Nodes[0]
		w.must(master.Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)"))
		w.stop()
		_, err := w.store.Advance(w.store.Load().Generation, func(d *cluster.RoleDraft) error {
			d.ClearMaster()
			return nil
		})
		w.must(err)
		w.begin()
		w.until("the server is not new", func(*cluster.Topology) bool {
			up, err := master.Query(w.Context(), "SELECT VARIABLE_VALUE > 3 FROM "+statusTable(w)+" WHERE VARIABLE_NAME = 'Uptime'")
			return err == nil && up == "1"
		})
		early, err := w.client(w.Context(), master, "early")
		w.must(err)
		idle, err := w.client(w.Context(), master, "idle")
		w.must(err)
		w.open(master)
		w.until("protected", func(*cluster.Topology) bool { return w.replicator.Status().Protected })
		w.must(early.run(w.Context(), "INSERT INTO shop.t VALUES (1)"))
		if o := early.end(); o.State != OutcomeCommitted {
			w.Errorf("a write that was stored: %+v", o)
		}
		if o := idle.end(); o.State != OutcomeNotCommitted {
			w.Errorf("a write that was not made: %+v", o)
		}
	})
}

func statusTable(w *world) string {
	if w.nodes.Flavour == playground.MariaDB {
		return "information_schema.GLOBAL_STATUS"
	}
	return "performance_schema.global_status"
}
