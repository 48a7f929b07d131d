package proxy

import (
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/fakemysql"
	"github.com/bellwether-db/bellwether/wire"
)

// wroteSeven is the answer to a write, with its GTID.
func wroteSeven() fakemysql.Step {
	return fakemysql.SendOK(wire.OK{Status: wire.StatusAutocommit, Track: wire.AppendTrackValue(nil, wire.TrackGTIDs, uuid+":7")})
}

// has publishes what a probe has seen of a node that was started at some time.
func (h *house) has(t testing.TB, name, applied string, since time.Time) {
	t.Helper()
	n := h.store.Load().Nodes[h.store.Load().Find(name)]
	h.store.Report(func(d *cluster.ReportDraft) {
		d.SetCondition(name, n.Addr, cluster.Condition{
			Health: cluster.HealthUp, Flavour: cluster.FlavourMySQL, Version: "9.7.0", LagKnown: true, Replication: cluster.ReplicationRunning,
			Identity: identities[name], Applied: gtids(t, applied), Since: since, Asked: time.Now(), Seen: time.Now(),
		})
	})
}

// identities are who the nodes are, by name; immutable.
var identities = map[string]string{"node1": uuid, "node2": uuidOfSlave}

const uuidOfSlave = "d3eb0575-e732-11f1-8e73-02fc00000002"

// executed is the answer of a node that was asked how far it is.
func (n *node) executed(set string) {
	n.setAnswer("SELECT @@global.gtid_executed", fakemysql.SendRows([]string{"executed"}, []string{set}))
}

// TestNobodyWaitsForErrant: without a log, a session that leaves a slave on which
// somebody has written waits elsewhere for what it can have read, and not for what
// no other node will ever have. What the slave wrote as the master others have.
func TestNobodyWaitsForErrant(t *testing.T) {
	for _, c := range []struct{ name, master, waitsFor string }{
		{"only the slave has it", uuid + ":1-7", uuid + ":1-7"},
		{"the master has a part of it by now", uuid + ":1-7," + uuidOfSlave + ":1", uuid + ":1-7," + uuidOfSlave + ":1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			nodes := []*node{{name: "node1"}, {name: "node2"}, {name: "node3"}}
			h := newHouse(t, nil, nodes[0].handler(), nodes[1].handler(), nodes[2].handler())
			nodes[0].executed(c.master)
			nodes[1].executed(uuid + ":1-7," + uuidOfSlave + ":1-2")
			began := time.Now()
			h.has(t, "node1", uuid+":1-7", began)
			h.has(t, "node2", uuid+":1-7,"+uuidOfSlave+":1-2", began)
			h.has(t, "node3", uuid+":1-6", began)
			x := h.client(t)
			for _, name := range []string{"node2", "node3"} {
				if got := x.query("SELECT name /* bellwether: " + name + " */ FROM t"); got != name {
					t.Errorf("%s served, want %s", got, name)
				}
			}
			if nodes[2].got("WAIT_FOR_EXECUTED_GTID_SET('"+c.waitsFor+"',") != 1 {
				t.Errorf("it did not wait for %s: %v", c.waitsFor, nodes[2].asked)
			}
		})
	}
}

// TestSlaveThatLostIsNotBelieved: a slave had the session's write, was seen to, or
// was waited for, and comes back without it.
func TestSlaveThatLostIsNotBelieved(t *testing.T) {
	for _, c := range []struct {
		name, applied string // what the slave was seen to have at first
		between       string
	}{
		{"it was seen to have it, and nothing was read", uuid + ":1-7", "SELECT 1"},
		{"it was seen to have it, and was read", uuid + ":1-7", "SELECT name FROM t"},
		{"it was waited for, and nothing was read", uuid + ":1-6", "SELECT 1"},
		{"it was waited for, and was read", uuid + ":1-6", "SELECT name FROM t"},
	} {
		t.Run(c.name, func(t *testing.T) {
			master, slave := &node{name: "node1"}, &node{name: "node2"}
			master.setAnswer("INSERT INTO t VALUES (1)", wroteSeven())
			master.executed(uuid + ":1-7")
			h := newHouse(t, nil, master.handler(), slave.handler())
			began := time.Now()
			h.has(t, "node1", uuid+":1-7", began)
			h.has(t, "node2", c.applied, began)
			x := h.client(t)
			x.query("INSERT INTO t VALUES (1)")
			x.query(c.between)
			if slave.got(c.between) != 1 {
				t.Fatalf("%s was served by another node than the slave", c.between)
			}
			slave.isBehind(time.Minute)
			h.has(t, "node2", uuid+":1-5", time.Now())
			for range 3 {
				if got := x.query("SELECT name FROM t"); got != "node1" {
					t.Errorf("%s served, which came back without the session's write", got)
				}
			}
		})
	}
}

// A write in one domain of MariaDB's says nothing of those in another.
func TestDomainsAreApart(t *testing.T) {
	set := func(text string) *cluster.GTIDSet {
		out, err := cluster.ParseGTIDSet(cluster.FlavourMariaDB, text)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	x := session{read: lastRead{node: "node2", end: set("0-1-8,5-1-1")}}
	for _, c := range []struct{ write, sees string }{{"0-1-6", "0-1-6"}, {"0-1-7", "0-1-7"}, {"5-1-2", "0-1-7,5-1-2"}, {"0-1-9", "0-1-9,5-1-2"}} {
		if x.position.wrote(c.write, set(c.write)); x.position.text != c.sees {
			t.Errorf("after %s it must see %s, want %s", c.write, x.position.text, c.sees)
		}
		if x.overtake(set(c.write)); x.read.node != "node2" {
			t.Errorf("%s lets it forget what it has read of another domain", c.write)
		}
	}
	x.read.end = set("0-1-8")
	if x.overtake(set("0-1-9")); x.read.node != "" {
		t.Error("what comes before a write is not forgotten")
	}
}

// TestWithoutGTIDs: where servers have none, nobody can tell what a slave lacks, and
// who has written reads from the master. What is left of a time with GTIDs says
// nothing.
func TestWithoutGTIDs(t *testing.T) {
	for _, left := range []string{"", uuid + ":1-5"} {
		master, slave := &node{name: "node1"}, &node{name: "node2"}
		h := newHouse(t, nil, master.handler(), slave.handler())
		master.executed(left)
		x := h.client(t)
		x.query("INSERT INTO t VALUES (1)")
		for range 3 {
			if got := x.query("SELECT name FROM t"); got != "node1" {
				t.Errorf("gtid_executed %q: %s served", left, got)
			}
		}
		if got := h.client(t).query("SELECT name FROM t"); got != "node2" {
			t.Errorf("who has written nothing is served by %s", got)
		}
	}
}

// TestTokenOfOneNodeOnly: what a node has that is not the master is no token, unless
// the master gets it in time.
func TestTokenOfOneNodeOnly(t *testing.T) {
	master, slave := &node{name: "node1"}, &node{name: "node2"}
	h := newHouse(t, nil, master.handler(), slave.handler())
	h.has(t, "node1", uuid+":1-7", time.Now())
	h.has(t, "node2", uuid+":1-8,"+uuidOfSlave+":1", time.Now())
	x := h.client(t)
	for token, want := range map[string]string{uuid + ":7": "ok", uuid + ":8": "ok"} { // the master is waited for
		if got := x.query("SET bellwether_position = '" + token + "'"); got != want {
			t.Errorf("%s: %s", token, got)
		}
	}
	master.isBehind(time.Minute)
	for _, token := range []string{uuid + ":9", uuid + ":8", uuidOfSlave + ":1"} {
		if got := x.query("SET bellwether_position = '" + token + "'"); !strings.Contains(got, "1231") {
			t.Errorf("%s: %s, want error 1231", token, got)
		}
	}
}
