package upstream

import (
	"context"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// holdsLocks are statements that hold locks while they wait for the reply.
var holdsLocks = map[cluster.Flavour][]string{
	cluster.FlavourMySQL: {
		"ALTER TABLE up.t COMMENT 'waits'", "CREATE FUNCTION up.waits() RETURNS INT DETERMINISTIC RETURN 1", "CREATE EVENT up.waits ON SCHEDULE EVERY 1 DAY DO DO 1",
	},
	cluster.FlavourMariaDB: {
		"CREATE USER waits IDENTIFIED BY 'w'", "GRANT SELECT ON up.* TO waits", "ALTER TABLE mysql.time_zone COMMENT 'waits'", "DROP USER waits",
	},
}

var processes = map[cluster.Flavour]string{
	cluster.FlavourMySQL: "performance_schema.processlist", cluster.FlavourMariaDB: "information_schema.PROCESSLIST",
}

// A statement that waits for the reply holds its locks, on accounts or on a
// system table. The client that is to give the reply, and lost its connection,
// waits for none of them. On MySQL nobody can log in beside a CREATE USER, which
// docs/replication.md tells; definitions do no harm there.
func TestNewConnectionWaitsForNoLock(t *testing.T) {
	onServers(t, func(w *world) {
		w.plugin()
		w.exec("DROP USER IF EXISTS waits", "DROP FUNCTION IF EXISTS up.waits", "DROP EVENT IF EXISTS up.waits")
		m := w.here()
		client, _ := w.read(w.config(), m)
		w.eventually("the stream", func() bool { return client.Status().Connected })
		w.semiSync()
		for _, statement := range holdsLocks[w.flavour] {
			w.Cut()
			w.ResetConnections()
			w.eventually("the end of the stream", func() bool { return !client.Status().Connected })
			done := make(chan error, 1)
			go func() {
				_, err := w.db.ExecContext(w.Context(), statement)
				done <- err
			}()
			w.eventually("the wait for the reply", func() bool {
				return w.value("SELECT COUNT(*) FROM "+processes[w.flavour]+" WHERE STATE LIKE 'Waiting for semi-sync ACK%'") == "1"
			})
			w.Mend()
			select {
			case err := <-done:
				w.must(err)
			case <-time.After(20 * time.Second):
				w.Fatalf("%s still waits for its reply", statement)
			}
		}
	})
}

// A CREATE USER on MySQL waits for the reply of a client that is gone, and holds the
// lock that its next login needs. Over a connection that is open already the switch
// of semi-synchronous replication, off and on again, has it go on, and the client
// comes back and stores it. (KILL and KILL QUERY do nothing there.)
func TestAccountStatementIsFreed(t *testing.T) {
	onServers(t, func(w *world) {
		if w.flavour == cluster.FlavourMariaDB {
			return // whose logins need no such lock
		}
		w.plugin()
		w.exec("DROP USER IF EXISTS freed")
		m := w.here()
		client, _ := w.read(w.config(), m)
		w.eventually("the stream", func() bool { return client.Status().Connected })
		w.semiSync()
		spare, err := w.db.Conn(w.Context())
		w.must(err)
		defer spare.Close()
		w.Cut()
		w.ResetConnections()
		w.eventually("the end of the stream", func() bool { return !client.Status().Connected })
		done := make(chan error, 1)
		go func() {
			_, err := w.db.ExecContext(w.Context(), "CREATE USER freed IDENTIFIED BY 'f'")
			done <- err
		}()
		w.eventually("the wait for the reply", func() bool {
			var waits int
			w.must(spare.QueryRowContext(w.Context(), "SELECT COUNT(*) FROM "+processes[w.flavour]+" WHERE STATE LIKE 'Waiting for semi-sync ACK%'").Scan(&waits))
			return waits == 1
		})
		w.Mend()
		fresh := w.open()
		defer fresh.Close()
		soon, cancel := context.WithTimeout(w.Context(), 300*time.Millisecond)
		defer cancel()
		if fresh.PingContext(soon) == nil {
			w.Error("a login succeeds beside it: there is nothing to be freed")
		}
		for _, to := range []string{"OFF", "ON"} {
			_, err := spare.ExecContext(w.Context(), "SET GLOBAL rpl_semi_sync_source_enabled = "+to)
			w.must(err)
		}
		w.must(<-done)
		w.eventually("the stream", func() bool { return client.Status().Connected })
		w.caughtUp(m)
	})
}
