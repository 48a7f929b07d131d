package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// TestSyncAndVerify is the two commands as an operator uses them; what they do
// to servers of both families is tested where it is done.
func TestSyncAndVerify(t *testing.T) {
	servers := playground.ForTest(t, playground.Options{Flavour: playground.MariaDB, Slaves: 1, Replicate: true, Relaxed: true})
	if err := servers.OpenMaster(t.Context(), servers.Master); err != nil {
		t.Fatal(err)
	}
	exec := func(n *playground.Node, statements ...string) {
		t.Helper()
		if err := n.Exec(t.Context(), statements...); err != nil {
			t.Fatal(err)
		}
	}
	exec(servers.Master, "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, v INT)", "INSERT INTO shop.t VALUES (1, 1), (2, 2)")
	state := t.TempDir()
	c := file(t, configOf(servers, state, false))
	inMaintenance := file(t, configOf(servers, state, true))
	says := func(want int, text string, args ...string) {
		t.Helper()
		code, stdout, stderr := command(t.Context(), args...)
		if code != want || !strings.Contains(stdout+stderr, text) {
			t.Errorf("%q: exit code %d, want %d and %q\nstdout: %s\nstderr: %s", args, code, want, text, stdout, stderr)
		}
	}
	says(exitFailure, "the node is the master", "sync", "node1", "-c", c)
	says(exitFailure, "no such node", "verify", "node9", "-c", c)
	says(exitFailure, "no other slave could become master meanwhile", "sync", "-c", c)
	unlock := lockState(t, state)
	says(exitFailure, "set maintenance: true", "sync", "node2", "-c", c)
	says(exitFailure, "set maintenance: true", "sync", "-c", c)
	says(0, "node2 is a copy of node1 at ", "sync", "node2", "-c", inMaintenance, "--rate", "100")
	unlock()
	says(0, "node2: equal (1 tables, 2 rows", "verify", "-c", c)
	exec(servers.Node("node2"), "SET STATEMENT sql_log_bin = 0 FOR DELETE FROM shop.t WHERE id = 2")
	says(exitFailure, "node2: missing: table shop.t, row id=2", "verify", "node2", "-c", c)
	says(0, "2 rows (0 were there)", "sync", "node2", "-c", c)
	says(0, "node2: equal", "verify", "node2", "-c", c)
}

func configOf(servers *playground.Cluster, state string, maintenance bool) string {
	return fmt.Sprintf("state_dir: %s\noperator: {user: %s, password: %s}\nnodes:\n  - {name: node1, address: %q, master: true}\n  - {name: node2, address: %q, maintenance: %t}\n",
		state, servers.Operator.User, servers.Operator.Password, servers.Nodes[0].Addr(), servers.Nodes[1].Addr(), maintenance)
}

// lockState holds the state directory as a Bellwether does.
func lockState(t *testing.T, dir string) (unlock func()) {
	t.Helper()
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Fatal(err)
	}
	return func() { _ = lock.Close() }
}
