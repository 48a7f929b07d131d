package upstream

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/bellwether-db/bellwether/wire"
)

// park holds one running server of each flavour for all tests of the package.
type park struct {
	mu      sync.Mutex
	dir     string
	started map[playground.Flavour]*playground.Cluster
}

var servers park

// flavours are the two names of each.
var flavours = map[playground.Flavour]cluster.Flavour{playground.MySQL: cluster.FlavourMySQL, playground.MariaDB: cluster.FlavourMariaDB}

func TestMain(m *testing.M) {
	code := m.Run()
	servers.stop()
	os.Exit(code)
}

func (p *park) stop() {
	for _, c := range p.started {
		_ = c.Stop()
	}
	if p.dir != "" {
		_ = os.RemoveAll(p.dir)
	}
}

// cluster starts the server of a flavour, or returns the one that runs.
func (p *park) cluster(f playground.Flavour) (*playground.Cluster, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.started[f]; c != nil {
		return c, nil
	}
	if p.started == nil {
		p.started = map[playground.Flavour]*playground.Cluster{}
		var err error
		if p.dir, err = os.MkdirTemp("", "upstream-test-*"); err != nil {
			return nil, err
		}
	}
	if _, _, err := wire.LoadOrMakeCertificate(p.dir); err != nil {
		return nil, err
	}
	o := playground.Options{Flavour: f, Relaxed: true, ExtraArgs: []string{
		"--ssl-cert=" + filepath.Join(p.dir, "server-cert.pem"), "--ssl-key=" + filepath.Join(p.dir, "server-key.pem"),
	}}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := playground.Start(ctx, o)
	if err == nil {
		p.started[f] = c
	}
	return c, err
}

// world is one flavour's server, open for writes, and a test that uses it.
type world struct {
	*testing.T
	*playground.Node
	cluster *playground.Cluster
	flavour cluster.Flavour
	db      *sql.DB // past the relay, so that a cut concerns the replicator only
}

// onServers runs a test on the server of each flavour.
func onServers(t *testing.T, test func(*world)) {
	for _, f := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(f.String(), func(t *testing.T) {
			c, err := servers.cluster(f)
			if err != nil {
				t.Fatalf("start a %s: %v (scripts/servers.sh fetches the servers)", f, err)
			}
			w := &world{T: t, Node: c.Master, cluster: c, flavour: flavours[f]}
			w.db = w.open()
			t.Cleanup(func() {
				_ = w.db.Close()
				w.Mend()
				if t.Failed() {
					t.Log(c.Logs())
				}
			})
			w.must(c.OpenMaster(t.Context(), c.Master))
			w.exec("CREATE DATABASE IF NOT EXISTS up", "DROP TABLE IF EXISTS up.t", "CREATE TABLE up.t (id BIGINT AUTO_INCREMENT PRIMARY KEY, w INT, v LONGBLOB)")
			test(w)
		})
	}
}

func (w *world) open() *sql.DB {
	w.Helper()
	a := w.cluster.Account
	db, err := sql.Open("mysql", a.User+":"+a.Password+"@tcp("+w.DirectAddr()+")/")
	w.must(err)
	return db
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) exec(statements ...string) {
	w.Helper()
	for _, s := range statements {
		if _, err := w.db.ExecContext(w.Context(), s); err != nil {
			w.Fatalf("%.200s: %v", s, err)
		}
	}
}

func (w *world) value(query string) string {
	w.Helper()
	v, err := w.Query(w.Context(), query)
	w.must(err)
	return v
}

// config reads from the world's server.
func (w *world) config() Config {
	return Config{
		Addr: w.Addr(), User: w.cluster.Operator.User, Secret: wire.PasswordSecret(w.cluster.Operator.Password),
		TLS: wire.TLSRequired, TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12}, Identity: w.identity(),
		ServerID: 4242, UUID: "42424242-4242-4242-4242-424242424242", Heartbeat: 400 * time.Millisecond, SemiSync: true,
	}
}

func (w *world) identity() string {
	w.Helper()
	f, id, err := cluster.ReadIdentity(w.Context(), w.db)
	w.must(err)
	if f != w.flavour {
		w.Fatalf("flavour %s, want %s", f, w.flavour)
	}
	return id
}

// position is what the server has executed.
func (w *world) position() *cluster.GTIDSet {
	w.Helper()
	if w.flavour == cluster.FlavourMariaDB {
		return set(w.T, w.flavour, w.value("SELECT @@GLOBAL.gtid_binlog_pos"))
	}
	return set(w.T, w.flavour, w.value("SELECT @@GLOBAL.gtid_executed"))
}

// here is a sink that begins at the server's position.
func (w *world) here() *memory {
	m := newMemory(w.flavour)
	m.executed = w.position()
	return m
}

// read runs a client on a sink until the test, or end, ends it. end may be
// called more than once.
func (w *world) read(c Config, sink Sink) (client *Client, end func()) {
	w.Helper()
	client = New(c, sink, slog.New(slog.NewTextHandler(w.Output(), nil)))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- client.Run(ctx) }()
	end = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				w.Errorf("the client ended: %v", err)
			}
		case <-time.After(20 * time.Second):
			w.Error("the client does not end")
		}
	})
	w.Cleanup(end)
	return client, end
}

// refused runs a client that must give up.
func (w *world) refused(c Config, sink Sink) *Refusal {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 20*time.Second)
	defer cancel()
	err := New(c, sink, slog.New(slog.DiscardHandler)).Run(ctx)
	var r *Refusal
	if !errors.As(err, &r) {
		w.Fatalf("ended with %v, want a refusal", err)
	}
	if r.Addr != c.Addr {
		w.Errorf("refusal of %q, want %q", r.Addr, c.Addr)
	}
	return r
}

// eventually waits for a state.
func (w *world) eventually(what string, state func() bool) {
	w.Helper()
	for deadline := time.Now().Add(30 * time.Second); !state(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.Fatalf("never came: %s", what)
		}
	}
}

// caughtUp waits until all that the server has is in the sink.
func (w *world) caughtUp(m *memory) {
	w.Helper()
	want := w.position()
	w.eventually("everything in the sink", func() bool { return m.Executed().ContainsSet(want) })
	if got := m.Executed(); !got.Equal(w.position()) {
		w.Errorf("the sink has %s, the server %s", got, w.position())
	}
}
