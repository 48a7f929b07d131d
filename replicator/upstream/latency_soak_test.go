//go:build soak

package upstream

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
)

// measure has writers commit for a while and returns how long each commit took.
func (w *world) measure(writers int, d time.Duration) []time.Duration {
	ctx, cancel := context.WithTimeout(w.Context(), d)
	defer cancel()
	var running sync.WaitGroup
	took := make([][]time.Duration, writers)
	for i := range writers {
		conn, err := w.db.Conn(w.Context())
		w.must(err)
		running.Go(func() {
			defer conn.Close()
			for ctx.Err() == nil {
				begun := time.Now()
				if _, err := conn.ExecContext(w.Context(), "INSERT INTO up.t (v) VALUES (REPEAT('m', 200))"); err != nil {
					w.Error(err)
					return
				}
				took[i] = append(took[i], time.Since(begun))
			}
		})
	}
	running.Wait()
	return slices.Concat(took...)
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// TestCommitLatency prints what a commit costs that waits until it is stored,
// against one that waits for nobody: the median over interleaved rounds. What one
// costs that waits for a reply, and nothing is written to a disk for it, is the
// server's own part of that.
func TestCommitLatency(t *testing.T) {
	for _, f := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(f.String(), func(t *testing.T) {
			c := playground.ForTest(t, playground.Options{Flavour: f})
			w := &world{T: t, Node: c.Master, cluster: c, flavour: flavours[f]}
			w.db = w.open()
			defer w.db.Close()
			w.must(c.OpenMaster(t.Context(), c.Master))
			w.exec("CREATE DATABASE up", "CREATE TABLE up.t (id BIGINT AUTO_INCREMENT PRIMARY KEY, w INT, v LONGBLOB)")
			w.plugin()
			for _, writers := range []int{1, 4, 16} {
				w.compare(writers)
			}
		})
	}
}

// Rounds are short and many, so that whatever else the machine does concerns both
// kinds alike.
const (
	latencyRounds = 25
	latencyRound  = 200 * time.Millisecond
)

func (w *world) compare(writers int) {
	var alone, stored, kept []time.Duration
	var s Status
	w.measure(writers, time.Second) // warm up
	for range latencyRounds {
		alone = append(alone, w.measure(writers, latencyRound)...)
		log, err := storedlog.Open(storedlog.Config{Dir: w.TempDir(), Flavour: w.flavour, ServerID: 4242}, slog.New(slog.DiscardHandler))
		w.must(err)
		w.must(log.Seed(w.position()))
		took, now := w.acknowledged(writers, log)
		stored = append(stored, took...)
		s.Transactions, s.Syncs, s.SyncTime = s.Transactions+now.Transactions, s.Syncs+now.Syncs, s.SyncTime+now.SyncTime
		w.must(log.Close())
		took, _ = w.acknowledged(writers, w.here())
		kept = append(kept, took...)
	}
	a, b, m := median(alone), median(stored), median(kept)
	w.Logf("%2d writers: alone %s (of %d), stored %s (of %d), ratio %.2f; kept in memory %s, ratio %.2f; %d transactions in %d syncs of %s each",
		writers, a, len(alone), b, len(stored), float64(b)/float64(a), m, float64(m)/float64(a), s.Transactions, s.Syncs, s.SyncTime/time.Duration(max(1, s.Syncs)))
}

// acknowledged measures commits that wait until a sink has them.
func (w *world) acknowledged(writers int, sink Sink) ([]time.Duration, Status) {
	w.Helper()
	config := w.config()
	config.TLS = 0
	client, end := w.read(config, sink)
	defer end()
	w.eventually("the stream", func() bool { return client.Status().Connected })
	defer w.semiSync()()
	w.measure(writers, latencyRound/10)
	took := w.measure(writers, latencyRound)
	return took, client.Status()
}
