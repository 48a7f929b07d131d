package fullcopy

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
	"github.com/bellwether-db/bellwether/replicator/fullcopy/schema"
)

// One of everything is copied while writes go on; the copy then replicates,
// catches up, and is equal. Then the same with interruptions, and what must be
// refused.
func TestCopy(t *testing.T) {
	worlds(t, func(w *world) {
		if w.maria() {
			w.exec(w.master(), "SET GLOBAL log_bin_trust_function_creators = 1")
		}
		w.load(fixture(w.maria()))
		w.refusesBusy()
		w.exec(w.slave(), w.either("SET GLOBAL super_read_only = OFF", "SET GLOBAL read_only = OFF"))
		w.exec(w.slave(), junk...)
		w.copiesEverything()
		w.goesOn()
		w.goesOnByItself()
		w.clones()
	})
}

func (w *world) either(mysql, mariadb string) string {
	if w.maria() {
		return mariadb
	}
	return mysql
}

// load runs statements on the master in one session.
func (w *world) load(statements []string) {
	w.Helper()
	account := w.nodes.Account
	db, err := sql.Open("mysql", w.master().DSN(account.User, account.Password, ""))
	w.ok(err)
	defer func() { _ = db.Close() }()
	conn, err := db.Conn(w.soon())
	w.ok(err)
	defer func() { _ = conn.Close() }()
	for _, text := range statements {
		if _, err := conn.ExecContext(w.soon(), text); err != nil {
			w.Errorf("%s: %v", text, err)
		}
	}
}

// refusesBusy: a statement that does not end keeps the lock away, and nothing
// has happened then.
func (w *world) refusesBusy() {
	account := w.nodes.Account
	db, err := sql.Open("mysql", w.master().DSN(account.User, account.Password, "shop"))
	w.ok(err)
	defer func() { _ = db.Close() }()
	conn, err := db.Conn(w.soon())
	w.ok(err)
	_, err = conn.ExecContext(w.soon(), w.either("LOCK TABLES lone WRITE", "BACKUP STAGE START"))
	w.ok(err)
	c := w.setup()
	c.LockTries, c.LockWait = 1, time.Second
	if _, err := New(c, w.logger()).Run(w.soon()); !errors.Is(err, ErrBusy) {
		w.Errorf("with a lock in the way: %v", err)
	}
	w.ok(conn.Close())
	w.ok(db.Close())
	if found := w.query(w.slave(), "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '"+schema.Marker+"'"); found != "0" {
		w.Error("the target was touched")
	}
}

func (w *world) copiesEverything() {
	stop := w.writer(0)
	begun := time.Now()
	copying := New(w.setup(), w.logger())
	result, err := copying.Run(w.soon())
	w.ok(err)
	w.Logf("%v in %v, commits held %v: %v", result.Position, time.Since(begun), result.Held, copying.Progress())
	if len(result.Notes) != 1 || !strings.Contains(result.Notes[0], "shop.broken") {
		w.Errorf("notes: %q", result.Notes)
	}
	if p := copying.Progress(); p.Phase != PhaseDone || p.Tables != p.TablesDone || p.Rows < 4800 || p.Reused != 0 {
		w.Errorf("progress %+v", p)
	}
	if w.query(w.slave(), "SELECT @@GLOBAL.read_only + "+w.either("@@GLOBAL.super_read_only", "1")) != "2" {
		w.Error("the copy is open for writes")
	}
	w.follow()
	stop()
	w.ok(w.nodes.WaitCaughtUp(w.soon()))
	w.equal()
	if status := w.query(w.slave(), "SELECT GROUP_CONCAT(DISTINCT STATUS) FROM information_schema.EVENTS"); !strings.Contains(status, "SLAVESIDE_DISABLED") && !strings.Contains(status, "REPLICA_SIDE_DISABLED") || strings.Contains(status, "ENABLED,") {
		w.Errorf("events of a slave: %s", status)
	}
}

// writer writes until the function it returns is called, with a rest after each
// round.
func (w *world) writer(rest time.Duration) (stop func()) {
	account := w.nodes.Account
	db, err := sql.Open("mysql", w.master().DSN(account.User, account.Password, "shop"))
	w.ok(err)
	ctx, cancel := context.WithCancel(w.Context())
	var writes atomic.Int64
	var group sync.WaitGroup
	group.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			i := strconv.Itoa(n)
			for _, text := range []string{
				"INSERT INTO big (v, n) VALUES ('new', " + i + ")", "UPDATE big SET v = 'changed' WHERE id = 100 + " + i + " % 4000",
				"DELETE FROM big WHERE id = 100 + 7 * " + i, "INSERT INTO lone VALUES ('" + i + "')", "INSERT INTO myi VALUES (10 + " + i + ", 'my')",
				"UPDATE pairs SET v = -" + i + " WHERE v % 50 = " + i + " % 50",
			} {
				if _, err := db.ExecContext(ctx, text); err != nil && ctx.Err() == nil {
					w.Errorf("%s: %v", text, err)
					return
				}
				writes.Add(1)
			}
			_ = pause(ctx, rest)
		}
	})
	return func() {
		cancel()
		group.Wait()
		_ = db.Close()
		w.Logf("%d writes meanwhile", writes.Load())
	}
}

// goesOn: a copy that is interrupted leaves a node that nobody may use, and the
// next one copies only what differs.
func (w *world) goesOn() {
	c := w.setup()
	// Slow enough to be interrupted, and no slower: one worker's large rows use up
	// what the others may have for a while.
	c.BytesPerSecond, c.Fresh = 2_000_000, true
	ctx, cancel := context.WithCancel(w.soon())
	defer cancel()
	copying := New(c, w.logger())
	var group sync.WaitGroup
	var failed error
	ended, end := context.WithCancel(ctx)
	group.Go(func() {
		defer end()
		_, failed = copying.Run(ctx)
	})
	for copying.Progress().Rows < 1000 && ended.Err() == nil {
		w.ok(pause(w.soon(), 10*time.Millisecond))
	}
	cancel()
	group.Wait()
	if !errors.Is(failed, context.Canceled) {
		w.Fatalf("a copy that was cancelled: %v", failed)
	}
	w.unusable()
	w.killed()
	copying = New(w.setup(), w.logger())
	_, err := copying.Run(w.soon())
	w.ok(err)
	if w.query(w.slave(), "SELECT @@GLOBAL.event_scheduler") != "ON" || w.query(w.slave(), "SELECT @@GLOBAL.local_infile") != "1" {
		w.Error("what a killed copy had set was not set back")
	}
	if p := copying.Progress(); p.Reused < 500 || p.Reused >= p.Rows {
		w.Errorf("rows found there: %+v", p)
	}
	w.follow()
	w.equal()
}

// killed leaves the slave's variables as a copy that was killed does.
func (w *world) killed() {
	if !w.maria() {
		w.exec(w.slave(), "SET GLOBAL super_read_only = OFF")
	}
	account := w.nodes.Account
	db, err := sql.Open("mysql", w.slave().DSN(account.User, account.Password, schema.Marker)+"?multiStatements=true")
	w.ok(err)
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(w.soon(), "SET sql_log_bin = 0; SET GLOBAL event_scheduler = OFF; INSERT INTO restores VALUES ('event_scheduler = ON')")
	w.ok(err)
}

// goesOnByItself: the network breaks and a table is altered under the
// snapshot. The same copy goes on with what it has.
func (w *world) goesOnByItself() {
	w.exec(w.master(), "DROP TABLE shop.huge") // at this pace it would take long
	c := w.setup()
	c.BytesPerSecond = 2_000_000
	copying := New(c, w.logger())
	var group sync.WaitGroup
	var failed error
	group.Go(func() { _, failed = copying.Run(w.soon()) })
	for copying.Progress().Rows < 1000 && copying.Progress().Phase != PhaseDone {
		w.ok(pause(w.soon(), 5*time.Millisecond))
	}
	w.exec(w.master(), "ALTER TABLE shop.pairs ADD COLUMN later INT DEFAULT 7 AFTER b", "INSERT INTO shop.log VALUES (5, 'later')")
	w.slave().ResetConnections()
	group.Wait()
	w.ok(failed)
	if p := copying.Progress(); p.Attempt < 2 || p.Reused == 0 {
		w.Errorf("progress %+v", p)
	}
	w.follow()
	w.equal()
}

// unusable: the mark survives a restart of the server, and whoever compares
// GTIDs refuses the node.
func (w *world) unusable() {
	w.ok(w.slave().StopServer(w.soon()))
	w.ok(w.slave().StartServer(w.soon()))
	conn, err := schema.Connect(w.soon(), w.node(w.slave()), w.config)
	w.ok(err)
	defer func() { _ = conn.Close() }()
	if unfinished, err := Unfinished(w.soon(), conn); err != nil || !unfinished {
		w.Errorf("unfinished: %v, %v", unfinished, err)
	}
	master, err := schema.Connect(w.soon(), w.node(w.master()), w.config)
	w.ok(err)
	defer func() { _ = master.Close() }()
	has, _, err := master.Executed(w.soon())
	w.ok(err)
	slave, err := control.Connect(w.soon(), w.node(w.slave()), w.config)
	w.ok(err)
	defer func() { _ = slave.Close() }()
	var errant *control.ErrantError
	_, err = slave.Attach(w.soon(), control.Source{Host: "127.0.0.1", Port: 1, User: "x", TLS: control.TLSOff}, func() *cluster.GTIDSet { return has })
	if !errors.As(err, &errant) {
		w.Errorf("attached an unfinished copy: %v", err)
	}
}
