package acceptance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/internal/acceptance/rawclient"
	"github.com/bellwether-db/bellwether/internal/playground"
)

// world is one flavour's servers: a cluster of a master and two slaves with the
// product in front, and a server of the same kind that stands alone.
type world struct {
	flavour  string
	feed     string // what slaves replicate from
	dir      string
	cluster  *playground.Cluster
	straight *playground.Cluster
	proxy    *process

	startError error
}

func (w *world) start() (err error) {
	if err = os.MkdirAll(w.dir, 0o700); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	if err = w.startServers(); err != nil {
		return err
	}
	if w.proxy, err = w.startShared(); err != nil {
		return err
	}
	// The master is open now: its owner has published it.
	return asBoss(w.master(), func(c *rawclient.Conn) error { return script(c, "", accountsSQL(app)) })
}

func (w *world) startServers() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	flavour, err := playground.ParseFlavour(w.flavour)
	if err != nil {
		return err
	}
	options := playground.Options{
		Flavour: flavour, Relaxed: true, GeneralLog: true, MaxConnections: 400,
		App: playground.Account{User: boss.user, Password: boss.password},
	}
	options.Dir = filepath.Join(w.dir, "straight")
	if w.straight, err = playground.Start(ctx, options); err != nil {
		return err
	}
	options.Dir, options.Slaves, options.Replicate = filepath.Join(w.dir, "cluster"), 2, w.feed == "direct"
	if w.cluster, err = playground.Start(ctx, options); err != nil {
		return err
	}
	for _, n := range append(w.cluster.Nodes, w.straight.Nodes...) {
		if err := asBoss(n.Addr(), func(c *rawclient.Conn) error { return script(c, "", quietSQL(w.flavour)) }); err != nil {
			return err
		}
	}
	return asBoss(w.straight.Nodes[0].Addr(), func(c *rawclient.Conn) error {
		return script(c, "", append([]string{openSQL(w.flavour)}, accountsSQL(app)...))
	})
}

// quietSQL turns the general log off until a test reads it.
func quietSQL(string) []string { return []string{"SET GLOBAL general_log = OFF"} }

// openSQL makes a server writable.
func openSQL(flavour string) string {
	if flavour == "mysql" {
		return "SET GLOBAL super_read_only = OFF, GLOBAL read_only = OFF"
	}
	return "SET GLOBAL read_only = OFF"
}

// accountsSQL makes an account that may do everything in the tests' schemas.
func accountsSQL(a account) []string {
	return []string{
		fmt.Sprintf("CREATE USER '%s'@'%%' IDENTIFIED BY '%s'", a.user, a.password),
		fmt.Sprintf("GRANT ALL ON `acc%%`.* TO '%s'@'%%'", a.user),
	}
}

// startShared starts the product that the tests share.
func (w *world) startShared() (*process, error) {
	binary, err := suite.binary()
	if err != nil {
		return nil, err
	}
	settings := patientConfig(6000)
	if w.feed == "relay" {
		settings += "replication: {feed: relay, listen: \"127.0.0.1:0\", stored_log: {file_size: 64MB}}\n"
	}
	return w.startProxy(binary, w.dir, w.cluster, settings)
}

// startProxy starts a product with settings on top of the nodes'.
func (w *world) startProxy(binary, dir string, nodes *playground.Cluster, settings string) (*process, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	path := filepath.Join(dir, "bellwether.yaml")
	text := nodesConfig(nodes) + settings
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	return startProcess(binary, path)
}

// patientConfig gives a machine that is busy with other tests its time, so that
// no node is taken for dead or given up, no slave for late and no client for a
// stranger that is only slow. What depends on these bounds is tested elsewhere.
func patientConfig(clients int) string {
	return fmt.Sprintf(`proxy: {listen: "127.0.0.1:0", max_clients: %d, handshake_timeout: 1m, hold_timeout: 1m}
admin: {listen: "127.0.0.1:0"}
pool: {max_per_node: 300, verify_interval: 1s, wait_timeout: 1m, connect_timeout: 1m}
probes: {timeout: 10s, catalogue_interval: 1s}
reads: {max_lag: 1m, causal_wait: 5s}
failover: {automatic: false}
`, clients)
}

// anotherProxy starts one more proxy, on the server that others ask straight: the
// nodes have one that keeps any other from acting on them. The caller stops it.
func (w *world) anotherProxy(clients int) (*process, error) {
	binary, err := suite.binary()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(w.dir, "proxy-")
	if err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	return w.startProxy(binary, dir, w.straight, patientConfig(clients))
}

func nodesConfig(c *playground.Cluster) string {
	var b strings.Builder
	fmt.Fprintf(&b, "state_dir: state\noperator: {user: %q, password: %q}\nnodes:\n", c.Operator.User, c.Operator.Password)
	for _, n := range c.Nodes {
		fmt.Fprintf(&b, "  - {name: %s, address: %q, master: %v}\n", n.Name, n.Addr(), n == c.Master)
	}
	return b.String()
}

// slavesServe is an error unless the proxy sends reads to every slave.
func (w *world) slavesServe() error {
	metrics, err := w.proxy.metrics()
	if err != nil {
		return err
	}
	for _, n := range w.cluster.Slaves() {
		if !strings.Contains(metrics, fmt.Sprintf("\nbellwether_node_readable{node=%q} 1\n", n.Name)) {
			return fmt.Errorf("%s serves no reads", n.Name)
		}
	}
	return nil
}

func (w *world) master() string { return w.cluster.Master.Addr() }

func (w *world) stop() error {
	var err error
	if w.proxy != nil {
		err = w.proxy.stop()
	}
	for _, c := range []*playground.Cluster{w.cluster, w.straight} {
		if c != nil {
			err = errors.Join(err, c.Stop())
		}
	}
	return err
}

// arena is where programs are played in this world.
func (w *world) arena() *arena {
	a := &arena{
		flavour: w.flavour, straight: w.straight.Nodes[0].Addr(), proxied: w.proxy.proxyAddr, master: w.master(),
	}
	for _, n := range w.cluster.Slaves() {
		a.slaves = append(a.slaves, n.Addr())
	}
	return a
}

// stage makes a schema of its own for one test.
func (w *world) stage(t *testing.T, schema string) *stage {
	t.Helper()
	s, err := newStage(w.arena(), schema)
	if err == nil {
		err = s.reset()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
