package replicator

import (
	"context"
	"database/sql"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
)

// Who is no node of the configuration reads the stored log, too, with the account
// that it names: a replica that nobody here looks after, and mysqlbinlog. Another
// password counts at once.
func TestGuestsReadTheStoredLog(t *testing.T) {
	worlds(t, 1, func(w *world) {
		repl := w.nodes.Replication
		w.refused(repl.User, repl.Password)
		w.guest(repl.User, repl.Password)
		plain := playground.ForTest(t, playground.Options{
			Flavour: w.nodes.Flavour, Relaxed: true, Replication: repl, ExtraArgs: []string{"--server-id=77"},
		})
		replica := plain.Nodes[0]
		w.must(plain.ReplicateFrom(w.Context(), replica, w.replicator.Status().Address))
		if w.nodes.Flavour == playground.MySQL { // which insists on TLS, and the story has none
			w.must(replica.Exec(w.Context(), "STOP REPLICA", "CHANGE REPLICATION SOURCE TO SOURCE_SSL = 0", "START REPLICA"))
		}
		w.must(w.nodes.Nodes[0].Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, v INT)", "INSERT INTO shop.t VALUES (1, 4711)"))
		w.converge()
		w.until("a replica of nobody's to have it", func(*cluster.Topology) bool {
			got, err := replica.Query(w.Context(), "SELECT v FROM shop.t")
			return err == nil && got == "4711"
		})
		if text, err := w.binlog(repl.User, repl.Password); err != nil || !strings.Contains(text, "4711") {
			w.Errorf("%v: %s", err, text)
		}
		w.guest(repl.User, "another one")
		w.refused(repl.User, repl.Password)
		if text, err := w.binlog(repl.User, "another one"); err != nil || !strings.Contains(text, "4711") {
			w.Errorf("%v: %s", err, text)
		}
	})
}

// guest names the account for guests.
func (w *world) guest(user, password string) {
	w.config.Direct = cluster.Account{User: user, Password: password}
	w.must(w.replicator.Accepts(w.config))
	w.replicator.Configure(w.config)
}

// refused wants nobody to be let in so.
func (w *world) refused(user, password string) {
	w.Helper()
	if _, err := w.firstFile(user, password); err == nil {
		w.Errorf("%s is let in", user)
	}
}

// firstFile is the name of the stored log's first file, as it tells it itself.
func (w *world) firstFile(user, password string) (string, error) {
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd, c.Timeout, c.Logger = "tcp", w.replicator.Status().Address, user, password, 5*time.Second, &mysql.NopLogger{}
	db, err := sql.Open("mysql", c.FormatDSN())
	w.must(err)
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(w.Context(), "SHOW BINARY LOGS")
	if err != nil {
		return "", err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	w.must(err)
	var name string
	into := []any{&name}
	for range len(columns) - 1 {
		into = append(into, new(sql.RawBytes))
	}
	if rows.Next() {
		w.must(rows.Scan(into...))
	}
	return name, rows.Err()
}

// binlog has the servers' own tool read everything that is stored.
func (w *world) binlog(user, password string) (string, error) {
	w.Helper()
	file, err := w.firstFile(user, password)
	w.must(err)
	cache, err := playground.CacheDir()
	w.must(err)
	host, port, err := net.SplitHostPort(w.replicator.Status().Address)
	w.must(err)
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	tool := exec.CommandContext(ctx, filepath.Join(cache, "bin", w.either("mysqlbinlog", "mariadb-binlog")), "--no-defaults", "--read-from-remote-server",
		"--verbose", "--to-last-log", "--host="+host, "--port="+port, "--user="+user, file)
	tool.Env = append(os.Environ(), "MYSQL_PWD="+password)
	text, err := tool.CombinedOutput()
	return string(text), err
}
