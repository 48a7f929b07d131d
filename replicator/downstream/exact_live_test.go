package downstream

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql"

	"github.com/bellwether-db/bellwether/cluster"
)

// What a parallel MariaDB slave's workers say while they wait for those before
// them: at their commit, and before they begin.
const (
	waitsToCommit = "Waiting for prior transaction to commit"
	waitsToBegin  = "Waiting for prior transaction to start commit"
)

// TestExactPosition holds a transaction up on a MariaDB slave that applies in
// parallel, and looks at what becomes of those behind it, with the remedies and
// without them.
func TestExactPosition(t *testing.T) {
	t.Parallel()
	w := newWorld(t, cluster.FlavourMariaDB)
	w.exec(w.master, "INSERT INTO shop.t (n) VALUES (1)")
	w.copy()
	w.exec(w.slave, "SET GLOBAL slave_parallel_mode = optimistic")
	bare := serve(w, w.serving(), Stored(w.log), func(s *Server) { s.shape.exact = false })
	w.rolledBack(w.server, false)
	w.rolledBack(bare, true)
	w.committedXA(w.server, waitsToBegin, 1)
	w.committedXA(bare, waitsToCommit, 2) // and XA PREPARE
	for _, threads := range []string{"4", "0"} {
		w.exec(w.slave, "STOP SLAVE", "SET GLOBAL slave_parallel_threads = "+threads)
		w.follow(w.slave, w.server.Addr(), "0.2")
		w.sameEffects(threads)
	}
}

// sameEffects has a slave apply what the remedies change, in both formats and
// with a table that cannot roll back: the effects are those on the master.
func (w *world) sameEffects(run string) {
	w.Helper()
	for _, format := range []string{"ROW", "MIXED", "STATEMENT"} {
		w.exec(w.master, "SET SESSION binlog_format = "+format, "CREATE OR REPLACE TABLE shop.m (id INT) ENGINE = MyISAM",
			"BEGIN", "INSERT INTO shop.t (n) VALUES (1)", "CREATE TEMPORARY TABLE shop.x (id INT)", "INSERT INTO shop.x VALUES (1), (2)",
			"INSERT INTO shop.m SELECT id FROM shop.x", "INSERT INTO shop.t (n) VALUES (2)", "ROLLBACK",
			"INSERT INTO shop.t (n) SELECT id FROM shop.x", "DROP TEMPORARY TABLE shop.x",
			"XA START 'y'", "INSERT INTO shop.t (n) VALUES (3)", "XA END 'y'", "XA PREPARE 'y'", "XA COMMIT 'y'",
			"XA START 'y'", "INSERT INTO shop.t (n) VALUES (4)", "XA END 'y'", "XA PREPARE 'y'", "XA ROLLBACK 'y'",
			"XA START 'y'", "INSERT INTO shop.t (n) VALUES (5)", "XA END 'y'", "XA COMMIT 'y' ONE PHASE")
		w.copy()
		w.caughtUp(w.slave)
		w.sameRows(w.master, w.slave)
		if a, b := w.query(w.master, "SELECT COUNT(*) FROM shop.m"), w.query(w.slave, "SELECT COUNT(*) FROM shop.m"); a != "2" || b != a {
			w.Errorf("%s, %s threads: the table that cannot roll back has %s rows, and %s on the slave", format, run, a, b)
		}
	}
	if left := w.query(w.slave, "SELECT COUNT(*) FROM information_schema.INNODB_TRX"); left != "0" {
		w.Errorf("%s transactions are left open on the slave", left)
	}
}

// rolledBack has a transaction that ends with ROLLBACK behind one that is held
// up. The slave must not say that it has it, as it does without the remedy, but
// wait at its end.
func (w *world) rolledBack(s *Server, early bool) {
	w.Helper()
	w.follow(w.slave, s.Addr(), "0.2")
	w.caughtUp(w.slave)
	before := w.position(w.slave)
	w.heldUp(func() {
		w.exec(w.master, "UPDATE shop.t SET n = n + 1 WHERE id = 1")
		w.exec(w.master, "BEGIN", "CREATE TEMPORARY TABLE shop.x (id INT)", "INSERT INTO shop.t (n) VALUES (2)", "ROLLBACK")
		w.copy()
		w.until("the worker to wait or the position to move", func() bool {
			return w.position(w.slave) != before || !early && w.workers(waitsToCommit) == 1
		}, w.slave)
		if after := w.position(w.slave); (after != before) != early {
			w.Errorf("the slave was at %s, and is at %s while a transaction behind that is held up", before, after)
		}
	})
	seen := w.beats()
	w.until("the next heartbeat, which is not behind what was added", func() bool { return w.beats() != seen }, w.slave)
}

// beats is how many heartbeats the slave has taken.
func (w *world) beats() string {
	w.Helper()
	return w.query(w.slave, "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'SLAVE_RECEIVED_HEARTBEATS'")
}

// committedXA has a transaction behind XA COMMIT, and that behind one that is
// held up. It must wait before its beginning, not at its end.
func (w *world) committedXA(s *Server, waits string, number int) {
	w.Helper()
	w.follow(w.slave, s.Addr(), "0.2")
	w.caughtUp(w.slave)
	w.heldUp(func() {
		w.exec(w.master, "UPDATE shop.t SET n = n + 1 WHERE id = 1")
		w.exec(w.master, "XA START 'x'", "INSERT INTO shop.t (n) VALUES (3)", "XA END 'x'", "XA PREPARE 'x'", "XA COMMIT 'x'")
		w.exec(w.master, "INSERT INTO shop.t (n) VALUES (4)")
		w.copy()
		w.until("the last worker: "+waits, func() bool { return w.workers(waits) == number }, w.slave)
	})
}

// heldUp does something while a row that the slave must change is locked there,
// and lets the slave go on to the end.
func (w *world) heldUp(do func()) {
	w.Helper()
	db, err := sql.Open("mysql", w.slave.DSN(w.nodes.Account.User, w.nodes.Account.Password, ""))
	if err != nil {
		w.Fatal(err)
	}
	defer db.Close()
	lock, err := db.BeginTx(context.Background(), nil)
	if err != nil {
		w.Fatal(err)
	}
	defer lock.Rollback() //nolint:errcheck // it is rolled back below, unless the test has failed
	if _, err = lock.Exec("SELECT * FROM shop.t WHERE id = 1 FOR UPDATE"); err != nil {
		w.Fatal(err)
	}
	do()
	if err := lock.Rollback(); err != nil {
		w.Fatal(err)
	}
	w.caughtUp(w.slave)
	w.sameRows(w.master, w.slave)
}

// workers counts those that are in a state.
func (w *world) workers(state string) int {
	w.Helper()
	states := w.query(w.slave, "SELECT GROUP_CONCAT(STATE) FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Slave_worker%'")
	n := 0
	for s := range strings.SplitSeq(states, ",") {
		if s == state {
			n++
		}
	}
	return n
}
