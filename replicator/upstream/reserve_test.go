package upstream

import (
	"context"
	"database/sql"
	"log/slog"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/wire"
)

// A CREATE USER on MySQL waits for the reply, and nobody can log in meanwhile. The
// stream breaks just then, and is there again all the same: on the connection in
// reserve. That one survives the end of the stream alone as well as a cut of the
// network that is longer than the stream's patience.
func TestReserveNeedsNoLogin(t *testing.T) {
	breaks := map[string]func(*world, *sql.Conn) (mend func()){
		"killed": func(w *world, spare *sql.Conn) func() {
			w.endStream(spare)
			return func() {}
		},
		"network away": func(w *world, _ *sql.Conn) func() { return w.Mend },
	}
	onServers(t, func(w *world) {
		w.plugin()
		for how, broken := range breaks {
			w.exec("DROP USER IF EXISTS reserved")
			m := w.here()
			storing, client, end := w.readHeldUp(m)
			off := w.semiSync()
			spare, err := w.db.Conn(w.Context())
			w.must(err)
			if how == "network away" {
				w.Cut()
			}
			done := make(chan error, 1)
			go func() {
				_, err := w.db.ExecContext(w.Context(), "CREATE USER reserved IDENTIFIED BY 'r'")
				done <- err
			}()
			w.waitsForReply(spare)
			w.refusesLogins()
			mend := broken(w, spare)
			close(storing)
			w.eventually("the end of the stream", func() bool { return client.Status().LastError != nil })
			mend()
			select {
			case err := <-done:
				w.must(err)
			case <-time.After(20 * time.Second):
				w.free(spare)
				w.Errorf("%s: nobody gave the reply", how)
			}
			w.caughtUp(m)
			w.eventually("a new reserve", func() bool { return client.Status().Reserve })
			w.must(spare.Close())
			off()
			end()
		}
	})
}

// A look that falls into a moment without network gives nothing up: when the network
// is back the connection is, and no login may be possible then.
func TestReserveOutlivesALookWithoutNetwork(t *testing.T) {
	onServers(t, func(w *world) {
		client := New(w.config(), w.here(), slog.New(slog.NewTextHandler(w.Output(), nil)))
		r := &client.reserve
		defer r.drop()
		r.open(w.Context())
		before := r.session
		if before == nil {
			w.Fatal("there is no reserve")
		}
		w.Cut()
		ctx, stop := context.WithTimeout(w.Context(), pingTimeout+pingTimeout/2)
		r.keep(ctx)
		stop()
		w.Mend()
		w.eventually("the answer from before", func() bool {
			got := r.take(w.Context())
			if got != nil && got != before {
				w.Fatal("it was given up, and another one opened")
			}
			if got == nil && r.session == nil {
				w.Fatal("it was given up")
			}
			return got == before
		})
		w.must(before.conn.Close())
	})
}

// readHeldUp runs a client that has a reserve, on a sink that stores nothing before
// storing is closed. Its account may do little: what a server looks up in its tables of
// privileges is behind the lock, too.
func (w *world) readHeldUp(m *memory) (storing chan struct{}, client *Client, end func()) {
	w.Helper()
	storing = make(chan struct{})
	m.sync = func() error { <-storing; return nil }
	w.exec("DROP USER IF EXISTS reader", "CREATE USER reader IDENTIFIED BY 'r'", "GRANT REPLICATION SLAVE, SELECT ON *.* TO reader")
	c := w.config()
	c.User, c.Secret = "reader", wire.PasswordSecret("r")
	m.executed = w.position()
	client, end = w.read(c, m)
	w.eventually("the stream and a reserve", func() bool { s := client.Status(); return s.Connected && s.Reserve })
	return storing, client, end
}

// waitsForReply waits until a statement does.
func (w *world) waitsForReply(conn *sql.Conn) {
	w.Helper()
	w.eventually("the wait for the reply", func() bool {
		var waits int
		w.must(conn.QueryRowContext(w.Context(), "SELECT COUNT(*) FROM "+processes[w.flavour]+" WHERE STATE LIKE 'Waiting for semi-sync ACK%'").Scan(&waits))
		return waits == 1
	})
}

// refusesLogins sees that a MySQL has nobody log in now.
func (w *world) refusesLogins() {
	w.Helper()
	if w.flavour == cluster.FlavourMariaDB {
		return // which needs no lock for it
	}
	fresh := w.open()
	defer fresh.Close()
	soon, cancel := context.WithTimeout(w.Context(), 300*time.Millisecond)
	defer cancel()
	if fresh.PingContext(soon) == nil {
		w.Error("a login succeeds beside it: there is nothing to be shown")
	}
}

// endStream has the server end the stream.
func (w *world) endStream(conn *sql.Conn) {
	w.Helper()
	var id string
	w.must(conn.QueryRowContext(w.Context(), "SELECT ID FROM "+processes[w.flavour]+" WHERE COMMAND LIKE 'Binlog Dump%'").Scan(&id))
	_, err := conn.ExecContext(w.Context(), "KILL "+id)
	w.must(err)
	w.eventually("the end of the server's thread", func() bool {
		var left int
		w.must(conn.QueryRowContext(w.Context(), "SELECT COUNT(*) FROM "+processes[w.flavour]+" WHERE COMMAND LIKE 'Binlog Dump%'").Scan(&left))
		return left == 0
	})
}

// free has statements that wait for a reply go on without it.
func (w *world) free(conn *sql.Conn) {
	w.Helper()
	name := "rpl_semi_sync_source_enabled"
	if w.flavour == cluster.FlavourMariaDB {
		name = "rpl_semi_sync_master_enabled"
	}
	for _, to := range []string{"OFF", "ON"} {
		_, err := conn.ExecContext(w.Context(), "SET GLOBAL "+name+" = "+to)
		w.must(err)
	}
}
