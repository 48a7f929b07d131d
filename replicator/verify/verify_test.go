package verify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/bellwether-db/bellwether/replicator/control"
)

// world is a master with a slave that replicates.
type world struct {
	*testing.T
	nodes *playground.Cluster
}

// While writes go on nothing differs; then exactly what was planted does.
func TestVerify(t *testing.T) {
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) {
			t.Parallel()
			w := &world{T: t, nodes: playground.ForTest(t, playground.Options{Flavour: flavour, Slaves: 1, Replicate: true, Relaxed: true})}
			w.ok(w.nodes.OpenMaster(w.soon(), w.nodes.Master))
			w.exec(w.nodes.Master, fixture...)
			stop := w.writer()
			w.finds("nothing")
			w.plant()
			w.finds("what was planted", planted...)
			stop()
			w.stands()
		})
	}
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) soon() context.Context {
	ctx, cancel := context.WithTimeout(w.Context(), 2*time.Minute)
	w.Cleanup(cancel)
	return ctx
}

func (w *world) exec(n *playground.Node, statements ...string) {
	w.Helper()
	w.ok(n.Exec(w.soon(), statements...))
}

var fixture = []string{
	"CREATE DATABASE shop",
	"CREATE TABLE shop.still (a INT, b VARCHAR(20) COLLATE utf8mb4_bin, v TEXT, f FLOAT, d DATETIME(3), PRIMARY KEY (b, a))",
	"INSERT INTO shop.still SELECT n, CONCAT('k', n % 7), 'text', n / 3, NOW(3) FROM (SELECT @n := @n + 1 AS n FROM information_schema.COLUMNS, (SELECT @n := 0) AS z LIMIT 1500) AS x",
	"CREATE TABLE shop.busy (id INT AUTO_INCREMENT PRIMARY KEY, v INT, KEY (v))",
	"INSERT INTO shop.busy (v) SELECT 1 FROM information_schema.COLUMNS LIMIT 1500",
	"CREATE TABLE shop.queue (id INT AUTO_INCREMENT PRIMARY KEY, v INT)",
	"CREATE TABLE shop.lone (v INT)", "INSERT INTO shop.lone VALUES (1), (1), (2)",
	"CREATE TABLE shop.open (v INT)",
	"CREATE TABLE shop.my (id INT PRIMARY KEY, v INT) ENGINE=MyISAM", "INSERT INTO shop.my VALUES (1, 1)",
	"CREATE FUNCTION shop.one() RETURNS INT DETERMINISTIC RETURN 1", "CREATE PROCEDURE shop.p() SET @x = 1",
	"CREATE VIEW shop.seen AS SELECT id FROM shop.busy", "CREATE EVENT shop.tick ON SCHEDULE EVERY 1 DAY DO SET @x = 1",
	"CREATE TRIGGER shop.t BEFORE INSERT ON shop.lone FOR EACH ROW SET NEW.v = NEW.v",
}

// plant changes the slave behind replication's back, where no write goes.
func (w *world) plant() {
	if w.nodes.Flavour == playground.MySQL {
		w.exec(w.nodes.Slaves()[0], "SET GLOBAL super_read_only = OFF")
	}
	db, err := sql.Open("mysql", w.nodes.Slaves()[0].DSN(w.nodes.Operator.User, w.nodes.Operator.Password, "shop"))
	w.ok(err)
	defer func() { _ = db.Close() }()
	conn, err := db.Conn(w.soon())
	w.ok(err)
	for _, text := range []string{
		"SET SESSION sql_log_bin = 0",
		"DELETE FROM still WHERE a = 8", "UPDATE still SET f = f + 0.0001 WHERE a = 9", "INSERT INTO still (a, b) VALUES (-1, 'Ä')",
		"UPDATE busy SET v = -1 WHERE id = 2", "INSERT INTO lone VALUES (3)", "UPDATE my SET v = 2",
		"DROP FUNCTION one", "CREATE FUNCTION one() RETURNS INT DETERMINISTIC RETURN 2", "DROP VIEW seen", "CREATE TABLE more (id INT)",
	} {
		_, err := conn.ExecContext(w.soon(), text)
		w.ok(err)
	}
	w.ok(conn.Close())
}

var planted = []string{
	`missing: table shop.still, row b="k1", a=8`, `different: table shop.still, row b="k2", a=9`, `extra: table shop.still, row b="Ä", a=-1`,
	"different: table shop.busy, row id=2", "different: table shop.my, row id=1",
	"different: table shop.lone: 3 rows on the master, 4 on the slave; without a primary key they cannot be named",
	"different: function shop.one: the definitions are not the same", "missing: view shop.seen", "extra: table shop.more",
}

// finds runs a verification and compares what it found.
func (w *world) finds(what string, want ...string) {
	w.Helper()
	begun := time.Now()
	v := New(w.setup())
	report, err := v.Run(w.soon())
	w.ok(err)
	var got []string
	for _, d := range report.Differences {
		got = append(got, d.String())
	}
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	w.Logf("%s: %v, %d chunks, %d rechecked, %d locked: %v", what, time.Since(begun), report.Chunks, report.Rechecked, report.Locked, v.Progress())
	if !slices.Equal(got, want) || len(report.Undecided) > 0 {
		w.Errorf("%s: found\n%s\nwant\n%s\nundecided %q", what, strings.Join(got, "\n"), strings.Join(want, "\n"), report.Undecided)
	}
	if report.Tables < 5 || report.Rows < 3000 {
		w.Errorf("%s: %+v", what, report)
	}
}

func (w *world) setup() Config {
	node := func(n *playground.Node) control.Node { return control.Node{Name: n.Name, Addr: n.Addr()} }
	c := Config{Source: node(w.nodes.Master), Target: node(w.nodes.Slaves()[0]), Nodes: cluster.Default()}
	c.Nodes.Operator = cluster.Account{User: w.nodes.Operator.User, Password: w.nodes.Operator.Password}
	c.ChunkTime, c.LockTime = 20*time.Millisecond, 5*time.Second
	return c
}

// writer writes until the function it returns is called, paced so that the
// slave of a busy machine keeps up.
func (w *world) writer() (stop func()) {
	db, err := sql.Open("mysql", w.nodes.Master.DSN(w.nodes.Account.User, w.nodes.Account.Password, "shop"))
	w.ok(err)
	ctx, cancel := context.WithCancel(w.Context())
	var group sync.WaitGroup
	var writes atomic.Int64
	group.Go(func() {
		tick := time.NewTicker(30 * time.Millisecond)
		defer tick.Stop()
		for n := 3; ctx.Err() == nil; n++ {
			for _, text := range []string{
				fmt.Sprintf("UPDATE busy SET v = v + 1 WHERE id = 3 + %d", n%1400), "INSERT INTO busy (v) VALUES (7)", fmt.Sprintf("INSERT INTO queue (id, v) VALUES (%d, 1)", n),
				fmt.Sprintf("DELETE FROM queue WHERE id < %d", n), fmt.Sprintf("INSERT INTO open VALUES (%d)", n), fmt.Sprintf("CREATE OR REPLACE VIEW moving AS SELECT %d AS n", n/10),
			} {
				if _, err := db.ExecContext(ctx, text); err != nil && ctx.Err() == nil {
					w.Errorf("%s: %v", text, err)
					return
				}
				writes.Add(1)
			}
			<-tick.C
		}
	})
	return func() {
		cancel()
		group.Wait()
		_ = db.Close()
		w.Logf("%d writes meanwhile", writes.Load())
	}
}

// stands: a slave that does not get on is no slave that differs.
func (w *world) stands() {
	stop := "STOP REPLICA"
	if w.nodes.Flavour == playground.MariaDB {
		stop = "STOP SLAVE"
	}
	w.exec(w.nodes.Slaves()[0], stop)
	w.exec(w.nodes.Master, "INSERT INTO shop.busy (v) VALUES (8)")
	c := w.setup()
	c.Patience = 100 * time.Millisecond
	report, err := New(c).Run(w.soon())
	if !errors.Is(err, ErrBehind) || len(report.Differences) > 0 {
		w.Errorf("a slave that stands still: %v, %+v", err, report)
	}
}
