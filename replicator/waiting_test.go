package replicator

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
)

// Commits that wait for the stored log hold up what begins a new binary log or asks for the
// state of the one there is (SHOW MASTER STATUS). Nothing of that may stand between them and
// the stream that ends their wait, nor keep `bellwether check` from its answer.
func TestNothingWaitsBehindCommitsThatWait(t *testing.T) {
	worlds(t, 0, func(w *world) {
		master := w.nodes.Nodes[0]
		w.must(master.Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)"))
		w.must(w.replicator.Await(w.Context(), w.position(master)))
		master.Cut() // Bellwether's way to it, which is not the clients'
		defer master.Mend()
		ctx, cancel := context.WithTimeout(w.Context(), patience)
		defer cancel()
		var clients sync.WaitGroup
		for id := range 4 { // each in a group of its own, so that the second has the log's lock
			clients.Go(func() {
				if err := master.Exec(ctx, fmt.Sprintf("INSERT INTO shop.t VALUES (%d)", id)); err != nil {
					w.Error(err)
				}
			})
			w.until("a commit that waits", func(*cluster.Topology) bool {
				got, err := master.Query(w.Context(), "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'INSERT INTO shop.t%'")
				return err == nil && got == fmt.Sprint(id+1)
			})
		}
		begun := time.Now()
		w.checked(control.Node{Name: "node1", Addr: master.DirectAddr()})
		master.Mend()
		clients.Wait()
		if took := time.Since(begun); took > orderTimeout/2 {
			w.Errorf("the check and then the commits took %v", took)
		}
	})
}

// checked looks at a node as `bellwether check` does.
func (w *world) checked(n control.Node) {
	w.Helper()
	c, err := control.Connect(w.Context(), n, w.replicator.settings().Nodes)
	w.must(err)
	defer func() { _ = c.Close() }()
	_, err = c.Check(w.Context(), cluster.Account{})
	w.must(err)
}
