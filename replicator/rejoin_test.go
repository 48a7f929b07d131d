package replicator

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/bellwether-db/bellwether/replicator/control"
)

// fence says whether a node is fenced.
func (w *world) fence(n *playground.Node, fenced bool) {
	w.Helper()
	_, err := w.store.Advance(w.store.Load().Generation, func(d *cluster.RoleDraft) error { return d.SetFenced(n.Name, fenced) })
	w.must(err)
}

// back starts a server that was killed, and waits until it is seen.
func (w *world) back(n *playground.Node) cluster.Node {
	w.Helper()
	w.must(n.StartServer(w.Context()))
	w.until(n.Name+" is back", func(*cluster.Topology) bool { return w.node(n).Health == cluster.HealthUp && w.node(n).Identity != "" })
	return w.node(n)
}

// either is what a family says.
func (w *world) either(mysql, mariaDB string) string {
	if w.nodes.Flavour == playground.MariaDB {
		return mariaDB
	}
	return mysql
}

// swap has the first two nodes change places, as the helpers of a world take the
// first one for the master.
func (w *world) swap() {
	w.nodes.Nodes[0], w.nodes.Nodes[1] = w.nodes.Nodes[1], w.nodes.Nodes[0]
}

// A former master comes back with transactions of its own: they are named, kept
// as SQL and as raw events, and it becomes a copy that follows. Its events run on
// the next master and no longer there.
func TestErrantMasterComesBack(t *testing.T) {
	worlds(t, 2, func(w *world) {
		from, to := w.nodes.Nodes[0], w.nodes.Nodes[1]
		w.must(from.Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(40))",
			"INSERT INTO shop.t VALUES (1, 'one'), (2, 'two'), (3, NULL)", "SET GLOBAL event_scheduler = ON",
			"CREATE EVENT shop.e ON SCHEDULE EVERY 1 DAY DO SET @x = 1", "CREATE EVENT shop.off ON SCHEDULE EVERY 1 DAY DISABLE DO SET @x = 1"))
		w.must(to.Exec(w.Context(), "SET GLOBAL event_scheduler = OFF"))
		w.must(w.replicator.rememberEvents(w.Context(), sourceAt(w.node(from)), false))
		w.converge()
		w.must(from.Kill())
		w.failOver(to, from)
		w.must(w.replicator.Opened(w.Context(), w.node(to)))
		w.events(to, w.either("e ENABLED, off REPLICA_SIDE_DISABLED", "e ENABLED, off SLAVESIDE_DISABLED"), "ON")
		w.must(to.Exec(w.Context(), "INSERT INTO shop.t VALUES (10, 'ten'), (11, 'eleven'), (12, 'twelve')", "INSERT INTO shop.t VALUES (13, 'a'), (14, 'b')"))

		n := w.back(from)
		w.must(from.Exec(w.Context(), w.either("SET GLOBAL super_read_only = OFF, GLOBAL read_only = OFF", "SET GLOBAL read_only = OFF"),
			"INSERT INTO shop.t VALUES (4, 'it''s mine')", "UPDATE shop.t SET v = 'changed' WHERE id = 3", "DELETE FROM shop.t WHERE id = 2", "CREATE TABLE shop.extra (id INT)"))
		err := w.replicator.Demote(w.Context(), n)
		var extra *control.ErrantError
		if !errors.As(err, &extra) {
			w.Fatalf("a node with transactions of its own: %v", err)
		}
		w.Logf("errant: %v", extra.Extra)
		dir := filepath.Join(w.TempDir(), "errant")
		files, err := w.replicator.Save(w.Context(), n, extra.Extra, dir)
		w.must(err)
		w.saved(dir, files)

		var told []string
		w.must(w.replicator.Copy(w.Context(), n, func(s string) { told = append(told, s) }))
		if len(told) < 2 {
			w.Errorf("told %q", told)
		}
		w.must(w.replicator.Demote(w.Context(), n))
		w.fence(from, false)
		w.swap()
		w.must(to.Exec(w.Context(), "INSERT INTO shop.t VALUES (20, 'twenty')"))
		w.converge()
		w.same("SELECT GROUP_CONCAT(id, '=', v ORDER BY id) FROM shop.t")
		w.events(from, w.either("e REPLICA_SIDE_DISABLED, off REPLICA_SIDE_DISABLED", "e SLAVESIDE_DISABLED, off SLAVESIDE_DISABLED"), "")
	})
}

// events compares what a node says of its events.
func (w *world) events(n *playground.Node, want, scheduler string) {
	w.Helper()
	got, err := n.Query(w.Context(), "SELECT GROUP_CONCAT(EVENT_NAME, ' ', STATUS ORDER BY EVENT_NAME SEPARATOR ', ') FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'shop'")
	if err != nil || got != want {
		w.Errorf("events of %s: %q, %v; want %q", n.Name, got, err, want)
	}
	if on, err := n.Query(w.Context(), "SELECT @@GLOBAL.event_scheduler"); scheduler != "" && (err != nil || on != scheduler) {
		w.Errorf("event scheduler of %s: %s, %v", n.Name, on, err)
	}
}

// saved looks into the files.
func (w *world) saved(dir string, files []string) {
	w.Helper()
	if len(files) < 2 {
		w.Fatalf("files %q", files)
	}
	content, err := os.ReadFile(filepath.Join(dir, files[len(files)-1]))
	w.must(err)
	w.Logf("%q\n%s", files, content)
	w.readable(filepath.Join(dir, files[0]))
	for _, want := range []string{
		"INSERT INTO `shop`.`t` (`id`, `v`) VALUES (4, 'it''s mine');", "UPDATE `shop`.`t` SET `id` = 3, `v` = 'changed' WHERE `id` = 3 AND `v` IS NULL LIMIT 1;",
		"DELETE FROM `shop`.`t` WHERE `id` = 2 AND `v` = 'two' LIMIT 1;", "CREATE TABLE shop.extra (id INT)",
	} {
		if !strings.Contains(string(content), want) {
			w.Errorf("it lacks %s", want)
		}
	}
	if strings.Contains(string(content), "'one'") || strings.Contains(string(content), "'ten'") {
		w.Error("it holds what others have")
	}
}

// readable has the server's own tool read a raw file.
func (w *world) readable(file string) {
	w.Helper()
	cache, err := playground.CacheDir()
	w.must(err)
	tool := filepath.Join(cache, "bin", w.either("mysqlbinlog", "mariadb-binlog"))
	text, err := exec.Command(tool, "--no-defaults", "--verify-binlog-checksum", "--verbose", file).CombinedOutput()
	if err != nil || !strings.Contains(string(text), "INSERT INTO `shop`.`t`") || !strings.Contains(string(text), "CREATE TABLE shop.extra") {
		w.Errorf("%s cannot read the raw file: %v\n%s", tool, err, text)
	}
}

// Trap 1: a former master that comes back without some of its own transactions
// would pass over them as a slave, in silence. It is told and copied.
func TestMasterComesBackWithLess(t *testing.T) {
	worlds(t, 1, func(w *world) {
		from, to := w.nodes.Nodes[0], w.nodes.Nodes[1]
		w.must(from.Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)", "INSERT INTO shop.t VALUES (1)"))
		w.converge()
		w.must(from.StopServer(w.Context()))
		older := filepath.Join(w.TempDir(), "older")
		w.must(os.CopyFS(older, os.DirFS(from.DataDir())))
		w.back(from)
		w.open(from)
		w.until("protected", func(*cluster.Topology) bool { return w.replicator.Status().Protected })
		w.must(from.Exec(w.Context(), "INSERT INTO shop.t VALUES (2)", "INSERT INTO shop.t VALUES (3)"))
		w.converge()
		w.must(from.Kill())
		w.failOver(to, from)
		w.must(to.Exec(w.Context(), "INSERT INTO shop.t VALUES (4)"))
		w.must(os.RemoveAll(from.DataDir()))
		w.must(os.CopyFS(from.DataDir(), os.DirFS(older)))
		n := w.back(from)
		err := w.replicator.Demote(w.Context(), n)
		var less *control.OwnError
		if !errors.As(err, &less) {
			w.Fatalf("a master that lacks what it wrote: %v", err)
		}
		w.must(w.replicator.Copy(w.Context(), n, func(string) {}))
		w.must(w.replicator.Demote(w.Context(), n))
		w.fence(from, false)
		w.swap()
		w.converge()
		if got := w.same("SELECT GROUP_CONCAT(id ORDER BY id) FROM shop.t"); got != "1,2,3,4" {
			w.Errorf("rows %s", got)
		}
	})
}

// A former master that only stopped goes on as a slave without a copy, and without its
// events, which the next one runs.
func TestMasterComesBackWhole(t *testing.T) {
	worlds(t, 1, func(w *world) {
		from, to := w.nodes.Nodes[0], w.nodes.Nodes[1]
		w.must(from.Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)",
			"CREATE EVENT shop.e ON SCHEDULE EVERY 1 DAY DO SET @x = 1", "INSERT INTO shop.t VALUES (1)"))
		w.converge()
		w.must(from.Pause())
		w.failOver(to, from)
		w.must(to.Exec(w.Context(), "INSERT INTO shop.t VALUES (2)"))
		w.must(from.Resume())
		w.until("it is back", func(*cluster.Topology) bool { return w.node(from).Health == cluster.HealthUp })
		w.must(w.replicator.Demote(w.Context(), w.node(from)))
		w.events(from, w.either("e REPLICA_SIDE_DISABLED", "e SLAVESIDE_DISABLED"), "") // trap 5
		w.fence(from, false)
		w.swap()
		w.converge()
		if got := w.same("SELECT GROUP_CONCAT(id ORDER BY id) FROM shop.t"); got != "1,2" {
			w.Errorf("rows %s", got)
		}
	})
}
