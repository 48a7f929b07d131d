package replicator

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/bellwether-db/bellwether/replicator/control"
)

// cut publishes that there is no master.
func (w *world) cut() {
	w.Helper()
	_, err := w.store.Advance(w.store.Load().Generation, func(d *cluster.RoleDraft) error {
		d.ClearMaster()
		d.SetWrites(cluster.WritesHeld, "a failover")
		return nil
	})
	w.must(err)
}

// flip publishes another master, whose writes are held, and fences the former.
func (w *world) flip(to, from *playground.Node) cluster.Node {
	w.Helper()
	t := w.store.Load()
	n := t.Nodes[t.Find(to.Name)]
	_, err := w.store.Advance(t.Generation, func(d *cluster.RoleDraft) error {
		if err := d.SetFenced(from.Name, true); err != nil {
			return err
		}
		return d.SetMaster(n.Name, n.Identity)
	})
	w.must(err)
	return n
}

// failOver does what a controller does between the loss of a master and the
// opening of another, and returns what was sealed.
func (w *world) failOver(to, from *playground.Node) *cluster.GTIDSet {
	w.Helper()
	begun := time.Now()
	w.cut()
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	end, err := w.replicator.Seal(ctx)
	w.must(err)
	sealed := time.Since(begun)
	w.until("the slaves have "+end.String(), func(*cluster.Topology) bool {
		for _, n := range w.nodes.Nodes {
			if n != from && !w.position(n).ContainsSet(end) {
				return false
			}
		}
		return true
	})
	drained := time.Since(begun)
	n := w.flip(to, from)
	w.must(w.replicator.Promote(ctx, n))
	promoted := time.Since(begun)
	w.must(w.replicator.Attach(ctx, n))
	w.Logf("sealed %v, drained %v, promoted %v, attached %v; promote and attach: %v", sealed, drained, promoted, time.Since(begun), time.Since(begun)-drained)
	if got := w.replicator.View().End; !got.Equal(end) {
		w.Errorf("stored %s since it was sealed as %s", got, end)
	}
	w.must(w.replicator.MayOpen(ctx, n.Addr, n.Identity))
	w.open(to)
	return end
}

// A master dies, one that is frozen is left in the middle of a read: what was
// acknowledged is in what is sealed, nothing is stored from it any more, the
// slaves go on, and the next master's writes wait for the log from the first on.
func TestFailover(t *testing.T) {
	for name, fail := range map[string]func(*playground.Node) error{"killed": (*playground.Node).Kill, "frozen": (*playground.Node).Pause} {
		t.Run(name, func(t *testing.T) {
			worlds(t, 2, func(w *world) { w.failed(fail) })
		})
	}
}

func (w *world) failed(fail func(*playground.Node) error) {
	from, to := w.nodes.Nodes[0], w.nodes.Nodes[1]
	w.must(from.Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(40))"))
	stop := make(chan struct{})
	acknowledged := w.acknowledged(stop)
	w.progress()
	if v := w.replicator.View(); !v.Known || !v.Connected || !v.Whole || v.Failing != "" || time.Since(v.Stored) > patience {
		w.Errorf("view of a sound stream: %+v", v)
	}
	w.must(fail(from))
	end := w.failOver(to, from)
	close(stop)
	rows := acknowledged()
	w.nodes.Nodes = append(w.nodes.Nodes[1:], from)
	w.must(to.Exec(w.Context(), "INSERT INTO shop.t VALUES (0, 'of the new master')"))
	if !w.replicator.View().End.ContainsSet(w.position(to)) {
		w.Error("the new master's first write was acknowledged before it was stored")
	}
	w.until("the other slave has it", func(*cluster.Topology) bool {
		return w.position(w.nodes.Nodes[1]).ContainsSet(w.position(to))
	})
	for _, n := range w.nodes.Nodes[:2] {
		text, err := n.Query(w.Context(), "SELECT COUNT(*) FROM shop.t WHERE id > 0")
		w.must(err)
		if got, _ := strconv.Atoi(text); got < rows {
			w.Errorf("%s has %d rows, %d were acknowledged; sealed %s", n.Name, got, rows, end)
		}
	}
	w.must(w.replicator.Promote(w.Context(), w.node(to))) // again, as after a restart
	w.must(to.Exec(w.Context(), "INSERT INTO shop.t VALUES (-1, 'still the master')"))
}

// node is what is published of a node.
func (w *world) node(n *playground.Node) cluster.Node {
	t := w.store.Load()
	return t.Nodes[t.Find(n.Name)]
}

// acknowledged writes until it is stopped or the server dies, and tells how many
// writes were acknowledged.
func (w *world) acknowledged(stop <-chan struct{}) func() int {
	db, n := w.dial(w.nodes.Nodes[0]), 0
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(done)
		for i := 1; ctx.Err() == nil; i++ {
			if _, err := db.ExecContext(ctx, "INSERT INTO shop.t VALUES (?, 'x')", i); err == nil {
				n++
			}
		}
	}()
	go func() { <-stop; cancel() }()
	w.Cleanup(cancel)
	return func() int { <-done; return n }
}

// leave takes a slave out of the keeper's hands and stops what it applies.
func (w *world) leave(n *playground.Node) {
	config := w.config.Nodes
	config.Nodes = slices.Clone(config.Nodes)
	for i := range config.Nodes {
		config.Nodes[i].Maintenance = config.Nodes[i].Name == n.Name
	}
	_, err := cluster.NewRegistry(w.store).Apply(config)
	w.must(err)
	w.must(w.replicator.unkept(w.Context(), n.Name))
	w.must(n.Exec(w.Context(), "STOP REPLICA SQL_THREAD"))
}

// Bellwether ends between the record of a new master and its promotion: the next
// process promotes it before its own stored log is open, and follows it at once,
// also where it was not made ready to be the master since its start.
func TestPromotionAfterRestart(t *testing.T) {
	worlds(t, 1, func(w *world) {
		from, to := w.nodes.Nodes[0], w.nodes.Nodes[1]
		w.must(from.Exec(w.Context(), "CREATE DATABASE shop"))
		w.converge()
		w.must(from.Kill())
		w.cut()
		_, err := w.replicator.Seal(w.Context())
		w.must(err)
		n := w.flip(to, from)
		w.stop()
		// It may lack even the plugin, where the slave was not looked at yet.
		_ = to.Exec(w.Context(), w.either("SET GLOBAL rpl_semi_sync_source_wait_point = AFTER_COMMIT", "SET GLOBAL rpl_semi_sync_master_wait_point = AFTER_COMMIT"))
		w.begin()
		ctx, cancel := context.WithTimeout(w.Context(), patience)
		defer cancel()
		begun := time.Now()
		w.must(w.replicator.Promote(ctx, n))
		promoted := time.Since(begun)
		w.must(w.replicator.Attach(ctx, n))
		w.Logf("promoted %v, attached %v", promoted, time.Since(begun))
		w.must(w.replicator.MayOpen(ctx, n.Addr, n.Identity))
	})
}

// A cut that is taken back attaches to the same master again, and a slave that
// lacks what is stored is not promoted.
func TestCutIsTakenBack(t *testing.T) {
	worlds(t, 1, func(w *world) {
		master, slave := w.nodes.Nodes[0], w.nodes.Nodes[1]
		w.leave(slave)
		w.cut()
		end, err := w.replicator.Seal(w.Context())
		w.must(err)
		done := make(chan error, 1)
		go func() { done <- master.Exec(context.Background(), "CREATE DATABASE late") }()
		w.until("a write waits on the former master", func(*cluster.Topology) bool {
			n, err := master.Query(w.Context(), "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'CREATE DATABASE late%'")
			return err == nil && n == "1"
		})
		if got := w.replicator.View().End; !got.Equal(end) {
			w.Errorf("%s is stored, sealed was %s", got, end)
		}
		w.open(master)
		w.must(w.replicator.Attach(w.Context(), w.node(master)))
		w.must(<-done)
		w.until("it is stored", func(*cluster.Topology) bool { return w.replicator.View().End.Count() > end.Count() })
		w.cut()
		if err := w.replicator.Promote(w.Context(), w.flip(slave, master)); !errors.Is(err, control.ErrLacks) {
			w.Errorf("a slave that lacks what is stored is promoted: %v", err)
		}
	})
}
