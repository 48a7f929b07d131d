package playground

import (
	"context"
	"database/sql"
	"testing"
	"time"
)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func open(t *testing.T, n *Node, a Account) *sql.DB {
	db, err := sql.Open("mysql", n.DSN(a.User, a.Password, ""))
	ok(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func openedMaster(t *testing.T, c *Cluster) *sql.DB {
	t.Helper()
	ok(t, c.OpenMaster(soon(t), c.Master))
	return open(t, c.Master, c.Account)
}

func do(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		_, err := db.ExecContext(soon(t), s)
		ok(t, err)
	}
}

func query(t *testing.T, n *Node, q string) string {
	t.Helper()
	value, err := n.Query(soon(t), q)
	ok(t, err)
	return value
}

func count(t *testing.T, db *sql.DB) (rows int) {
	t.Helper()
	ok(t, db.QueryRowContext(soon(t), "SELECT COUNT(*) FROM shop.t").Scan(&rows))
	return rows
}

func caughtUp(t *testing.T, c *Cluster) {
	t.Helper()
	ok(t, c.WaitCaughtUp(soon(t)))
}

func inBackground(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}

// stillHeld: nothing may arrive; a short while is all that can be asked.
func stillHeld(t *testing.T, done <-chan error) {
	t.Helper()
	select {
	case err := <-done:
		t.Fatalf("was answered although held: %v", err)
	case <-time.After(150 * time.Millisecond):
	}
}

func ended(t *testing.T, done <-chan error) {
	t.Helper()
	select {
	case err := <-done:
		ok(t, err)
	case <-time.After(patience):
		t.Fatal("no answer")
	}
}
