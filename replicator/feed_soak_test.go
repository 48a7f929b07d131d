//go:build soak

package replicator

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// The feed changes at random moments, in the middle of a change of it as well, and
// the replicator is ended and begun again: nothing is lost, and no commit waits
// for nobody.
func TestFeedChaos(t *testing.T) {
	worlds(t, 2, func(w *world) {
		w.must(w.nodes.Nodes[0].Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(40))"))
		w.config.Direct = cluster.Account{User: w.nodes.Replication.User, Password: w.nodes.Replication.Password}
		stop := make(chan struct{})
		acknowledged := w.writer(stop)
		for i := range 16 {
			if w.config.Feed == FeedRelay {
				w.config.Feed = FeedDirect
			} else {
				w.config.Feed = FeedRelay
			}
			w.Logf("round %d: %v", i, w.config.Feed)
			switch rand.IntN(3) {
			case 0:
				w.replicator.Configure(w.config)
				w.hold(time.Duration(rand.IntN(1500)) * time.Millisecond)
				w.stop()
				w.begin()
			case 1:
				w.replicator.Configure(w.config)
			case 2:
				w.stop()
				w.begin()
			}
			w.hold(time.Duration(rand.IntN(1500)) * time.Millisecond)
		}
		w.feed(FeedRelay)
		w.until("protected", func(*cluster.Topology) bool { return w.replicator.Status().Protected })
		w.feed(FeedDirect)
		w.wantDirect()
		w.feed(FeedRelay)
		close(stop)
		rows := acknowledged()
		w.converge()
		if got, err := strconv.Atoi(w.same("SELECT COUNT(*) FROM shop.t")); err != nil || got != rows {
			w.Errorf("%d rows (%v), %d were acknowledged", got, err, rows)
		}
		w.same("SELECT SUM(CRC32(CONCAT(id, v))) FROM shop.t")
	})
}

// hold lets time pass until the moment of the next change.
func (w *world) hold(d time.Duration) {
	select {
	case <-time.After(d):
	case <-w.Context().Done():
	}
}
