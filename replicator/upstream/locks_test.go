package upstream

import (
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
