package failover_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/failover"
	"github.com/bellwether-db/bellwether/internal/playground"
)

// orders is the operator against the nodes of a live story.
type orders struct {
	*testing.T
	*failover.SQLOperator
	master, slave *playground.Node
	identity      string  // of the master
	clients, own  *sql.DB // as a client, and as Bellwether
}

// checkOrders needs node1 as the writable master and node2 as its slave.
func (l *live) checkOrders() {
	o := &orders{T: l.T, SQLOperator: failover.NewSQLOperator(l.config), master: l.nodes.Node("node1"), slave: l.nodes.Node("node2")}
	defer o.Close() //nolint:errcheck // end of a test
	account := l.config
	account.Operator = cluster.Account{User: l.nodes.Account.User, Password: l.nodes.Account.Password}
	var err error
	if o.clients, err = cluster.OpenNode(o.master.Addr(), account); err != nil {
		l.Fatal(err)
	}
	defer o.clients.Close() //nolint:errcheck // end of a test
	if o.own, err = cluster.OpenNode(o.master.Addr(), l.config); err != nil {
		l.Fatal(err)
	}
	defer o.own.Close() //nolint:errcheck // end of a test
	if o.identity, err = o.ReadIdentity(l.Context(), o.master.Addr()); err != nil {
		l.Fatal(err)
	}
	o.checkPositions()
	o.checkClosing()
	o.checkWaiters()
	o.checkLock()
	o.checkLeast(l.config)
}

func (o *orders) within(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(o.Context(), d)
	o.Cleanup(cancel)
	return ctx
}

func (o *orders) write(ctx context.Context, statement string) error {
	_, err := o.clients.ExecContext(ctx, statement)
	return err
}

// checkPositions: what the master has executed is awaited on the slave.
func (o *orders) checkPositions() {
	for _, statement := range []string{"CREATE DATABASE IF NOT EXISTS orders", "CREATE TABLE orders.t (a INT PRIMARY KEY)", "INSERT INTO orders.t VALUES (1)"} {
		if err := o.write(o.within(patience), statement); err != nil {
			o.Fatal(err)
		}
	}
	has, err := o.Executed(o.within(patience), o.master.Addr(), o.identity)
	if err != nil || has.IsEmpty() {
		o.Fatalf("executed %v, %v", has, err)
	}
	if err := o.AwaitApplied(o.within(patience), o.slave.Addr(), "", has); err != nil {
		o.Fatal(err)
	}
	got, err := o.Received(o.within(patience), o.slave.Addr(), "")
	if err != nil || !got.ContainsSet(has) {
		o.Errorf("received %v of %v, %v", got, has, err)
	}
	more, err := cluster.ParseGTIDSet(has.Flavour(), map[cluster.Flavour]string{
		cluster.FlavourMySQL: o.identity + ":1-1000000", cluster.FlavourMariaDB: "0-1-1000000",
	}[has.Flavour()])
	if err != nil {
		o.Fatal(err)
	}
	if err := o.AwaitApplied(o.within(300*time.Millisecond), o.slave.Addr(), "", more); !errors.Is(err, context.DeadlineExceeded) {
		o.Errorf("awaited what is nowhere: %v", err)
	}
	if _, err := o.Executed(o.within(patience), o.slave.Addr(), o.identity); !errors.Is(err, failover.ErrAnotherServer) {
		o.Errorf("asked another server: %v", err)
	}
}

// checkClosing: nobody commits any more once the node is closed, also who had
// all privileges and an open transaction; and fencing ends who is connected.
func (o *orders) checkClosing() {
	for name, order := range map[string]func(context.Context, string, string) error{"close": o.CloseWrites, "fence": o.Fence} {
		conn, err := o.clients.Conn(o.within(patience))
		if err != nil {
			o.Fatal(err)
		}
		for _, statement := range []string{"BEGIN", "INSERT INTO orders.t VALUES (2)"} {
			if _, err := conn.ExecContext(o.within(patience), statement); err != nil {
				o.Fatal(err)
			}
		}
		begun := time.Now()
		if err := order(o.within(patience), o.master.Addr(), o.identity); err != nil {
			o.Fatalf("%s: %v", name, err)
		}
		o.Logf("%s took %v", name, time.Since(begun).Round(time.Microsecond))
		if _, err := conn.ExecContext(o.within(patience), "COMMIT"); err == nil {
			o.Errorf("%s: a transaction was committed afterwards", name)
		}
		if err := conn.PingContext(o.within(patience)); name == "fence" && err == nil {
			o.Error("a connection survived the fence")
		}
		_ = conn.Close() // it may be gone
		if readOnly, err := o.ReadOnly(o.within(patience), o.master.Addr()); err != nil || !readOnly {
			o.Errorf("%s: read-only %t, %v", name, readOnly, err)
		}
		if err := o.OpenWrites(o.within(patience), o.master.Addr(), o.identity); err != nil {
			o.Fatal(err)
		}
	}
	if err := o.write(o.within(patience), "INSERT INTO orders.t VALUES (2)"); err != nil {
		o.Errorf("after it was opened again: %v", err)
	}
}

// checkWaiters: commits that wait for an acknowledgement which nobody gives do
// not keep a node from being fenced, Bellwether's own included.
func (o *orders) checkWaiters() {
	side := "master"
	for _, statement := range []string{"INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'", "SET GLOBAL rpl_semi_sync_source_enabled = 0"} {
		if err := o.write(o.within(patience), statement); err == nil {
			side = "source"
		}
	}
	waitNo := map[string]string{"source": "replica", "master": "slave"}[side]
	_ = o.write(o.within(patience), fmt.Sprintf("SET GLOBAL rpl_semi_sync_%s_wait_no_%s = 1", side, waitNo)) // MariaDB has it by default
	if err := o.write(o.within(patience), fmt.Sprintf("SET GLOBAL rpl_semi_sync_%s_timeout = 1000000, GLOBAL rpl_semi_sync_%[1]s_enabled = 1", side)); err != nil {
		o.Fatal(err)
	}
	var waiting sync.WaitGroup
	for i, db := range []*sql.DB{o.clients, o.own} {
		waiting.Go(func() {
			_, _ = db.ExecContext(o.within(patience), fmt.Sprintf("INSERT INTO orders.t VALUES (%d)", 100+i)) // it is killed
		})
	}
	o.untilWaiting(2)
	begun := time.Now()
	if err := o.Fence(o.within(4*time.Second), o.master.Addr(), o.identity); err != nil {
		o.Errorf("fence: %v", err)
	}
	o.Logf("fencing with waiters took %v", time.Since(begun).Round(time.Millisecond))
	waiting.Wait()
	if err := o.OpenWrites(o.within(patience), o.master.Addr(), o.identity); err != nil {
		o.Fatal(err)
	}
	_ = o.write(o.within(patience), fmt.Sprintf("SET GLOBAL rpl_semi_sync_%s_enabled = 0", side)) // it may be off already
}

func (o *orders) untilWaiting(want int) {
	for begun := time.Now(); ; time.Sleep(5 * time.Millisecond) { // bounded by patience
		got, err := o.master.Query(o.Context(), "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'INSERT INTO orders.t%' AND (STATE LIKE '%semi-sync ACK%' OR STATE = 'waiting for handler commit')")
		if err != nil || time.Since(begun) > patience {
			o.Fatalf("%s commits wait, %v", got, err)
		}
		if got == strconv.Itoa(want) {
			return
		}
	}
}

// checkLock: one holder at a time, who is named to the others, and whose lock
// goes with its connection.
func (o *orders) checkLock() {
	first, err := o.TakeLock(o.within(patience), o.slave.Addr())
	if err != nil {
		o.Fatal(err)
	}
	if err := first.Check(o.within(patience)); err != nil {
		o.Error(err)
	}
	var held *failover.HeldError
	if _, err := o.TakeLock(o.within(patience), o.slave.Addr()); !errors.As(err, &held) || held.Holder == "" {
		o.Errorf("taken twice: %v", err)
	}
	if err := o.Fence(o.within(patience), o.slave.Addr(), ""); err != nil {
		o.Error(err)
	}
	if err := first.Check(o.within(patience)); err != nil {
		o.Errorf("fencing took the lock: %v", err)
	}
	if err := first.Close(); err != nil {
		o.Error(err)
	}
	for begun := time.Now(); time.Since(begun) < patience; {
		again, err := o.TakeLock(o.within(patience), o.slave.Addr())
		if err == nil {
			_ = again.Close() // end of a test
			return
		}
	}
	o.Error("the lock outlived its connection")
}
