package acceptance

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSecondBellwether: one that is pointed at a fleet on which another acts refuses
// to, and says so wherever one would look. Once the first is killed it takes the
// fleet over, and then the first is the one that is refused, with what it had
// recorded before. Whatever was acknowledged is there, and one node is writable.
func TestSecondBellwether(t *testing.T) {
	onFed(t, func(f *fed) {
		db := f.connect(f.proxyAddr)
		f.write(db, "CREATE DATABASE shop")
		f.write(db, "CREATE TABLE shop.t (id INT PRIMARY KEY)")
		f.write(db, "INSERT INTO shop.t VALUES (1)")
		first, firstConfig := f.proxy, f.config
		f.proxyAddr, f.config = freeAddr(f.T), filepath.Join(f.TempDir(), "second.yaml")
		f.must(os.WriteFile(f.config, []byte(f.settings()), 0o600))
		binary, err := suite.binary()
		f.must(err)
		second, err := beginProcess(binary, f.config)
		f.must(err)
		f.proxy = second // it is stopped at the end
		f.wantRefused(second)
		if _, err := first.get("/readyz"); err != nil {
			f.Errorf("the first, beside the second: %v", err)
		}
		f.write(db, "INSERT INTO shop.t VALUES (2)")
		f.wantOneWritable()

		f.must(first.command.Process.Kill())
		<-first.ended
		f.must(second.waitReady())
		f.wantOneWritable()
		f.write(f.connect(f.proxyAddr), "INSERT INTO shop.t VALUES (3)")

		again, err := beginProcess(binary, firstConfig)
		f.must(err)
		defer again.stop() //nolint:errcheck // it serves nobody
		f.wantRefused(again)
		f.write(f.connect(f.proxyAddr), "INSERT INTO shop.t VALUES (4)")
		f.wantOneWritable()
		rows, err := f.servers.Master.Query(f.Context(), "SELECT GROUP_CONCAT(id ORDER BY id) FROM shop.t")
		if err != nil || rows != "1,2,3,4" {
			f.Errorf("rows %s, %v", rows, err)
		}
	})
}

// connect is a client of a proxy.
func (f *fed) connect(addr string) *sql.DB {
	f.Helper()
	db, err := sql.Open("mysql", fmt.Sprintf("%s:%s@tcp(%s)/", f.servers.Account.User, f.servers.Account.Password, addr))
	f.must(err)
	f.Cleanup(func() { _ = db.Close() })
	return db
}

func (f *fed) write(db *sql.DB, statement string) {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), patience)
	defer cancel()
	if _, err := db.ExecContext(ctx, statement); err != nil {
		f.Fatalf("%s: %v", statement, err)
	}
}

// wantRefused waits until a Bellwether says, by /readyz, in its metrics and in its
// log, that another one acts, and that it serves no writes.
func (f *fed) wantRefused(p *process) {
	f.Helper()
	for deadline := time.Now().Add(patience); ; rest(f.Context(), 20*time.Millisecond) {
		err := p.ready()
		metrics := ""
		if p.adminAddr != "" {
			metrics, _ = p.metrics() // it may not listen yet
		}
		refused := err != nil && strings.Contains(err.Error(), "503") && strings.Contains(err.Error(), "another Bellwether")
		counted := strings.Contains(metrics, `bellwether_problems{kind="lock_held"`)
		told := strings.Contains(p.output.String(), "kind=lock_held") && strings.Contains(p.output.String(), "writes=refused")
		if refused && counted && told {
			break
		}
		if time.Now().After(deadline) {
			f.Fatalf("/readyz: %v; in metrics %v, in the log %v\n%s", err, counted, told, tail(p.output.String(), 3000))
		}
	}
	if text, err := p.metrics(); err != nil || masterMetric.MatchString(text) {
		f.Errorf("it has a master: %v", err)
	}
}

// wantOneWritable asks the nodes themselves.
func (f *fed) wantOneWritable() {
	f.Helper()
	for _, n := range f.servers.Nodes {
		got, err := n.Query(f.Context(), "SELECT @@global.read_only")
		if want := map[bool]string{true: "0", false: "1"}[n == f.servers.Master]; err != nil || got != want {
			f.Errorf("%s: read_only %s, want %s: %v", n.Name, got, want, err)
		}
	}
}
