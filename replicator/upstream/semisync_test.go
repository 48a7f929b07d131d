package upstream

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// semiSync has the server wait for a reply, for ever, at each commit, until off
// is called or the test ends. A client reads from it already.
func (w *world) semiSync() (off func()) {
	w.Helper()
	prefix, replica := "rpl_semi_sync_master_", "slave"
	if w.flavour == cluster.FlavourMySQL {
		prefix, replica = "rpl_semi_sync_source_", "replica"
	}
	w.exec("SET GLOBAL "+prefix+"timeout = 3600000", "SET GLOBAL "+prefix+"wait_point = AFTER_SYNC",
		"SET GLOBAL "+prefix+"wait_no_"+replica+" = ON", "SET GLOBAL "+prefix+"enabled = ON")
	off = sync.OnceFunc(func() {
		if err := w.Exec(context.Background(), "SET GLOBAL "+prefix+"enabled = OFF"); err != nil {
			w.Error(err)
		}
	})
	w.Cleanup(off)
	return off
}

// plugin makes sure that a MySQL has semi-synchronous replication before a
// client connects.
func (w *world) plugin() {
	w.Helper()
	if w.flavour == cluster.FlavourMySQL && w.value("SELECT COUNT(*) FROM information_schema.PLUGINS WHERE PLUGIN_NAME = 'rpl_semi_sync_source'") == "0" {
		w.exec("INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'")
	}
}

// writer is one connection that knows the GTID of each of its commits.
type writer struct {
	conn   *sql.Conn
	uuid   [16]byte
	number uint64
}

// commit writes one row and returns its GTID.
func (r *writer) commit(ctx context.Context, f cluster.Flavour, rows string) (cluster.GTID, error) {
	if f == cluster.FlavourMySQL {
		r.number++
		g := cluster.MySQLGTID(r.uuid, "", r.number)
		if _, err := r.conn.ExecContext(ctx, "SET gtid_next = '"+g.String()+"'"); err != nil {
			return g, err
		}
		_, err := r.conn.ExecContext(ctx, rows)
		return g, err
	}
	if _, err := r.conn.ExecContext(ctx, rows); err != nil {
		return cluster.GTID{}, err
	}
	var text string
	if err := r.conn.QueryRowContext(ctx, "SELECT @@last_gtid").Scan(&text); err != nil {
		return cluster.GTID{}, err
	}
	return cluster.ParseGTID(f, text)
}

// uuids counts the uuids that writers were given, so that none is used twice.
var uuids atomic.Uint32

func (w *world) writer() *writer {
	w.Helper()
	conn, err := w.db.Conn(w.Context())
	w.must(err)
	w.Cleanup(func() { _ = conn.Close() })
	return &writer{conn: conn, uuid: [16]byte{1, 2, 3, byte(uuids.Add(1))}}
}

// commits has writers commit n rows each; check is called after each OK.
func (w *world) commits(writers, n int, check func(cluster.GTID)) {
	var running sync.WaitGroup
	for range writers {
		r := w.writer()
		running.Go(func() {
			for range n {
				g, err := r.commit(w.Context(), w.flavour, "INSERT INTO up.t (v) VALUES (REPEAT('s', 300))")
				if err != nil {
					w.Errorf("commit %s: %v", g, err)
					return
				}
				check(g)
			}
		})
	}
	running.Wait()
}

// No commit's OK is seen before its transaction is durable, though the sink is
// slow; also while the connection is lost now and then.
func TestNoOKBeforeItIsDurable(t *testing.T) {
	onServers(t, func(w *world) {
		w.plugin()
		m := w.here()
		m.delay = 10 * time.Millisecond
		client, _ := w.read(w.config(), m)
		w.eventually("the stream", func() bool { return client.Status().Connected })
		w.semiSync()
		var early, seen atomic.Int64
		check := func(g cluster.GTID) {
			if !m.Executed().Contains(g) {
				early.Add(1)
			}
			if seen.Add(1)%60 == 0 {
				w.ResetConnections()
			}
		}
		w.commits(4, 40, check)
		w.caughtUp(m)
		s := client.Status()
		w.Logf("%d commits, %d syncs, %d replies", seen.Load(), s.Syncs, s.Acknowledged)
		if early.Load() > 0 || seen.Load() != 160 {
			w.Errorf("%d of %d commits were confirmed too early", early.Load(), seen.Load())
		}
		if s.Acknowledged == 0 || s.Acknowledged > uint64(seen.Load()) || !s.SemiSync {
			w.Errorf("status %+v", s)
		}
	})
}

// A connection that breaks between the sync and the reply leaves a transaction
// that is stored here and waits there: the master is no former one for that.
func TestLostReply(t *testing.T) {
	onServers(t, func(w *world) {
		w.plugin()
		m := w.here()
		var cut atomic.Bool
		m.sync = func() error {
			if cut.CompareAndSwap(true, false) {
				w.ResetConnections()
			}
			return nil
		}
		client, _ := w.read(w.config(), m)
		w.eventually("the stream", func() bool { return client.Status().Connected })
		w.semiSync()
		r := w.writer()
		for i := range 2 {
			cut.Store(true)
			ctx, cancel := context.WithTimeout(w.Context(), 10*time.Second)
			g, err := r.commit(ctx, w.flavour, fmt.Sprintf("INSERT INTO up.t (w) VALUES (%d)", i))
			cancel()
			if err != nil || !m.Executed().Contains(g) {
				w.Fatalf("commit %d, %s: %v", i, g, err)
			}
		}
		if s := client.Status(); s.LastError == nil {
			w.Error("the connection never broke")
		}
	})
}

// The same, and the client is started anew, so that it remembers nothing.
func TestLostReplyAndRestart(t *testing.T) {
	onServers(t, func(w *world) {
		w.plugin()
		m := w.here()
		client, end := w.read(w.config(), m)
		w.eventually("the stream", func() bool { return client.Status().Connected })
		w.semiSync()
		r := w.writer()
		synced := make(chan struct{})
		m.sync = func() error { w.CutToNode(); close(synced); m.sync = nil; return nil }
		committed := make(chan error, 1)
		go func() {
			_, err := r.commit(w.Context(), w.flavour, "INSERT INTO up.t (w) VALUES (1)")
			committed <- err
		}()
		<-synced
		w.eventually("one durable transaction", func() bool { return len(m.durable()) == 1 })
		end()
		w.ResetConnections() // before what was held up goes on: the reply is lost
		w.Mend()
		w.read(w.config(), m)
		select {
		case err := <-committed:
			w.must(err)
		case <-time.After(10 * time.Second):
			w.Fatal("the commit still waits")
		}
	})
}
