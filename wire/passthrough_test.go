package wire_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/bellwether-db/bellwether/wire"
)

// guest is an account of the node alone: nothing configures it in front.
const guest = "guest"

// through makes the node the judge of the front's clients, as the proxy does.
func (n *node) through(f *front) {
	f.note(func() { f.decide = func(l *wire.Login) *wire.ServerError { return n.verdict(f, l) } })
}

func (n *node) verdict(f *front, l *wire.Login) *wire.ServerError {
	f.note(func() { f.login = how(l) })
	err := n.tryLogin(l)
	if errors.Is(err, wire.ErrNeedPassword) {
		f.note(func() { f.asked++ })
		if err = l.AskPassword(); err == nil {
			err = n.tryLogin(l)
		}
	}
	var refused *wire.ServerError
	if err != nil && !errors.As(err, &refused) {
		f.t.Errorf("pass through: %v", err)
		return l.AccessDenied()
	}
	if err == nil {
		f.remember(l)
	}
	return refused
}

func (n *node) tryLogin(l *wire.Login) error {
	cfg := n.config(wire.TLSOff, l.Secret)
	cfg.User, cfg.Database = l.User, l.Database
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, _, err := wire.Dial(ctx, cfg)
	if err == nil {
		_ = c.Close()
	}
	return err
}

// exec runs statements on the node, which may write.
func (n *node) exec(t *testing.T, statements ...string) {
	t.Helper()
	db, err := sql.Open("mysql", n.DSN(n.account.User, n.account.Password, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func (f *front) askedSoFar() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked
}

// TestPassThrough: an account of the nodes logs in with its own password, first
// in full, then fast; where the node has forgotten it, the client is asked; and a
// changed password ends the old one.
func TestPassThrough(t *testing.T) {
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) {
			n, f := startNode(t, flavour), newFront(t)
			n.through(f)
			n.exec(t, "SET GLOBAL read_only = 0", "CREATE USER guest@'%' IDENTIFIED BY 'first'")
			for name, run := range map[string]client{"mysql": mysqlClient, "mariadb": mariadbClient, "go": goClient} {
				for _, secure := range []bool{false, true} {
					f.forget()
					t.Run(name+map[bool]string{true: "+tls"}[secure], func(t *testing.T) { n.life(t, f, run, secure) })
				}
			}
		})
	}
}

// life is one account's: in, in again, forgotten by the node, changed.
func (n *node) life(t *testing.T, f *front, run client, secure bool) {
	n.exec(t, "ALTER USER guest@'%' IDENTIFIED BY 'first'", "FLUSH PRIVILEGES")
	suffix := map[bool]string{true: "+tls"}[secure]
	in := func(password, want string) {
		t.Helper()
		if err := run(t, f, guest, password, secure); err != nil {
			t.Error(err)
		}
		if got := f.last(); got != want+suffix {
			t.Errorf("login was %s, want %s", got, want+suffix)
		}
	}
	in("first", "full")
	before := f.askedSoFar()
	in("first", "fast")
	if got := f.askedSoFar(); got != before {
		t.Error("client was asked, though the node knows the account")
	}
	n.exec(t, "FLUSH PRIVILEGES")
	in("first", "fast") // and, on MySQL, asked after all
	if got := f.askedSoFar() - before; (got == 1) != (n.flavour == playground.MySQL) {
		t.Errorf("client was asked %d times", got)
	}
	n.exec(t, "ALTER USER guest@'%' IDENTIFIED BY 'second'")
	if err := run(t, f, guest, "first", secure); err == nil {
		t.Error("the old password still works")
	}
	in("second", "full")
	in("second", "fast")
}
