package wire_test

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/bellwether-db/bellwether/wire"
)

// client runs one real client once: log in, one statement, out. Its error holds
// what the client said.
type client func(t *testing.T, f *front, user, password string, secure bool) error

// program finds a command line of servers.sh, or on PATH.
func program(t *testing.T, name string) string {
	t.Helper()
	dir, err := playground.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	path, err := exec.LookPath(filepath.Join(dir, "bin", name))
	if err != nil {
		path, err = exec.LookPath(name)
	}
	if err != nil {
		t.Fatalf("no %s client: run scripts/servers.sh, or install it so that it is on PATH", name)
	}
	return path
}

func run(t *testing.T, name string, args ...string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	args = append([]string{"--no-defaults"}, append(args, "-N", "-e", "SELECT 'hello'")...)
	out, err := exec.CommandContext(ctx, program(t, name), args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	if !strings.Contains(string(out), "hello") {
		return fmt.Errorf("answer is %q", out)
	}
	return nil
}

func (f *front) args(user, password string) []string {
	host, port, _ := net.SplitHostPort(f.ln.Addr().String())
	return []string{"--protocol=tcp", "--host=" + host, "--port=" + port, "--user=" + user, "--password=" + password}
}

func mysqlClient(t *testing.T, f *front, user, password string, secure bool) error {
	args := append(f.args(user, password), "--get-server-public-key", "--ssl-mode=DISABLED")
	if secure {
		args[len(args)-1] = "--ssl-mode=REQUIRED"
	}
	return run(t, "mysql", args...)
}

func mariadbClient(t *testing.T, f *front, user, password string, secure bool) error {
	args := append(f.args(user, password), "--skip-ssl")
	if secure {
		args[len(args)-1] = "--ssl"
		args = append(args, "--skip-ssl-verify-server-cert")
	}
	return run(t, "mariadb", args...)
}

// mariadbNativeClient knows mysql_native_password only.
func mariadbNativeClient(t *testing.T, f *front, user, password string, _ bool) error {
	return run(t, "mariadb", append(f.args(user, password), "--skip-ssl", "--default-auth=mysql_native_password")...)
}

func goClient(t *testing.T, f *front, user, password string, secure bool) error {
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr, cfg.User, cfg.Passwd, cfg.Timeout = "tcp", f.ln.Addr().String(), user, password, time.Minute
	if secure {
		cfg.TLS = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
	}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	var hello string
	if err := db.QueryRowContext(t.Context(), "SELECT 'hello'").Scan(&hello); err != nil || hello != "hello" {
		return fmt.Errorf("answer is %q: %w", hello, err)
	}
	return nil
}

func TestClients(t *testing.T) {
	f := newFront(t)
	for name, run := range map[string]client{"mysql": mysqlClient, "mariadb": mariadbClient, "go": goClient} {
		for _, secure := range []bool{false, true} {
			suffix := ""
			if secure {
				suffix = "+tls"
			}
			t.Run(name+suffix, func(t *testing.T) {
				f.forget()
				logIn(t, f, run, clientUser, secure, "full"+suffix)
				logIn(t, f, run, clientUser, secure, "fast"+suffix)
				logIn(t, f, run, emptyUser, secure, "empty"+suffix)
				logIn(t, f, run, nativeUser, secure, "full"+suffix, "native"+suffix)
				wrongPassword(t, f, run, secure)
			})
		}
	}
	t.Run("native only", func(t *testing.T) {
		logIn(t, f, mariadbNativeClient, nativeUser, false, "native")
	})
}

// logIn logs in with the right password and compares how that went.
func logIn(t *testing.T, f *front, run client, user string, secure bool, want ...string) {
	t.Helper()
	if err := run(t, f, user, passwords[user], secure); err != nil {
		t.Errorf("%s: %v", user, err)
	}
	if got := f.last(); !slices.Contains(want, got) {
		t.Errorf("%s: login was %s, want %s", user, got, want)
	}
}

// wrongPassword tries an account that is remembered and one that does not exist.
func wrongPassword(t *testing.T, f *front, run client, secure bool) {
	t.Helper()
	for _, user := range []string{clientUser, nativeUser, "stranger"} {
		err := run(t, f, user, "wrong", secure)
		var e *mysql.MySQLError
		if err == nil || !strings.Contains(err.Error(), "1045") && !errors.As(err, &e) {
			t.Errorf("%s: wrong password: %v", user, err)
		}
	}
}

// TestAskRealClients: a client on the fast path sends its password when the node
// turns out to want it.
func TestAskRealClients(t *testing.T) {
	f := newFront(t)
	f.note(func() { f.ask = true })
	for name, run := range map[string]client{"mysql": mysqlClient, "mariadb": mariadbClient, "go": goClient} {
		for _, secure := range []bool{false, true} {
			for range 2 {
				if err := run(t, f, clientUser, clientPassword, secure); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
	if f.asked != 11 { // all but the very first
		t.Errorf("%d clients were on the fast path and asked", f.asked)
	}
}

var _ wire.AccountLookup = (*front)(nil)
