package replicator

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/bellwether-db/bellwether/replicator/fullcopy"
)

// A slave that somebody reads from for long cannot be copied from: the master is,
// and not the whole copy refused.
func TestCopyFromTheMasterWhereTheSlaveIsBusy(t *testing.T) {
	worlds(t, 2, func(w *world) {
		busy, target := w.nodes.Nodes[1], w.nodes.Nodes[2]
		w.must(w.nodes.Nodes[0].Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)", "INSERT INTO shop.t VALUES (1)"))
		w.converge()
		w.fence(target, true)
		w.until("a slave that serves reads", func(t *cluster.Topology) bool {
			sources := copySources(t, w.node(target))
			return len(sources) == 2 && sources[0].Name == busy.Name
		})
		defer w.keepBusy(busy)()
		var told []string
		w.must(w.replicator.Copy(w.Context(), w.node(target), func(text string) { told = append(told, text) }))
		if last := told[len(told)-1]; !strings.HasPrefix(last, "it is a copy of node1 at ") || !slices.Contains(told, "copying everything from node2") {
			w.Errorf("told: %q", told)
		}
	})
}

// keepBusy has a statement run for long, or a backup, until it is let go.
func (w *world) keepBusy(n *playground.Node) (letGo func()) {
	conn, err := w.dial(n).Conn(w.Context())
	w.must(err)
	if w.nodes.Flavour == playground.MariaDB {
		_, err := conn.ExecContext(w.Context(), "BACKUP STAGE START")
		w.must(err)
		return func() { _ = conn.Close() }
	}
	ctx, stop := context.WithCancel(w.Context())
	var group sync.WaitGroup
	group.Go(func() { _, _ = conn.ExecContext(ctx, "SELECT SLEEP(120) FROM shop.t") })
	w.until("a statement that runs for long", func(*cluster.Topology) bool {
		found, err := n.Query(w.Context(), "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP(120)%'")
		return err == nil && found == "1"
	})
	return func() {
		stop()
		group.Wait()
		_ = conn.Close()
	}
}

func TestCopiedTellsWhatIsMissing(t *testing.T) {
	set := cluster.EmptyGTIDSet(cluster.FlavourMySQL)
	got := copied("node1", fullcopy.Result{Position: set, Notes: []string{"view v is left out", "another"}})
	if !strings.HasSuffix(got, "; note: view v is left out; note: another") || !strings.HasPrefix(got, "it is a copy of node1 at ") {
		t.Error(got)
	}
}
