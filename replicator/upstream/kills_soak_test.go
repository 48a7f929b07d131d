//go:build soak

package upstream

import (
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/bellwether-db/bellwether/replicator/storedlog"
)

// TestKills breaks connection, server and client at random moments,
// $BELLWETHER_ROUNDS (60) times, under load with semi-synchronous replication.
// In the end the stored log has all that the server has, each transaction once.
func TestKills(t *testing.T) {
	rounds, err := strconv.Atoi(os.Getenv("BELLWETHER_ROUNDS"))
	if err != nil {
		rounds = 60
	}
	onServers(t, func(w *world) {
		w.plugin()
		quiet := slog.New(slog.DiscardHandler)
		c := storedlog.Config{Dir: t.TempDir(), Flavour: w.flavour, ServerID: 4242, FileSize: 1 << 20}
		log, err := storedlog.Open(c, quiet)
		w.must(err)
		start := w.position()
		w.must(log.Seed(start))
		client, end := w.read(w.config(), log)
		off := func() {}
		protect := func() {
			w.eventually("the stream", func() bool { return client.Status().Connected })
			off = w.semiSync()
		}
		protect()
		confirmed := 0
		for round := range rounds {
			stop := w.write(4)
			pause(rand.IntN(200))
			kind := rand.IntN(12)
			switch {
			case kind < 4:
				w.ResetConnections()
			case kind < 6:
				w.Cut()
				pause(rand.IntN(2000))
				w.Mend()
			case kind < 8:
				w.exec("FLUSH BINARY LOGS")
			case kind < 11: // Bellwether itself, as far as this package goes
				end()
				w.must(log.Close())
				log, err = storedlog.Open(c, quiet)
				w.must(err)
				client, end = w.read(w.config(), log)
			default:
				w.crash()
				protect()
			}
			n := stop()
			confirmed += n
			want := w.position()
			w.eventually("everything stored", func() bool { return log.Executed().ContainsSet(want) })
			if t.Failed() {
				t.Fatalf("round %d, kind %d", round, kind)
			}
		}
		w.eventually("the stream", func() bool { return client.Status().Connected })
		off()
		end()
		stored := w.stored(log, start)
		w.Logf("%d rounds, %d rows confirmed, %d transactions stored", rounds, confirmed, stored)
		if stored < confirmed || !log.Executed().Equal(w.position()) {
			w.Errorf("stored %s, the server has %s", log.Executed(), w.position())
		}
		w.must(log.Close())
	})
}
