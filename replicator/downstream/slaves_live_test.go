package downstream

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"time"
)

// follows feeds a slave, stops and starts it at random, with TLS and without,
// and wants the master's rows and GTIDs there.
func (w *world) follows() {
	w.copy()
	w.follow(w.slave, w.server.Addr(), "0.5")
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 6 {
		for range 1 + random.IntN(20) {
			w.exec(w.master, fmt.Sprintf("INSERT INTO shop.t (v, n) VALUES (REPEAT('%d', %d), %d)", i, random.IntN(300_000), i))
		}
		switch i {
		case 2:
			w.follow(w.slave, w.server.Addr(), "0.5", w.otherTLS())
		case 3:
			w.exec(w.master, "FLUSH BINARY LOGS", "ALTER TABLE shop.t ADD COLUMN m INT", "UPDATE shop.t SET m = n")
		}
		w.copy()
		pause(w.Context(), time.Duration(random.IntN(30))*time.Millisecond) // somewhere in the stream
		w.restart(w.slave)
	}
	w.caughtUp(w.slave)
	w.sameRows(w.master, w.slave)
	w.until("one slave to be left", func() bool { return len(w.server.Slaves()) == 1 }, w.slave)
	if slave := w.server.Slaves()[0]; slave.Secure != w.mariaDB() || !slave.Registered || slave.ServerID != w.slave.ServerID() {
		w.Errorf("the slave: %+v", slave)
	}
}

// otherTLS turns TLS off where it is the slaves' default, and on elsewhere.
func (w *world) otherTLS() string {
	if w.mariaDB() {
		return ", MASTER_SSL = 1, MASTER_SSL_VERIFY_SERVER_CERT = 0"
	}
	return ", SOURCE_SSL = 0"
}

// temporaryTables are dropped by a slave that believes that the master has
// started again, and the stored format does say when the master started.
func (w *world) temporaryTables() {
	db, err := sql.Open("mysql", w.master.DSN(w.nodes.Operator.User, w.nodes.Operator.Password, "shop"))
	if err != nil {
		w.Fatal(err)
	}
	defer db.Close()
	session, err := db.Conn(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	defer session.Close()
	run := func(statement string) {
		w.Helper()
		if _, err := session.ExecContext(context.Background(), statement); err != nil {
			w.Fatalf("%s: %v", statement, err)
		}
	}
	run("SET SESSION binlog_format = STATEMENT")
	run("CREATE TEMPORARY TABLE passing (n INT)")
	run("INSERT INTO passing VALUES (41), (42)")
	w.copy()
	w.caughtUp(w.slave)
	w.exec(w.slave, "STOP "+w.word()+" IO_THREAD", "START "+w.word()+" IO_THREAD")
	run("INSERT INTO t (n) SELECT n FROM passing")
	run("DROP TEMPORARY TABLE passing")
	w.copy()
	w.caughtUp(w.slave)
	w.sameRows(w.master, w.slave)
}
