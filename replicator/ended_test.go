package replicator

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/bellwether-db/bellwether/replicator/outcome"
)

// client is one connection of an application, as the proxy would have it.
type client struct {
	*world
	db    *sql.DB
	conn  *sql.Conn
	write outcome.Write
}

// client opens a connection to a node, on which nobody was told any GTID yet.
func (w *world) client(ctx context.Context, n *playground.Node, name string) (*client, error) {
	c := &client{world: w, db: w.dial(n)}
	flavour := cluster.FlavourMySQL
	c.write.Opened = time.Now()
	if w.nodes.Flavour == playground.MariaDB {
		flavour, c.write.Mark = cluster.FlavourMariaDB, "test-"+name+"-1"
	}
	c.write.After = cluster.EmptyGTIDSet(flavour)
	c.write.Identity = w.node(n).Identity
	var err error
	if c.conn, err = c.db.Conn(ctx); err == nil {
		err = c.conn.QueryRowContext(ctx, "SELECT CONNECTION_ID()").Scan(&c.write.Thread)
	}
	return c, err
}

// run sends the client's write.
func (c *client) run(ctx context.Context, statement string) error {
	if c.write.Mark != "" {
		statement = "/*bw:" + c.write.Mark + "*/" + statement
	}
	_, err := c.conn.ExecContext(ctx, statement)
	return err
}

func (c *client) end() Outcome {
	c.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	o, err := c.replicator.Outcome(ctx, c.write)
	if err != nil {
		c.Errorf("outcome of %+v: %v", c.write, err)
	}
	return o
}

// On a master that lives a write that was stored is told with what it changed;
// one that was not is told once its connection cannot do it any more.
func TestOutcomeOnALiveMaster(t *testing.T) {
	worlds(t, 0, func(w *world) {
		master := w.nodes.Nodes[0]
		w.must(master.Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT UNSIGNED PRIMARY KEY AUTO_INCREMENT, v VARCHAR(40), d DECIMAL(9,2))"))
		c, err := w.client(w.Context(), master, "a")
		w.must(err)
		w.must(c.run(w.Context(), "INSERT INTO shop.t (v, d) VALUES ('one', -1.5), ('two', NULL)"))
		o := c.end()
		if o.State != OutcomeCommitted || len(o.Rows) != 1 || o.Rows[0].Inserted != 2 || o.Rows[0].Schema+"."+o.Rows[0].Table != "shop.t" {
			w.Fatalf("outcome %+v", o)
		}
		if got := fmt.Sprintf("%v %s %v", o.Rows[0].FirstRow[0], o.Rows[0].FirstRow[1], o.Rows[0].FirstRow[2]); got != "1 one -1.50" {
			w.Errorf("first row %s", got)
		}
		c.write.After = c.write.After.With(o.GTID) // the client was told, and asked for more
		c.write.Mark = strings.Replace(c.write.Mark, "-1", "-2", 1)
		if o := c.end(); o.State != OutcomeNotCommitted {
			w.Errorf("a write that was not made: %+v", o)
		}
		if err := c.run(w.Context(), "INSERT INTO shop.t (v) VALUES ('late')"); err == nil {
			w.Error("a connection writes whose write was said not to be committed")
		}
	})
}

// While a write waits for a lock nothing is known of it; it is ended, and undone.
func TestOutcomeOfAWriteThatWaits(t *testing.T) {
	worlds(t, 0, func(w *world) {
		master := w.nodes.Nodes[0]
		w.must(master.Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)", "INSERT INTO shop.t VALUES (1)"))
		holder, err := w.client(w.Context(), master, "holder")
		w.must(err)
		_, err = holder.conn.ExecContext(w.Context(), "BEGIN")
		w.must(err)
		_, err = holder.conn.ExecContext(w.Context(), "UPDATE shop.t SET id = 2")
		w.must(err)
		waiter, err := w.client(w.Context(), master, "waiter")
		w.must(err)
		done := make(chan error, 1)
		go func() { done <- waiter.run(context.Background(), "DELETE FROM shop.t") }()
		w.until("it waits", func(*cluster.Topology) bool {
			n, err := master.Query(w.Context(), "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE '%DELETE FROM shop.t'")
			return err == nil && n != "0"
		})
		if o := waiter.end(); o.State != OutcomeNotCommitted {
			w.Errorf("outcome %+v", o)
		}
		if err := <-done; err == nil {
			w.Error("it was committed")
		}
	})
}

// A master is killed or frozen under writers: each write whose answer was lost is
// told rightly, as the next master shows.
func TestOutcomesAtAFailover(t *testing.T) {
	for name, fail := range map[string]func(*playground.Node) error{"killed": (*playground.Node).Kill, "frozen": (*playground.Node).Pause} {
		t.Run(name, func(t *testing.T) {
			worlds(t, 1, func(w *world) { w.outcomes(fail) })
		})
	}
}

func (w *world) outcomes(fail func(*playground.Node) error) {
	from, to := w.nodes.Nodes[0], w.nodes.Nodes[1]
	w.must(from.Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)"))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var mu sync.Mutex
	lost := map[int]*client{}
	var writers sync.WaitGroup
	for i := range 8 {
		writers.Go(func() {
			for id := i; ; id += 8 {
				c, err := w.client(ctx, from, fmt.Sprint(id))
				if err != nil {
					return
				}
				if err := c.run(ctx, fmt.Sprintf("INSERT INTO shop.t VALUES (%d)", id)); err != nil {
					mu.Lock()
					defer mu.Unlock()
					lost[id] = c
					return
				}
				_ = c.db.Close()
			}
		})
	}
	w.progress()
	w.must(fail(from))
	time.AfterFunc(time.Second, cancel) // who waits for one that is frozen gives up
	w.failOver(to, from)
	cancel()
	writers.Wait()
	states := map[OutcomeState]int{}
	for id, c := range lost {
		o := c.end()
		states[o.State]++
		there, err := to.Query(w.Context(), fmt.Sprintf("SELECT COUNT(*) FROM shop.t WHERE id = %d", id))
		w.must(err)
		if want := map[string]OutcomeState{"0": OutcomeNotCommitted, "1": OutcomeCommitted}[there]; o.State != want {
			w.Errorf("write %d is %v, and the next master has %s of it", id, o.State, there)
		}
	}
	w.Logf("%d writes without an answer: %v", len(lost), states)
}
