package upstream

import (
	"context"
	"encoding/binary"
	"log/slog"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
)

var _ Sink = (*storedlog.Log)(nil)

// With the log that it is made for: what was committed under cuts is in the
// files afterwards, each transaction once.
func TestIntoTheStoredLog(t *testing.T) {
	onServers(t, func(w *world) {
		w.plugin()
		c := storedlog.Config{Dir: t.TempDir(), Flavour: w.flavour, ServerID: 4242, FileSize: 1 << 20}
		quiet := slog.New(slog.DiscardHandler)
		log, err := storedlog.Open(c, quiet)
		w.must(err)
		start := w.position()
		w.must(log.Seed(start))
		client, end := w.read(w.config(), log)
		w.eventually("the stream", func() bool { return client.Status().Connected })
		off := w.semiSync()
		n := 0
		w.commits(4, 30, func(g cluster.GTID) {
			if !log.Executed().Contains(g) {
				w.Errorf("%s was confirmed and is not stored", g)
			}
		})
		w.ResetConnections()
		w.exec("INSERT INTO up.t (v) VALUES (REPEAT('h', 5000000))", "FLUSH BINARY LOGS", "INSERT INTO up.t (w) VALUES (1)")
		want := w.position()
		w.eventually("everything stored", func() bool { return log.Executed().ContainsSet(want) })
		off()
		end()
		w.must(log.Close())

		log, err = storedlog.Open(c, quiet)
		w.must(err)
		defer log.Close()
		if !log.Executed().Equal(want) {
			w.Errorf("stored %s, the server has %s", log.Executed(), want)
		}
		if n = w.stored(log, start); n != 4*30+2 {
			w.Errorf("%d transactions are stored", n)
		}
	})
}

// stored counts the pieces' transactions by reading the log from a set on.
func (w *world) stored(log *storedlog.Log, from *cluster.GTIDSet) int {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 20*time.Second)
	defer cancel()
	reader, err := log.Read(from)
	w.must(err)
	defer reader.Close()
	count := transactionCounter{}
	for want := log.Executed(); !count.have(from).ContainsSet(want); {
		p, err := reader.Next(ctx)
		w.must(err)
		w.must(count.piece(p))
	}
	return len(count.order)
}

// transactionCounter follows the transactions of a log's pieces.
type transactionCounter struct {
	tracker *event.Tracker
	order   []cluster.GTID
}

func (c *transactionCounter) have(from *cluster.GTIDSet) *cluster.GTIDSet {
	for _, g := range c.order {
		from = from.With(g)
	}
	return from
}

func (c *transactionCounter) piece(p storedlog.Piece) error {
	if p.Start {
		f, err := event.ParseFormat(p.Format)
		c.tracker = event.NewTracker(f)
		return err
	}
	for rest := p.Events; len(rest) > 0; {
		size := binary.LittleEndian.Uint32(rest[9:])
		e, err := event.Check(rest[:size])
		if err != nil {
			return err
		}
		m, err := c.tracker.Next(e)
		if err != nil {
			return err
		}
		if m.Part == event.End {
			c.order = append(c.order, m.GTID)
		}
		rest = rest[size:]
	}
	return nil
}
