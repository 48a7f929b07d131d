package upstream

import (
	"context"
	"log/slog"
	"testing"

	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
)

// A master that writes without checksums, from some time on or for a while, is read all
// the same: what it waits for would never be stored otherwise. Each event is stored with a
// checksum, and it is told.
func TestMasterWithoutChecksums(t *testing.T) {
	onServers(t, func(w *world) {
		w.plugin()
		c := storedlog.Config{Dir: t.TempDir(), Flavour: w.flavour, ServerID: 4242}
		log, err := storedlog.Open(c, slog.New(slog.DiscardHandler))
		w.must(err)
		start := w.position()
		w.must(log.Seed(start))
		client, end := w.read(w.config(), log)
		w.eventually("the stream", func() bool { return client.Status().Connected })
		off := w.semiSync()
		w.Cleanup(func() { _ = w.Exec(context.Background(), "SET GLOBAL binlog_checksum = CRC32") })
		w.exec("INSERT INTO up.t (w) VALUES (1)", "SET GLOBAL binlog_checksum = NONE", "INSERT INTO up.t (w) VALUES (2)",
			"CREATE TABLE up.bare (a INT)", "DROP TABLE up.bare", "INSERT INTO up.t (v) VALUES (REPEAT('h', 20000000))")
		w.xa()
		if !client.Status().NoChecksums {
			w.Error("it is not told that there are none")
		}
		w.ResetConnections()
		w.exec("INSERT INTO up.t (w) VALUES (3)", "FLUSH BINARY LOGS", "INSERT INTO up.t (w) VALUES (4)")
		if !client.Status().NoChecksums {
			w.Error("it is not told again on another connection")
		}
		w.exec("SET GLOBAL binlog_checksum = CRC32", "INSERT INTO up.t (w) VALUES (5)")
		if s := client.Status(); s.NoChecksums {
			w.Errorf("status %+v", s)
		}
		off()
		want := w.position()
		w.eventually("everything stored", func() bool { return log.Executed().ContainsSet(want) })
		end()
		w.must(log.Close())
		found, err := storedlog.Verify(w.Context(), c.Dir, nil)
		w.must(err)
		if len(found.Problems) > 0 || !found.Last.Equal(want) {
			w.Errorf("%+v; the server has %s", found, want)
		}
	})
}

// What is added is what the server would have written, but for its place in the file.
func TestChecksumsAreAdded(t *testing.T) {
	with := madeFormat("9.7.0")
	bare := event.Event(append([]byte(nil), with...))
	bare[len(bare)-event.ChecksumSize-1] = 0
	if got := event.WithChecksums(bare); string(got) != string(with) || !got.ChecksumOK() {
		t.Errorf("format %x, want %x", got, with)
	}
	e := madeQuery("BEGIN")
	plain := append(event.Event(nil), e[:len(e)-event.ChecksumSize]...)
	plain[9] -= event.ChecksumSize
	if got := event.AppendChecksum([]byte("x"), plain); string(got[1:]) != string(e) {
		t.Errorf("event %x, want %x", got, e)
	}
}
