package failover_test

import (
	"context"
	"database/sql"
	"errors"
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
	identity      string // of the master
	clients       *sql.DB
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
	if o.identity, err = o.ReadIdentity(l.Context(), o.master.Addr()); err != nil {
		l.Fatal(err)
	}
	o.checkPositions()
	o.checkClosing()
	o.checkLock()
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
