package failover_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/failover"
	"github.com/bellwether-db/bellwether/internal/playground"
)

// live is a monitor and a controller over real servers.
type live struct {
	*testing.T
	nodes  *playground.Cluster
	config cluster.Config
	dir    string
	store  *cluster.Store
	stop   func()
}

func TestLive(t *testing.T) {
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) {
			t.Parallel()
			l := &live{T: t, dir: t.TempDir()}
			l.nodes = playground.ForTest(t, playground.Options{Flavour: flavour, Slaves: 1, Replicate: true, Relaxed: true})
			l.config = cluster.Default()
			l.config.Operator = cluster.Account{User: l.nodes.Operator.User, Password: l.nodes.Operator.Password}
			for _, n := range l.nodes.Nodes {
				l.config.Nodes = append(l.config.Nodes, cluster.NodeConfig{Name: n.Name, Addr: n.Addr(), Weight: 1})
			}
			l.start("node1")
			l.checkFirstStart()
			l.checkReturn()
			l.stop()
			l.checkOrders()
			l.checkOtherServer()
		})
	}
}

// start begins one process: monitor and controller over the state directory.
func (l *live) start(master string) {
	l.store = cluster.NewStore(&cluster.Topology{})
	if _, err := cluster.NewRegistry(l.store).Apply(l.config); err != nil {
		l.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(l.Output(), nil))
	c := failover.Default()
	c.StateDir, c.Master = l.dir, master
	monitor := cluster.NewMonitor(l.store, l.config, log, nil)
	controller := failover.NewController(l.store, c, failover.Parts{Operator: failover.NewSQLOperator(l.config), Log: log})
	ctx, cancel := context.WithCancel(context.Background())
	var rooms sync.WaitGroup
	for _, run := range []func(context.Context) error{monitor.Run, controller.Run} {
		rooms.Go(func() {
			if err := run(ctx); err != nil {
				l.Error(err)
			}
		})
	}
	l.stop = sync.OnceFunc(func() { cancel(); rooms.Wait() })
	l.Cleanup(l.stop)
}

// patience bounds every wait, on a machine that is busy with other things.
const patience = time.Minute

func (l *live) until(what string, is func(*cluster.Topology) bool) {
	l.Helper()
	begun := time.Now()
	for !is(l.store.Load()) {
		if time.Since(begun) > patience {
			t := l.store.Load()
			l.Fatalf("%s: not in time; writes %v: %s", what, t.Writes, t.WritesReason)
		}
		time.Sleep(5 * time.Millisecond) // bounded by patience
	}
}

func writes(w cluster.Writes) func(*cluster.Topology) bool {
	return func(t *cluster.Topology) bool { return t.Writes == w }
}

// checkFirstStart: the configured node, and only it, becomes writable.
func (l *live) checkFirstStart() {
	l.until("open", func(t *cluster.Topology) bool { return t.Writes == cluster.WritesOpen && len(t.Readable) == 1 })
	t := l.store.Load()
	if t.MasterNode().Name != "node1" || t.MasterIdentity == "" || t.MasterIdentity != t.MasterNode().Identity {
		l.Errorf("master %+v, identity %q", t.MasterNode(), t.MasterIdentity)
	}
	l.checkReadOnly("node1", "0")
	l.checkReadOnly("node2", "1")
}

func (l *live) checkReadOnly(node, want string) {
	l.Helper()
	got, err := l.nodes.Node(node).Query(l.Context(), "SELECT @@global.read_only")
	if err != nil || got != want {
		l.Errorf("%s: read_only %s, %v", node, got, err)
	}
}

// checkReturn: writes are held while the master is down, and it is opened again
// when it is back; the configuration does not matter any more.
func (l *live) checkReturn() {
	if err := l.nodes.Node("node1").Kill(); err != nil {
		l.Fatal(err)
	}
	l.until("held", writes(cluster.WritesHeld))
	if err := l.nodes.Node("node1").StartServer(l.Context()); err != nil {
		l.Fatal(err)
	}
	l.until("open again", writes(cluster.WritesOpen))
	l.checkReadOnly("node1", "0")
	generation := l.store.Load().Generation
	l.stop()
	l.start("node2")
	l.until("open after a restart of the process", writes(cluster.WritesOpen))
	if t := l.store.Load(); t.MasterNode().Name != "node1" || t.Generation <= generation {
		l.Errorf("master %s, generation %d after %d", t.MasterNode().Name, t.Generation, generation)
	}
}

// checkOtherServer: another server at the master's address is never opened.
func (l *live) checkOtherServer() {
	c := l.config.Nodes
	c[0].Addr, c[1].Addr = c[1].Addr, c[0].Addr
	l.start("node1")
	l.until("refused", func(t *cluster.Topology) bool {
		return t.Writes == cluster.WritesRefused && t.MasterNode() != nil && t.MasterNode().Health == cluster.HealthUp
	})
	l.Log(l.store.Load().WritesReason)
	l.checkReadOnly("node2", "1")
	ctx, cancel := context.WithTimeout(l.Context(), patience)
	defer cancel()
	err := failover.NewSQLOperator(l.config).OpenWrites(ctx, c[0].Addr, l.store.Load().MasterIdentity)
	if !errors.Is(err, failover.ErrAnotherServer) {
		l.Errorf("ordered another server: %v", err)
	}
}
