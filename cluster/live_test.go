package cluster_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/prometheus/client_golang/prometheus"
)

// live is a monitor that watches real servers.
type live struct {
	*testing.T
	nodes   *playground.Cluster
	store   *cluster.Store
	monitor *cluster.Monitor
	stop    func() error // ends the monitor; again: nothing
}

// watch runs a monitor over the cluster until the test ends, with node1 as the
// published master.
func watch(t *testing.T, nodes *playground.Cluster) *live {
	c := configOf(nodes)
	store := cluster.NewStore(&cluster.Topology{})
	if _, err := cluster.NewRegistry(store).Apply(c); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Advance(0, func(d *cluster.RoleDraft) error { return d.SetMaster("node1", "") }); err != nil {
		t.Fatal(err)
	}
	if err := nodes.OpenMaster(t.Context(), nodes.Node("node1")); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	monitor := cluster.NewMonitor(store, c, log, cluster.NewMetrics(prometheus.NewRegistry()))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- monitor.Run(ctx) }()
	stop := sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return &live{T: t, nodes: nodes, store: store, monitor: monitor, stop: stop}
}

func configOf(nodes *playground.Cluster) cluster.Config {
	c := cluster.Default()
	c.Operator = cluster.Account{User: nodes.Operator.User, Password: nodes.Operator.Password}
	c.MaxLag = time.Second
	c.CatalogueInterval = 200 * time.Millisecond
	for _, n := range nodes.Nodes {
		c.Nodes = append(c.Nodes, cluster.NodeConfig{Name: n.Name, Addr: n.Addr(), Weight: 1})
	}
	return c
}

// patience bounds every wait. It says nothing about the monitor: how soon it
// sees what is proven in fake time.
const patience = time.Minute

// until waits for a state of the topology, and returns how long it took.
func (l *live) until(what string, is func(*cluster.Topology) bool) time.Duration {
	l.Helper()
	begun := time.Now()
	for !is(l.store.Load()) {
		if time.Since(begun) > patience {
			l.Fatalf("%s: not within %v; nodes %+v", what, patience, l.store.Load().Nodes)
		}
		time.Sleep(5 * time.Millisecond) // bounded by patience
	}
	return time.Since(begun)
}

func (l *live) exec(node string, statements ...string) {
	l.Helper()
	if err := l.nodes.Node(node).Exec(l.Context(), statements...); err != nil {
		l.Fatal(err)
	}
}

func readable(count int) func(*cluster.Topology) bool {
	return func(t *cluster.Topology) bool { return len(t.Readable) == count }
}

func TestLive(t *testing.T) {
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) {
			t.Parallel()
			l := watch(t, playground.ForTest(t, playground.Options{Flavour: flavour, Slaves: 2, Replicate: true, Relaxed: true}))
			l.until("all nodes up", func(t *cluster.Topology) bool {
				return len(t.Readable) == 2 && t.MasterNode().Health == cluster.HealthUp && !t.MasterNode().ReadOnly
			})
			l.checkIdentities()
			l.checkCatalogue()
			l.checkStale()
			l.checkInspect()
			l.checkLeastPrivileges()
			l.checkPackages()
			l.checkLag()
			l.checkKill()
			l.checkSettings()
			l.checkSilence()
			l.checkHeartbeat()
			l.checkEnd()
		})
	}
}

// checkIdentities: each node has its own, and it survives a restart.
func (l *live) checkIdentities() {
	seen := map[string]bool{}
	for _, n := range l.store.Load().Nodes {
		if n.Identity == "" || seen[n.Identity] || n.Applied == nil {
			l.Errorf("node %s: identity %q, position %v", n.Name, n.Identity, n.Applied)
		}
		seen[n.Identity] = true
	}
}

// checkLag: a slave that stops applying leaves once it is beyond max_lag, and
// comes back when it has caught up.
func (l *live) checkLag() {
	mysql := l.store.Load().Nodes[0].Flavour == cluster.FlavourMySQL
	stop, start := "STOP SLAVE SQL_THREAD", "START SLAVE SQL_THREAD"
	if mysql {
		stop, start = "STOP REPLICA SQL_THREAD", "START REPLICA SQL_THREAD"
	}
	l.exec("node2", stop)
	l.exec("node1", "CREATE DATABASE behind", "CREATE TABLE behind.t (id INT PRIMARY KEY)", "INSERT INTO behind.t VALUES (1)")
	l.until("node2 late", func(t *cluster.Topology) bool {
		n := t.Nodes[1]
		return n.Late && n.LagKnown && n.Lag > time.Second && n.LagGTIDs == 3 && n.Replication == cluster.ReplicationStopped && n.Problem != ""
	})
	l.exec("node2", start)
	l.until("node2 back", func(t *cluster.Topology) bool {
		n := t.Nodes[1]
		return !n.Late && n.Lag == 0 && n.LagGTIDs == 0 && n.Problem == "" && len(t.Readable) == 2
	})
	if n := l.store.Load(); !n.Nodes[1].Applied.ContainsSet(n.Nodes[0].Applied) {
		l.Errorf("node2 has %v, the master %v", n.Nodes[1].Applied, n.Nodes[0].Applied)
	}
}

// checkKill: a killed slave leaves, and comes back with the identity that it
// had.
func (l *live) checkKill() {
	identity := l.store.Load().Nodes[1].Identity
	if err := l.nodes.Node("node2").Kill(); err != nil {
		l.Fatal(err)
	}
	l.monitor.Observe("node2", errors.New("connection reset"))
	took := l.until("node2 down", func(t *cluster.Topology) bool { return t.Nodes[1].Health == cluster.HealthDown })
	l.Logf("down after %v: %s", took, l.store.Load().Nodes[1].Problem)
	if err := l.nodes.Node("node2").StartServer(l.Context()); err != nil {
		l.Fatal(err)
	}
	l.until("node2 up", readable(2))
	if now := l.store.Load().Nodes[1].Identity; now != identity {
		l.Errorf("identity was %s, after a restart %s", identity, now)
	}
}

// names is a catalogue that is known and holds all these as unsafe.
func names(names ...string) func(*cluster.Topology) bool {
	return func(t *cluster.Topology) bool {
		for _, name := range names {
			if _, ok := t.Catalogue.Unsafe[name]; !ok {
				return false
			}
		}
		return t.Catalogue.Known
	}
}

// checkCatalogue: functions are found, and the views that reach them, though
// nobody told of the change.
func (l *live) checkCatalogue() {
	l.until("catalogue known", names())
	before := l.store.Load().Catalogue
	if c := before.Collations[45]; c.Charset != "utf8mb4" || c.Name != "utf8mb4_general_ci" || len(before.Collations) < 200 {
		l.Errorf("collation 45 is %+v, of %d", c, len(before.Collations))
	}
	l.exec("node1", "CREATE DATABASE c", "CREATE TABLE c.t (id INT PRIMARY KEY)", "CREATE VIEW c.plain AS SELECT id FROM c.t",
		"CREATE FUNCTION c.Bump() RETURNS INT DETERMINISTIC NO SQL RETURN 1", "CREATE FUNCTION c.`odd name`() RETURNS INT DETERMINISTIC NO SQL RETURN 1",
		"CREATE VIEW c.one AS SELECT c.bump() AS n", "CREATE VIEW c.two AS SELECT n FROM c.one", "CREATE VIEW c.odd AS SELECT c.`odd name`() AS n")
	l.until("functions and views found", names("bump", "one", "two", "odd name", "odd"))
	after := l.store.Load().Catalogue
	if _, ok := after.Unsafe["plain"]; ok || after.Version <= before.Version {
		l.Errorf("version %d after %d, plain view unsafe: %v", after.Version, before.Version, ok)
	}
}

// checkPackages: a function in a package of MariaDB's is a function, too.
func (l *live) checkPackages() {
	if l.nodes.Flavour != playground.MariaDB {
		return
	}
	l.exec("node1", "SET sql_mode = ORACLE", "CREATE PACKAGE c.pk AS FUNCTION packed(a INT) RETURN INT; END",
		"CREATE PACKAGE BODY c.pk AS FUNCTION packed(a INT) RETURN INT AS BEGIN RETURN 1; END; END", "CREATE VIEW c.three AS SELECT c.pk.packed(1) AS n")
	l.until("package found", names("pk", "packed", "three"))
}

// checkStale: a hint makes the catalogue unknown at once; its version moves
// with its content only.
func (l *live) checkStale() {
	version := l.store.Load().Catalogue.Version
	l.monitor.CatalogueStale()
	l.until("read again", names())
	if again := l.store.Load().Catalogue; again.Version != version {
		l.Errorf("version %d although nothing changed since %d", again.Version, version)
	}
	done := l.monitor.CatalogueChanging()
	if l.store.Load().Catalogue.Known {
		l.Error("known while a change is under way")
	}
	l.exec("node1", "DROP FUNCTION c.Bump", "DROP VIEW c.one", "DROP VIEW c.two")
	done()
	l.until("functions gone", func(t *cluster.Topology) bool {
		_, still := t.Catalogue.Unsafe["bump"]
		return t.Catalogue.Known && !still
	})
}
