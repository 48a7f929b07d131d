package replicator

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
)

// world is a replicator over real servers that know nothing of one another.
type world struct {
	*testing.T
	nodes      *playground.Cluster
	config     Config
	store      *cluster.Store
	replicator *Replicator
	stop       func()
	bounded    context.Context
}

// patient is how long a story may take where the tests have a limit at all: one
// that waits for ever fails by its name, and leaves the others their time.
const patient = 5 * time.Minute

// Context is the test's, ended by a story's limit.
func (w *world) Context() context.Context { return w.bounded }

func (w *world) bound() {
	w.bounded = w.T.Context()
	if _, limited := w.Deadline(); limited {
		ctx, cancel := context.WithTimeout(w.bounded, patient)
		w.bounded = ctx
		w.Cleanup(cancel)
	}
}

// worlds runs a story on both families.
func worlds(t *testing.T, slaves int, story func(*world)) {
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) {
			t.Parallel()
			story(newWorld(t, flavour, slaves))
		})
	}
}

func newWorld(t *testing.T, flavour playground.Flavour, slaves int) *world {
	w := &world{T: t, config: Default()}
	w.bound()
	w.nodes = playground.ForTest(t, playground.Options{Flavour: flavour, Slaves: slaves, Relaxed: true})
	w.config.Feed, w.config.Dir, w.config.Listen = FeedRelay, t.TempDir(), "127.0.0.1:0"
	w.config.Nodes = cluster.Default()
	w.config.Nodes.HeartbeatInterval = 0 // the stories say what is stored and who waits: nobody else writes
	w.config.Nodes.Operator = cluster.Account{User: w.nodes.Operator.User, Password: w.nodes.Operator.Password}
	for _, n := range w.nodes.Nodes {
		w.config.Nodes.Nodes = append(w.config.Nodes.Nodes, cluster.NodeConfig{Name: n.Name, Addr: n.Addr(), Weight: 1})
	}
	w.store = cluster.NewStore(&cluster.Topology{})
	if _, err := cluster.NewRegistry(w.store).Apply(w.config.Nodes); err != nil {
		t.Fatal(err)
	}
	w.watch()
	w.until("nodes up", func(t *cluster.Topology) bool {
		for i := range t.Nodes {
			if t.Nodes[i].Health != cluster.HealthUp {
				return false
			}
		}
		return true
	})
	w.open(w.nodes.Nodes[0])
	w.start()
	return w
}

// watch runs the probes to the end of the test.
func (w *world) watch() {
	monitor := cluster.NewMonitor(w.store, w.config.Nodes, slog.New(slog.DiscardHandler), nil)
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() { _ = monitor.Run(ctx) })
	w.Cleanup(func() { cancel(); group.Wait() })
}

// open makes a node the master, as the owner of the roles would.
func (w *world) open(n *playground.Node) {
	w.must(w.nodes.OpenMaster(w.Context(), n))
	t := w.store.Load()
	_, err := w.store.Advance(t.Generation, func(d *cluster.RoleDraft) error {
		d.ClearMaster()
		d.SetWrites(cluster.WritesOpen, "")
		return d.SetMaster(n.Name, t.Nodes[t.Find(n.Name)].Identity)
	})
	w.must(err)
}

// start begins one process of the replicator and waits until it protects.
func (w *world) start() {
	w.begin()
	w.until("protected", func(*cluster.Topology) bool { return w.replicator.Status().Protected })
}

// begin begins one process of the replicator; stop ends it.
func (w *world) begin() {
	w.replicator = New(w.config, w.store, slog.New(slog.NewTextHandler(w.Output(), nil)))
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() {
		if err := w.replicator.Run(ctx); err != nil {
			w.Error(err)
		}
	})
	w.stop = sync.OnceFunc(func() { cancel(); group.Wait() })
	w.Cleanup(w.stop)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// patience is what a state may take on a busy machine.
const patience = time.Minute

func (w *world) until(what string, is func(*cluster.Topology) bool) {
	w.Helper()
	for begun := time.Now(); !is(w.store.Load()); time.Sleep(5 * time.Millisecond) { // bounded by the limit
		if time.Since(begun) > patience {
			w.Fatalf("%s: not in time; %+v", what, w.replicator.Status())
		}
	}
}

// dial opens connections of the application's account to a node.
func (w *world) dial(n *playground.Node) *sql.DB {
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd, c.Logger = "tcp", n.Addr(), w.nodes.Account.User, w.nodes.Account.Password, &mysql.NopLogger{}
	db, err := sql.Open("mysql", c.FormatDSN())
	w.must(err)
	w.Cleanup(func() { _ = db.Close() })
	return db
}

// converge waits until every node has what the master has, and the stored log.
func (w *world) converge() {
	w.Helper()
	want := w.position(w.nodes.Nodes[0])
	w.until("all nodes have "+want.String(), func(*cluster.Topology) bool {
		for _, n := range w.nodes.Slaves() {
			if !w.position(n).ContainsSet(want) {
				return false
			}
		}
		stored := w.replicator.Status().Stored // nil with feed direct
		return stored == nil || stored.ContainsSet(want)
	})
	for _, n := range w.nodes.Slaves() {
		if has := w.position(n); !want.ContainsSet(has) {
			w.Errorf("%s has %s, the master only %s", n.Name, has, want)
		}
	}
}

// position is what a node has executed.
func (w *world) position(n *playground.Node) *cluster.GTIDSet {
	w.Helper()
	query, flavour := "SELECT @@global.gtid_executed", cluster.FlavourMySQL
	if w.nodes.Flavour == playground.MariaDB {
		query, flavour = "SELECT @@global.gtid_binlog_pos", cluster.FlavourMariaDB
	}
	text, err := n.Query(w.Context(), query)
	w.must(err)
	set, err := cluster.ParseGTIDSet(flavour, text)
	w.must(err)
	return set
}

// same compares what a query gives on every node.
func (w *world) same(query string) string {
	w.Helper()
	want, err := w.nodes.Nodes[0].Query(w.Context(), query)
	w.must(err)
	for _, n := range w.nodes.Slaves() {
		if got, err := n.Query(w.Context(), query); err != nil || got != want {
			w.Errorf("%s: %s gives %q, %v; on the master %q", n.Name, query, got, err, want)
		}
	}
	return want
}

// writer inserts rows one after the other until stop is closed, and tells then
// how many were acknowledged. One whose connection broke may be there or not.
func (w *world) writer(stop <-chan struct{}) (acknowledged func() int) {
	db := w.dial(w.nodes.Nodes[0])
	var count int
	var group sync.WaitGroup
	group.Go(func() {
		for i := 1; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			_, err := db.ExecContext(ctx, "INSERT INTO shop.t VALUES (?, ?)", i, fmt.Sprint("row ", i))
			cancel()
			switch refused := (*mysql.MySQLError)(nil); {
			case err == nil:
				count++
			case errors.As(err, &refused), errors.Is(err, context.DeadlineExceeded):
				w.Errorf("insert %d: %v", i, err)
				return
			}
		}
	})
	return func() int { group.Wait(); return count }
}
