package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// onBoth runs a test on running servers of both families.
func onBoth(t *testing.T, o playground.Options, test func(t *testing.T, servers *playground.Cluster)) {
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) {
			t.Parallel()
			of := o
			of.Flavour, of.Relaxed = flavour, true
			test(t, playground.ForTest(t, of))
		})
	}
}

func execOn(t *testing.T, n *playground.Node, statements ...string) {
	t.Helper()
	if err := n.Exec(t.Context(), statements...); err != nil {
		t.Fatal(err)
	}
}

// says runs a command and wants an exit code and some texts, in their order.
func says(t *testing.T, want int, texts []string, args ...string) {
	t.Helper()
	code, stdout, stderr := command(t.Context(), args...)
	rest, found := stdout+stderr, true
	for _, text := range texts {
		_, rest, found = strings.Cut(rest, text)
		if !found {
			break
		}
	}
	if code != want || !found {
		t.Errorf("%q: exit code %d, want %d and %q\nstdout: %s\nstderr: %s", args, code, want, texts, stdout, stderr)
	}
}

// TestSyncAndVerify is the two commands as an operator uses them; what they do
// to servers is tested where it is done.
func TestSyncAndVerify(t *testing.T) {
	t.Parallel()
	onBoth(t, playground.Options{Slaves: 2, Replicate: true}, func(t *testing.T, servers *playground.Cluster) {
		if err := servers.OpenMaster(t.Context(), servers.Master); err != nil {
			t.Fatal(err)
		}
		execOn(t, servers.Master, "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, v INT)", "INSERT INTO shop.t VALUES (1, 1), (2, 2)")
		if err := servers.WaitCaughtUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		state := t.TempDir()
		c := file(t, configOf(servers, state, "admin: {listen: "+freePort(t)+"}\n"))
		says(t, exitFailure, []string{"the node is the master"}, "sync", "node1", "-c", c)
		says(t, exitFailure, []string{"no such node"}, "verify", "node9", "-c", c)
		says(t, exitFailure, []string{"want copy or clone"}, "sync", "node2", "--method", "move", "-c", c)
		unlock := lockState(t, state)
		says(t, exitFailure, []string{"set maintenance: true"}, "sync", "node2", "-c", c)
		says(t, exitFailure, []string{"set maintenance: true"}, "sync", "-c", c)
		says(t, exitFailure, []string{"call bellwether"}, "verify", "-c", c)
		text := strings.Replace(configOf(servers, state, ""), "node2, ", "node2, maintenance: true, ", 1)
		says(t, exitFailure, []string{"have the configuration read"}, "sync", "node2", "-c", file(t, text+"admin: {listen: "+freePort(t)+"}\n"))
		unlock()
		says(t, exitFailure, []string{"node3 is not copied to", "node2 is in maintenance"}, "sync", "-c", file(t, text))
		says(t, 0, []string{"node2 is a copy of node1 at ", "node3 is a copy of node1 at "}, "sync", "-c", c, "--rate", "100")
		says(t, 0, []string{"node2: equal (1 tables, 2 rows", "node3: equal (1 tables, 2 rows"}, "verify", "-c", c)
		spoil(t, servers.Node("node3"))
		says(t, exitFailure, []string{"node3: missing: table shop.t, row id=2"}, "verify", "node3", "-c", c)
		says(t, exitFailure, []string{"node2 is not copied to: no other slave could become master meanwhile", "node3 has ", "not of the master's history"}, "sync", "-c", c)
		ended := leaveAlone(t, servers.Node("node3"), servers.Operator)
		leaveCopying(t, state, "node2", "node3")
		says(t, 0, []string{"2 rows (0 were there)"}, "sync", "node3", "-c", c)
		if err := <-ended; err == nil {
			t.Error("what a killed Bellwether had left behind went on behind the copy")
		}
		wantLeft(t, state, "node2", "node3")
		says(t, 0, []string{"node3: equal"}, "verify", "node3", "-c", c)
	})
}

// spoil has a slave lose a row, by a write of its own, behind other statements.
func spoil(t *testing.T, n *playground.Node, before ...string) {
	t.Helper()
	opened, closed := "SET GLOBAL read_only = OFF", "SET GLOBAL read_only = ON"
	if n == nil {
		t.Fatal("no such node")
	}
	if version, err := n.Query(t.Context(), "SELECT @@version"); err != nil || !strings.Contains(version, "MariaDB") {
		opened, closed = "SET GLOBAL super_read_only = OFF", "SET GLOBAL super_read_only = ON"
	}
	execOn(t, n, append(before, opened, "DELETE FROM shop.t WHERE id = 2", closed)...)
}

// TestSyncBesideServe copies to a slave of a Bellwether that runs and serves
// writes: not before it has let go of the slave, which it takes back afterwards.
func TestSyncBesideServe(t *testing.T) {
	t.Parallel()
	onBoth(t, playground.Options{Slaves: 2}, func(t *testing.T, servers *playground.Cluster) {
		s := startServingAs(t, servers, demoOptions{proxy: "127.0.0.1:0", admin: freePort(t), feed: "relay"})
		s.bePatient(t, time.Minute, 10*time.Second)
		execOn(t, servers.Master, "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)", "INSERT INTO shop.t (v) VALUES (1), (2)")
		path := s.house.config.Path()
		says(t, exitFailure, []string{"set maintenance: true"}, "sync", "node2", "--fresh", "-c", path)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		rewrite(t, s.house, strings.Replace(string(text), "{name: node2, ", "{name: node2, maintenance: true, ", 1))
		stop := s.writes(t)
		says(t, 0, []string{"node2 is a copy of node1 at ", "set maintenance back"}, "sync", "node2", "-c", path)
		if source, err := servers.Node("node2").Query(t.Context(), "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'system user'"); err != nil || source != "0" {
			t.Errorf("the copy replicates although it is in maintenance: %s, %v", source, err)
		}
		rewrite(t, s.house, string(text))
		if err := s.house.reload(); err != nil {
			t.Fatal(err)
		}
		stop()
		want, err := servers.Master.Query(t.Context(), "SELECT COUNT(*) FROM shop.t")
		if err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(time.Minute); ; sleep(t.Context(), 20*time.Millisecond) {
			got, err := servers.Node("node2").Query(t.Context(), "SELECT COUNT(*) FROM shop.t")
			if err == nil && got == want {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("the copy has %s rows (%v), the master %s; %+v", got, err, want, s.house.replicator.Status().Slaves)
			}
		}
		says(t, 0, []string{"node2: equal"}, "verify", "node2", "-c", path)
		s.checkTerminal(t, path)
	})
}

// writes inserts rows on the master until the function it returns is called.
func (s *serving) writes(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() {
		for ctx.Err() == nil {
			if err := s.servers.Master.Exec(context.WithoutCancel(ctx), "INSERT INTO shop.t (v) VALUES (3)"); err != nil {
				t.Error(err)
				return
			}
		}
	})
	return func() { cancel(); group.Wait() }
}

func configOf(servers *playground.Cluster, state, more string) string {
	text := fmt.Sprintf("state_dir: %s\noperator: {user: %s, password: %s}\n%snodes:\n", state, servers.Operator.User, servers.Operator.Password, more)
	for _, n := range servers.Nodes {
		text += fmt.Sprintf("  - {name: %s, address: %q, master: %t}\n", n.Name, n.Addr(), n == servers.Master)
	}
	return text
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
