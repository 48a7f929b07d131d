package replicator

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// A write that its server had and that was not stored is lost with it, also where
// the next master gives its number to another one.
func TestAwaitOfAWriteThatIsLost(t *testing.T) {
	worlds(t, 1, func(w *world) {
		from, to := w.nodes.Nodes[0], w.nodes.Nodes[1]
		w.must(from.Exec(w.Context(), "CREATE DATABASE shop"))
		w.converge()
		end := w.position(from)
		next := cluster.EmptyGTIDSet(end.Flavour()).With(w.after(end))
		done := make(chan error, 1)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		go func() { done <- w.replicator.Await(ctx, next) }()
		select {
		case err := <-done:
			w.Fatalf("%v is said to be stored: %v", next, err)
		case <-time.After(100 * time.Millisecond):
		}
		w.must(from.Kill())
		w.failOver(to, from)
		w.must(to.Exec(w.Context(), "CREATE DATABASE other", "CREATE DATABASE another"))
		if err := <-done; !errors.Is(err, ErrLost) {
			w.Errorf("a write that is lost: %v", err)
		}
	})
}

// after is the GTID that the master would give next.
func (w *world) after(end *cluster.GTIDSet) cluster.GTID {
	if end.Flavour() == cluster.FlavourMariaDB {
		g := end.Domains()[0]
		g.Number++
		return g
	}
	g, err := cluster.ParseGTID(cluster.FlavourMySQL, w.node(w.nodes.Nodes[0]).Identity+":1000")
	w.must(err)
	return g
}
