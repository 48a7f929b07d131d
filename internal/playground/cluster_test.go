package playground

import (
	"context"
	"database/sql"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

var flavours = []Flavour{MySQL, MariaDB}

func TestClusterReplicatesAndSurvives(t *testing.T) {
	for _, f := range flavours {
		t.Run(f.String(), func(t *testing.T) {
			c := ForTest(t, Options{Flavour: f, Slaves: 2, Replicate: true, Relaxed: true, GeneralLog: true})
			story := clusterStory{c, openedMaster(t, c)}
			t.Run("fresh", story.fresh)
			t.Run("replicates", story.replicates)
			t.Run("kill", story.kill)
			t.Run("pause", story.pause)
			t.Run("cut", story.cut)
			t.Run("logs", story.logs)
		})
	}
}

// clusterStory is one cluster's life; its chapters build on each other.
type clusterStory struct {
	c      *Cluster
	master *sql.DB
}

// fresh: equal GTID sets, all read-only but the opened master, unique identity.
func (s clusterStory) fresh(t *testing.T) {
	for _, n := range s.c.Slaves() {
		if got := query(t, n, "SELECT @@GLOBAL.read_only"); got != "1" {
			t.Errorf("%s: read_only = %s, want 1", n.Name, got)
		}
		if got := query(t, n, "SELECT COUNT(*) FROM mysql.user WHERE User = ''"); got != "0" {
			t.Errorf("%s has %s anonymous users", n.Name, got)
		}
	}
	executed := "SELECT @@GLOBAL.gtid_executed"
	if s.c.Flavour == MariaDB {
		executed = "SELECT @@GLOBAL.gtid_current_pos"
	}
	for _, n := range s.c.Nodes {
		if got := query(t, n, executed); got != "" {
			t.Errorf("%s: fresh, but has GTIDs %s", n.Name, got)
		}
	}
}

func (s clusterStory) replicates(t *testing.T) {
	do(t, s.master, "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)", "INSERT INTO shop.t VALUES (1)")
	caughtUp(t, s.c)
	for _, n := range s.c.Slaves() {
		if got := count(t, open(t, n, s.c.Account)); got != 1 {
			t.Errorf("%s has %d rows, want 1", n.Name, got)
		}
	}
}

func (s clusterStory) kill(t *testing.T) {
	slave, before := s.c.Nodes[1], s.c.Nodes[1].PID()
	ok(t, slave.Kill())
	if slave.PID() != 0 || syscall.Kill(before, 0) == nil {
		t.Fatalf("process %d lives after Kill", before)
	}
	if slave.Kill() == nil {
		t.Error("killing a dead server succeeded")
	}
	do(t, s.master, "INSERT INTO shop.t VALUES (2)")
	ok(t, slave.StartServer(soon(t)))
	caughtUp(t, s.c)
	if got := count(t, open(t, slave, s.c.Account)); got != 2 {
		t.Errorf("after kill and start: %d rows, want 2", got)
	}
	if got := query(t, slave, "SELECT @@GLOBAL.read_only"); got != "1" {
		t.Errorf("after kill and start: read_only = %s", got)
	}
}

func (s clusterStory) pause(t *testing.T) {
	slave := s.c.Nodes[2]
	db := open(t, slave, s.c.Account)
	count(t, db)
	ok(t, slave.Pause())
	held := inBackground(func() error { return db.PingContext(context.Background()) })
	stillHeld(t, held)
	ok(t, slave.Resume())
	ended(t, held)
}

func (s clusterStory) cut(t *testing.T) {
	slave := s.c.Nodes[1]
	db := open(t, slave, s.c.Account)
	count(t, db)
	for name, cut := range map[string]func(){"both": slave.Cut, "to": slave.CutToNode, "from": slave.CutFromNode} {
		cut()
		old := inBackground(func() error { return db.PingContext(context.Background()) })
		fresh := inBackground(func() error { return open(t, slave, s.c.Account).Ping() })
		stillHeld(t, old)
		stillHeld(t, fresh)
		slave.Mend()
		ended(t, old)
		ended(t, fresh)
		if t.Failed() {
			t.Fatalf("cut %s", name)
		}
	}
	slave.ResetConnections()
	if err := db.Ping(); err != nil { // on a new connection
		t.Errorf("after a reset: %v", err)
	}
}

func (s clusterStory) logs(t *testing.T) {
	general, err := s.c.Nodes[0].GeneralLog()
	if ok(t, err); !strings.Contains(general, "INSERT INTO shop.t VALUES (2)") {
		t.Errorf("general log misses the insert: %s", general)
	}
	text, err := s.c.Nodes[0].Log()
	if ok(t, err); !strings.Contains(text, "ready for connections") {
		t.Errorf("error log: %s", text)
	}
}

func TestStartGoesOnWithItsFolder(t *testing.T) {
	for _, f := range flavours {
		t.Run(f.String(), func(t *testing.T) {
			o := Options{Flavour: f, Dir: t.TempDir(), Slaves: 1, Replicate: true, Relaxed: true}
			pids := writeAndStop(t, o)
			for _, pid := range pids {
				if syscall.Kill(pid, 0) == nil {
					t.Errorf("process %d lives after Stop", pid)
				}
			}
			o.Master = "node2"
			c := ForTest(t, o)
			do(t, openedMaster(t, c), "INSERT INTO shop.t VALUES (2)")
			caughtUp(t, c)
			if got := count(t, open(t, c.Nodes[0], c.Account)); got != 2 {
				t.Errorf("node1 has %d rows, want the old one and the new one", got)
			}
		})
	}
}

func writeAndStop(t *testing.T, o Options) (pids []int) {
	c := ForTest(t, o)
	if _, err := Start(t.Context(), o); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("second start on a running cluster's folder: %v", err)
	}
	do(t, openedMaster(t, c), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)", "INSERT INTO shop.t VALUES (1)")
	caughtUp(t, c)
	for _, n := range c.Nodes {
		pids = append(pids, n.PID())
	}
	ok(t, c.Stop())
	return pids
}

func TestStandaloneInTemporaryFolder(t *testing.T) {
	c, err := Start(soon(t), Options{Flavour: MariaDB, Relaxed: true})
	ok(t, err)
	defer func() {
		ok(t, c.Stop())
		if _, err := os.Stat(c.Dir); err == nil {
			t.Errorf("%s is left after Stop", c.Dir)
		}
	}()
	if len(c.Nodes) != 1 || c.Node("node1") != c.Master {
		t.Errorf("nodes: %v", c.Nodes)
	}
	ok(t, c.Master.StopServer(soon(t)))
	if err := open(t, c.Master, c.Account).Ping(); err == nil {
		t.Error("a stopped server answers")
	}
	ok(t, c.Master.StartServer(soon(t)))
	if err := c.Master.StartServer(soon(t)); err == nil {
		t.Error("a running server was started again")
	}
}

const patience = time.Minute
