package upstream

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/wire"
)

// write has writers write until the returned function is called, which says how
// many rows were confirmed. What fails is written again.
func (w *world) write(writers int) (stop func() int) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	confirmed := make([]int, writers)
	for i := range writers {
		running.Go(func() {
			for ctx.Err() == nil {
				_, err := w.db.ExecContext(context.WithoutCancel(ctx), "INSERT INTO up.t (w, v) VALUES (?, REPEAT('x', ?))", i, rand.IntN(3000))
				if err == nil {
					confirmed[i]++
					continue
				}
				select {
				case <-time.After(10 * time.Millisecond):
				case <-ctx.Done():
				}
			}
		})
	}
	stop = sync.OnceValue(func() (n int) {
		cancel()
		running.Wait()
		for _, c := range confirmed {
			n += c
		}
		return n
	})
	w.Cleanup(func() { stop() })
	return stop
}

// inOrder checks that numbers rise by one: none is missing, none comes twice.
func (w *world) inOrder(order []cluster.GTID) {
	w.Helper()
	last := map[string]uint64{}
	for _, g := range order {
		key := fmt.Sprint(g.UUID, g.Tag, g.Domain)
		if before, ok := last[key]; ok && g.Number != before+1 {
			w.Fatalf("%s follows number %d", g, before)
		}
		last[key] = g.Number
	}
}

// Everything arrives, once and in order, whatever happens to the connection
// and to the server.
func TestEverythingArrivesOnce(t *testing.T) {
	onServers(t, func(w *world) {
		m := w.here()
		client, _ := w.read(w.config(), m)
		stop := w.write(4)
		disturbances := []func(){
			func() { w.ResetConnections() },
			func() {
				w.Cut()
				w.eventually("the cut noticed", func() bool { return !client.Status().Connected })
				w.Mend()
			},
			func() { w.ResetConnections() },
			func() { w.exec("FLUSH BINARY LOGS") },
			func() { w.CutFromNode(); pause(30); w.Mend() }, // shorter than its patience
			w.crash,
			func() { w.ResetConnections() },
		}
		for _, disturb := range disturbances {
			w.eventually("the stream", func() bool { return client.Status().Connected })
			before := len(m.durable())
			w.eventually("some transactions", func() bool { return len(m.durable()) > before+20 })
			pause(rand.IntN(20))
			disturb()
		}
		confirmed := stop()
		w.caughtUp(m)
		order := m.durable()
		w.inOrder(order)
		files, syncs, aborts, _ := m.counts()
		w.Logf("%d rows confirmed, %d transactions, %d syncs, %d files, %d cut", confirmed, len(order), syncs, files, aborts)
		if len(order) < confirmed || files < len(disturbances)-1 {
			w.Errorf("%d transactions in %d files, %d rows were confirmed", len(order), files, confirmed)
		}
		s := client.Status()
		if s.Transactions != uint64(len(order)) || s.Syncs == 0 || s.LastGTID != order[len(order)-1] || s.Version == "" || s.Identity != w.identity() {
			w.Errorf("status %+v", s)
		}
	})
}

// pause lets things go on for a while between two disturbances.
func pause(milliseconds int) { <-time.After(time.Duration(milliseconds) * time.Millisecond) }

// crash kills the server and starts it again.
func (w *world) crash() {
	w.Helper()
	w.must(w.Kill())
	w.must(w.StartServer(w.Context()))
	w.must(w.cluster.OpenMaster(w.Context(), w.Node))
}

// Kinds of transactions that are not a few rows, and one larger than a packet.
func TestUnusualTransactionsArrive(t *testing.T) {
	onServers(t, func(w *world) {
		m := w.here()
		w.read(w.config(), m)
		w.exec(
			"CREATE TABLE up.ddl (a INT) ENGINE=InnoDB", "ALTER TABLE up.ddl ADD b INT", "INSERT INTO up.ddl VALUES (1, 2)", "TRUNCATE up.ddl",
			"CREATE TABLE up.copied AS SELECT 1 AS a", "DROP TABLE up.ddl, up.copied", "FLUSH BINARY LOGS",
			"INSERT INTO up.t (v) VALUES (REPEAT('h', 20000000))",
		)
		w.xa()
		if w.flavour == cluster.FlavourMySQL {
			w.tagged()
		}
		w.exec("INSERT INTO up.t (v) VALUES ('the end')")
		w.caughtUp(m)
		if _, _, _, largest := m.counts(); largest < 20_000_000 {
			w.Errorf("the largest event had %d bytes", largest)
		}
		w.eventually("the last row", func() bool { return m.seen("the end") })
	})
}

func (w *world) xa() {
	w.Helper()
	conn, err := w.db.Conn(w.Context())
	w.must(err)
	defer conn.Close()
	for i, end := range []string{"XA COMMIT 'x%d'", "XA ROLLBACK 'x%d'", "XA COMMIT 'x%d' ONE PHASE"} {
		steps := []string{"XA START 'x%d'", "INSERT INTO up.t (w) VALUES (7)", "XA END 'x%d'"}
		if !strings.Contains(end, "ONE PHASE") {
			steps = append(steps, "XA PREPARE 'x%d'")
		}
		for _, s := range append(steps, end) {
			if strings.Contains(s, "%d") {
				s = fmt.Sprintf(s, i)
			}
			_, err := conn.ExecContext(w.Context(), s)
			w.must(err)
		}
	}
}

// tagged writes with a GTID of its own that has a tag.
func (w *world) tagged() {
	w.Helper()
	conn, err := w.db.Conn(w.Context())
	w.must(err)
	defer conn.Close()
	for _, s := range []string{"SET gtid_next = 'AUTOMATIC:tag'", "INSERT INTO up.t (w) VALUES (8)", "SET gtid_next = 'AUTOMATIC'"} {
		_, err := conn.ExecContext(w.Context(), s)
		w.must(err)
	}
}

// A sink that begins in the middle of what has been written gets the rest; tags
// in its set included.
func TestResumesWhereTheSinkIs(t *testing.T) {
	onServers(t, func(w *world) {
		if w.flavour == cluster.FlavourMySQL {
			w.tagged()
		}
		m := w.here()
		for range 3 {
			w.exec("INSERT INTO up.t (w) VALUES (1)", "INSERT INTO up.t (w) VALUES (2)")
			c := w.config()
			c.TLS = wire.TLSOff
			_, end := w.read(c, m)
			w.caughtUp(m)
			end()
		}
		w.inOrder(m.durable())
		if n := len(m.durable()); n != 6 {
			w.Errorf("%d transactions, want 6", n)
		}
	})
}

func TestRefusals(t *testing.T) {
	onServers(t, func(w *world) {
		w.exec("INSERT INTO up.t (w) VALUES (1)")
		c := w.config()
		c.Identity = "somebody else"
		if r := w.refused(c, w.here()); r.Reason != ReasonIdentity || !strings.Contains(r.Error(), w.identity()) {
			w.Errorf("another identity: %v", r)
		}
		w.behind()
		w.exec("FLUSH BINARY LOGS")
		w.exec(fmt.Sprintf("PURGE BINARY LOGS TO '%s'", w.currentFile()))
		r := w.refused(w.config(), newMemory(w.flavour))
		want := ReasonPurged
		if w.flavour == cluster.FlavourMariaDB {
			want = ReasonStream // it says so itself, in words only
		}
		var said *wire.ServerError
		if r.Reason != want || want == ReasonStream && (!errors.As(r, &said) || said.Code != codeDumpFailed) {
			w.Errorf("purged: %v", r)
		}
		w.Logf("purged: %v", r)
		failing := w.here()
		failing.sync = func() error { return errSinkMisused }
		w.exec("INSERT INTO up.t (w) VALUES (1)")
		failing.executed = w.position()
		stop := w.write(1)
		if r := w.refused(w.config(), failing); r.Reason != ReasonSink || !errors.Is(r, errSinkMisused) {
			w.Errorf("a sink that fails: %v", r)
		}
		stop()
		if n := len(failing.durable()); n > 0 {
			w.Errorf("%d transactions in a sink that fails", n)
		}
	})
}

// behind: a server that lacks what is stored is a former master.
func (w *world) behind() {
	w.Helper()
	ahead := w.here()
	g := cluster.MariaDBGTID(0, 1, 1<<40)
	if w.flavour == cluster.FlavourMySQL {
		g = cluster.MySQLGTID([16]byte{9}, "", 77)
	}
	ahead.executed = ahead.executed.With(g)
	if r := w.refused(w.config(), ahead); r.Reason != ReasonBehind || r.Missing.String() != g.String() {
		w.Errorf("behind: %v", r)
	}
}

// A server that lost what it had executed, and gives the same GTIDs to others,
// is not read from, though it is the same server (trap: a master that restarts
// in place behind the stored log).
func TestServerThatForgot(t *testing.T) {
	onServers(t, func(w *world) {
		m := w.here()
		client, end := w.read(w.config(), m)
		w.exec("INSERT INTO up.t (w) VALUES (1)", "INSERT INTO up.t (w) VALUES (2)")
		w.caughtUp(m)
		end()
		forget := "RESET BINARY LOGS AND GTIDS"
		if w.flavour == cluster.FlavourMariaDB {
			forget = "RESET MASTER"
		}
		w.exec(forget, "INSERT INTO up.t (w) VALUES (3)")
		before := m.Executed()
		if err := Check(w.Context(), w.config(), w.position()); err != nil {
			w.Errorf("a log that has only what the server has: %v", err)
		}
		var checked *Refusal
		if err := Check(w.Context(), w.config(), before); !errors.As(err, &checked) || checked.Reason != ReasonBehind || checked.Addr != w.Addr() {
			w.Errorf("checked: %v", err)
		}
		r := w.refused(w.config(), m)
		if r.Reason != ReasonBehind || r.Missing.IsEmpty() || !m.Executed().Equal(before) {
			w.Errorf("got %v; stored %s", r, m.Executed())
		}
		if client.Status().Connected {
			w.Error("a client that has ended says that it is connected")
		}
	})
}

func (w *world) currentFile() string {
	w.Helper()
	rows, err := w.db.QueryContext(w.Context(), "SHOW BINARY LOGS")
	w.must(err)
	defer rows.Close()
	columns, err := rows.Columns()
	w.must(err)
	var name string
	for rows.Next() {
		fields := make([]any, len(columns))
		for i := range fields {
			fields[i] = new(any)
		}
		fields[0] = &name
		w.must(rows.Scan(fields...))
	}
	w.must(rows.Err())
	return name
}
