package acceptance

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
)

// fleet is what `bellwether demo` makes: a master and two slaves whose disks are
// durable, and in front of them the product with its default settings; here as a
// process of its own, which can be killed.
type fleet struct {
	*fed
	binary string
	admin  string // an address that stays the same, so that the command line finds it
	feed   string // what slaves replicate from
	// written is what the runs so far have left, for the next one to find.
	written string
}

// fleetPatience bounds the start of a fleet.
const fleetPatience = 5 * time.Minute

// fleetNeeds is what is special about a fleet; the zero value is nothing.
type fleetNeeds struct {
	feed        string             // "" for relay
	prepare     func(state string) // is called with the product's folder before the product is started; nil for nothing
	environment []string           // of the servers, more than they have
}

// startFleet makes a fleet. It lives until the test ends, or until close.
func startFleet(t *testing.T, flavour playground.Flavour, binary string, needs fleetNeeds) *fleet {
	t.Helper()
	dir := t.TempDir()
	f := &fleet{binary: binary, feed: cmp.Or(needs.feed, "relay"), fed: &fed{T: t, config: filepath.Join(dir, "bellwether.yaml"), proxyAddr: freeAddr(t)}}
	f.admin = nextAddr(t, f.proxyAddr)
	ctx, cancel := context.WithTimeout(t.Context(), fleetPatience)
	defer cancel()
	var err error
	f.servers, err = playground.Start(ctx, playground.Options{
		Flavour: flavour, Dir: filepath.Join(dir, "servers"), Slaves: 2, Environment: needs.environment, Replicate: f.feed == "direct",
	})
	f.must(err)
	t.Cleanup(f.close)
	if needs.prepare != nil {
		needs.prepare(f.state())
	}
	f.must(os.WriteFile(f.config, []byte(f.settings()), 0o600))
	f.must(f.launch())
	f.must(f.whole(fleetPatience))
	f.run(chaosSchema()...)
	return f
}

// nextAddr is a free address with a port above another's.
func nextAddr(t *testing.T, addr string) string {
	t.Helper()
	host, text, _ := net.SplitHostPort(addr) // it is freeAddr's
	port, _ := strconv.Atoi(text)
	for range 1000 {
		port++
		if l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port))); err == nil {
			l.Close()
			return l.Addr().String()
		}
	}
	t.Fatalf("no port is free above %s", addr)
	return ""
}

// settings are those of the demo, but for the limit of failovers in a while:
// here masters die faster than one would believe outside.
func (f *fleet) settings() string {
	var b strings.Builder
	fmt.Fprintf(&b, "state_dir: state\noperator: {user: %q, password: %q}\nnodes:\n", f.servers.Operator.User, f.servers.Operator.Password)
	for _, n := range f.servers.Nodes {
		fmt.Fprintf(&b, "  - {name: %s, address: %q, master: %v}\n", n.Name, n.Addr(), n == f.servers.Master)
	}
	fmt.Fprintf(&b, "replication:\n  feed: %s\n  listen: \"127.0.0.1:0\"\n", f.feed)
	fmt.Fprintf(&b, "  account: {user: %q, password: %q}\n", f.servers.Replication.User, f.servers.Replication.Password)
	b.WriteString("failover: {window: 0s}\n")
	fmt.Fprintf(&b, "proxy: {listen: %q}\nadmin: {listen: %q}\n", f.proxyAddr, f.admin)
	return b.String()
}

// state is the product's folder.
func (f *fleet) state() string { return filepath.Join(filepath.Dir(f.config), "state") }

// launch starts the product, and returns when it serves writes.
func (f *fleet) launch() error {
	started, err := startProcess(f.binary, f.config)
	if err == nil {
		f.proxy = started
	}
	return err
}

// running reports whether the process has not ended.
func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// close ends everything. A second call does nothing.
func (f *fleet) close() {
	if f.servers == nil {
		return
	}
	if f.proxy != nil && f.proxy.running() {
		if err := f.proxy.stop(); err != nil {
			f.Error(err)
		}
	}
	if err := f.servers.Stop(); err != nil {
		f.Error(err)
	}
	f.servers = nil
}

// masterMetric and readableMetric find in the metrics what the product takes a node for.
var (
	masterMetric   = regexp.MustCompile(`(?m)^bellwether_node_role\{node="(\w+)",role="master"\} 1$`)
	readableMetric = regexp.MustCompile(`(?m)^bellwether_node_readable\{node="(\w+)"\} 1$`)
)

// master is the node that the product takes for the master.
func (f *fleet) master() (*playground.Node, error) {
	text, err := f.proxy.metrics()
	if err != nil {
		return nil, err
	}
	found := masterMetric.FindStringSubmatch(text)
	if found == nil {
		return nil, fmt.Errorf("the product has no master")
	}
	return f.servers.Node(found[1]), nil
}

// whole waits until writes are open, and every node but the master reads.
func (f *fleet) whole(within time.Duration) error {
	return f.until(within, func() error {
		if _, err := f.proxy.get("/readyz"); err != nil {
			return err
		}
		text, err := f.proxy.metrics()
		if err != nil {
			return err
		}
		if read := readableMetric.FindAllStringSubmatch(text, -1); len(read) != len(f.servers.Nodes)-1 {
			return fmt.Errorf("%d slaves serve reads: %v", len(read), read)
		}
		return nil
	})
}

// until tries until it succeeds or so much time has passed.
func (f *fleet) until(within time.Duration, try func() error) error {
	deadline := time.Now().Add(within)
	for {
		err := try()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("after %v: %w", within, err)
		}
		rest(f.Context(), 10*time.Millisecond)
	}
}

// executedBy is all that a node has written or applied.
func (f *fleet) executedBy(n *playground.Node) (*cluster.GTIDSet, error) {
	query, flavour := "SELECT @@GLOBAL.gtid_executed", cluster.FlavourMySQL
	if f.mariadb() {
		query, flavour = "SELECT @@GLOBAL.gtid_binlog_pos", cluster.FlavourMariaDB
	}
	text, err := n.Query(f.Context(), query)
	if err != nil {
		return nil, err
	}
	return cluster.ParseGTIDSet(flavour, text)
}
