package replicator

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/bellwether-db/bellwether/replicator/control"
)

// holdUp has a slave apply nothing more to shop.t, until it is let go.
func (w *world) holdUp(n *playground.Node) (letGo func()) {
	w.Helper()
	conn, err := w.dial(n).Conn(w.Context())
	w.must(err)
	_, err = conn.ExecContext(w.Context(), "LOCK TABLES shop.t READ")
	w.must(err)
	return sync.OnceFunc(func() { _, _ = conn.ExecContext(w.Context(), "UNLOCK TABLES") }) // its connection may be gone
}

// The slave that is promoted lacks what was acknowledged: that is kept in files,
// the stored log ends where the slave does, and goes on with what that writes; the
// other one, which had it all, is errant and becomes a copy.
func TestLose(t *testing.T) {
	worlds(t, 2, func(w *world) {
		from, to, other := w.nodes.Nodes[0], w.nodes.Nodes[1], w.nodes.Nodes[2]
		w.must(from.Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(40))", "INSERT INTO shop.t VALUES (1, 'one')"))
		w.converge()
		letGo := w.holdUp(to)
		defer letGo()
		w.must(from.Exec(w.Context(), "INSERT INTO shop.t VALUES (2, 'lost')", "UPDATE shop.t SET v = 'changed' WHERE id = 1", "CREATE TABLE shop.extra (id INT)"))
		has := w.position(to)
		w.must(from.Kill())
		w.cut()
		end, err := w.replicator.Seal(w.Context())
		w.must(err)
		w.until("the other slave has all of it", func(*cluster.Topology) bool { return w.position(other).ContainsSet(end) })

		dir := filepath.Join(w.TempDir(), "lost")
		loss, err := w.replicator.Lose(w.Context(), w.node(to), end, dir)
		w.must(err)
		if !loss.Set.Equal(end.Subtract(has)) || !loss.End.Equal(has) || !w.replicator.View().End.Equal(has) {
			w.Errorf("%s is lost of %s, %s is stored; the slave has %s", loss.Set, end, w.replicator.View().End, has)
		}
		w.kept(dir, loss.Files)
		again, err := w.replicator.Lose(w.Context(), w.node(to), end, dir)
		if err != nil || len(again.Files) != len(loss.Files) || !again.Set.Equal(loss.Set) {
			w.Errorf("once more: %+v, %v", again, err)
		}

		w.fence(other, true)
		n := w.flip(to, from)
		w.must(w.replicator.Promote(w.Context(), n))
		w.must(w.replicator.Attach(w.Context(), n))
		w.must(w.replicator.MayOpen(w.Context(), n.Addr, n.Identity))
		letGo()
		w.open(to)
		w.must(to.Exec(w.Context(), "INSERT INTO shop.t VALUES (2, 'of the new master')"))
		w.comesBack(other)
		w.swap()
		w.nodes.Nodes = []*playground.Node{to, other, from}
		w.until("the other slave follows", func(*cluster.Topology) bool { return w.position(other).ContainsSet(w.position(to)) })
		for _, n := range []*playground.Node{to, other} {
			if got, err := n.Query(w.Context(), "SELECT GROUP_CONCAT(id, '=', v ORDER BY id) FROM shop.t"); err != nil || got != "1=one,2=of the new master" {
				w.Errorf("%s has %s, %v", n.Name, got, err)
			}
		}
	})
}

// kept looks into the files of what is lost.
func (w *world) kept(dir string, files []string) {
	w.Helper()
	if len(files) < 2 {
		w.Fatalf("files %q", files)
	}
	w.readable(filepath.Join(dir, files[0]))
	content, err := os.ReadFile(filepath.Join(dir, files[len(files)-1]))
	w.must(err)
	for _, want := range []string{"INSERT INTO `shop`.`t` (`id`, `v`) VALUES (2, 'lost');", "`v` = 'changed'", "CREATE TABLE shop.extra (id INT)", "lost, because node2"} {
		if !strings.Contains(string(content), want) {
			w.Errorf("it lacks %s:\n%s", want, content)
		}
	}
}

// comesBack makes a slave again of one that has what is not stored any more.
func (w *world) comesBack(n *playground.Node) {
	w.Helper()
	err := w.replicator.Demote(w.Context(), w.node(n))
	var extra *control.ErrantError
	if !errors.As(err, &extra) {
		w.Fatalf("a slave with what was given up: %v", err)
	}
	dir := filepath.Join(w.TempDir(), "errant")
	files, err := w.replicator.Save(w.Context(), w.node(n), extra.Extra, dir)
	w.must(err)
	content, err := os.ReadFile(filepath.Join(dir, files[len(files)-1]))
	w.must(err)
	if !strings.Contains(string(content), "VALUES (2, 'lost')") {
		w.Errorf("saved: %s", content)
	}
	w.must(w.replicator.Copy(context.WithoutCancel(w.Context()), w.node(n), func(string) {}))
	w.must(w.replicator.Demote(w.Context(), w.node(n)))
	w.fence(n, false)
}
