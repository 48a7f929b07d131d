package acceptance

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/internal/acceptance/rawclient"
)

// TestAccountsFollowTheNodes changes, locks and drops accounts on the master and
// wants the proxy to follow, whatever it remembers.
func TestAccountsFollowTheNodes(t *testing.T) {
	onEachFlavour(t, func(t *testing.T, w *world) {
		s := w.stage(t, "accacct")
		changes := map[string]string{
			"changed": "ALTER USER 'changed'@'%' IDENTIFIED BY 'second'",
			"locked":  "ALTER USER 'locked'@'%' ACCOUNT LOCK",
			"dropped": "DROP USER 'dropped'@'%'",
		}
		for user, change := range changes {
			if err := script(s.master, s.schema, append([]string{"DROP USER IF EXISTS '" + user + "'@'%'"}, accountsSQL(account{user, "first"})...)); err != nil {
				t.Fatal(err)
			}
			if err := s.settle(); err != nil {
				t.Fatal(err)
			}
			for range 3 { // full, then fast
				if err := login(w, user, "first"); err != nil {
					t.Fatalf("%s: %v", user, err)
				}
			}
			if err := script(s.master, s.schema, []string{change}); err != nil {
				t.Fatal(err)
			}
			if err := eventually(func() error { return wantRefused(login(w, user, "first")) }); err != nil {
				t.Errorf("%s: %v", user, err)
			}
		}
		if err := eventually(func() error { return login(w, "changed", "second") }); err != nil {
			t.Errorf("the new password: %v", err)
		}
	})
}

// login logs in through the proxy and asks on the master and on a slave.
func login(w *world, user, password string) error {
	c, err := rawclient.Dial(rawclient.Config{Addr: w.proxy.proxyAddr, User: user, Password: password, Database: "accacct"})
	if err != nil {
		return err
	}
	defer c.Close()
	for _, hint := range []string{"master", "slave"} {
		if _, err := ask(c, "/* bellwether: "+hint+" */ SELECT COUNT(*) FROM t1"); err != nil {
			return err
		}
	}
	return c.Quit()
}

func wantRefused(err error) error {
	if err == nil {
		return errors.New("the login still succeeds")
	}
	var refused *rawclient.Refused
	if !errors.As(err, &refused) {
		return fmt.Errorf("want a refused login, got: %w", err)
	}
	return nil
}

// TestWrongLogins wants the server's own words for logins that it refuses.
func TestWrongLogins(t *testing.T) {
	onEachFlavour(t, func(t *testing.T, w *world) {
		for _, c := range []rawclient.Config{
			{User: app.user, Password: "wrong"}, {User: app.user}, {User: "nobody", Password: "x"}, {User: "nobody"},
			{User: app.user, Password: app.password, Database: "nodb"}, {User: app.user, Password: app.password, Database: "mysql"},
		} {
			straight, proxied := c, c
			straight.Addr, proxied.Addr = w.straight.Nodes[0].Addr(), w.proxy.proxyAddr
			_, errA := rawclient.Dial(straight)
			_, errB := rawclient.Dial(proxied)
			if errA == nil || errB == nil || asLocalhost(errA) != asLocalhost(errB) {
				t.Errorf("%s with %q to %q\n  straight: %v\n  proxy:    %v", c.User, c.Password, c.Database, errA, errB)
			}
		}
	})
}

// asLocalhost is an error's text with one word for this host: a server looks its
// client's name up, the proxy does not.
func asLocalhost(err error) string {
	return strings.ReplaceAll(err.Error(), "'127.0.0.1'", "'localhost'")
}

// TestTooManyClients wants the server's own error when the limit is reached.
func TestTooManyClients(t *testing.T) {
	onEachFlavour(t, func(t *testing.T, w *world) {
		small, err := w.anotherProxy(3)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := small.stop(); err != nil {
				t.Error(err)
			}
		}()
		dial := func() (*rawclient.Conn, error) {
			return rawclient.Dial(rawclient.Config{Addr: small.proxyAddr, User: app.user, Password: app.password})
		}
		var all []*rawclient.Conn
		for range 3 {
			c, err := dial()
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, c)
		}
		_, err = dial()
		var refused *rawclient.Refused
		if !errors.As(err, &refused) || refused.Packet.Code() != 1040 {
			t.Errorf("the fourth of 3 clients: %v, want error 1040", err)
		}
		for _, c := range all {
			if err := c.Quit(); err != nil {
				t.Error(err)
			}
		}
		if err := eventually(func() error { _, err := dial(); return err }); err != nil {
			t.Errorf("after the others left: %v", err)
		}
	})
}
