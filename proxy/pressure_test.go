package proxy

import (
	"math"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// One step from each state.
func TestPressureStep(t *testing.T) {
	const limit, second = 5 * time.Second, time.Second
	for _, c := range []struct {
		name    string
		before  pressure
		outlook time.Duration
		known   bool
		want    float64
	}{
		{"nothing", pressure{}, 0, true, 0},
		{"a jump far below the limit", pressure{known: true}, 2 * second, true, 0},
		{"it comes near", pressure{outlook: 3 * second, known: true}, 4 * second, true, 0.15},
		{"at the limit for the first time", pressure{}, limit, true, 0},
		{"beyond it", pressure{outlook: 10 * second, known: true}, 10 * second, true, 0.25},
		{"far beyond it", pressure{outlook: time.Hour, known: true}, time.Hour, true, 0.25},
		{"a jump far beyond it", pressure{known: true}, time.Hour, true, 0.5},
		{"it stays at the limit", pressure{level: 0.6, outlook: limit, known: true}, limit, true, 0.6},
		{"it falls", pressure{level: 0.6, outlook: 6 * second, known: true}, limit, true, 0.4},
		{"caught up", pressure{level: 0.6, outlook: 0, known: true}, 0, true, 0.35},
		{"no slave counts any more", pressure{level: 0.6, outlook: time.Hour, known: true}, 0, false, 0.35},
		{"no slave ever did", pressure{}, 0, false, 0},
		{"never more than all", pressure{level: 1, outlook: time.Hour, known: true}, time.Hour, true, 1},
	} {
		if got := c.before.next(c.outlook, c.known, limit, second).level; math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: level %g, want %g", c.name, got, c.want)
		}
	}
}

func TestPressureDelay(t *testing.T) {
	const most = 200 * time.Millisecond
	if none, all := (pressure{}).delay(most), (pressure{level: 1}).delay(most); none != 0 || all != most {
		t.Errorf("from %v to %v, want from 0 to %v", none, all, most)
	}
	for level := 0.01; level < 1; level += 0.01 {
		if a, b := (pressure{level: level}).delay(most), (pressure{level: level + 0.01}).delay(most); a >= b || a <= 0 {
			t.Errorf("level %.2f: %v, and then %v", level, a, b)
		}
	}
}

// Which slaves are waited for, and the least late of them counts.
func TestWhoIsWaitedFor(t *testing.T) {
	late := func(change func(*cluster.Node)) cluster.Node {
		n := slaveNode(20 * time.Second)
		if change != nil {
			change(&n)
		}
		return n
	}
	for _, c := range []struct {
		name  string
		nodes []cluster.Node
		want  time.Duration // -1: nobody
	}{
		{"one", []cluster.Node{late(nil)}, 20 * time.Second},
		{"the least late", []cluster.Node{late(nil), slaveNode(3 * time.Second)}, 3 * time.Second},
		{"down", []cluster.Node{late(func(n *cluster.Node) { n.Health = cluster.HealthDown })}, -1},
		{"broken", []cluster.Node{late(func(n *cluster.Node) { n.Replication = cluster.ReplicationBroken })}, -1},
		{"stopped", []cluster.Node{late(func(n *cluster.Node) { n.Replication = cluster.ReplicationStopped })}, -1},
		{"without its source", []cluster.Node{late(func(n *cluster.Node) { n.Replication = cluster.ReplicationConnecting })}, -1},
		{"drained", []cluster.Node{late(func(n *cluster.Node) { n.Drain = true })}, -1},
		{"in maintenance", []cluster.Node{late(func(n *cluster.Node) { n.Maintenance = true })}, -1},
		{"touched", []cluster.Node{late(func(n *cluster.Node) { n.Touched = "a change by hand" })}, -1},
		{"fenced", []cluster.Node{late(func(n *cluster.Node) { n.Fenced = true })}, -1},
		{"without reads", []cluster.Node{late(func(n *cluster.Node) { n.Weight = 0 })}, -1},
		{"of unknown lag", []cluster.Node{late(func(n *cluster.Node) { n.LagKnown = false })}, -1},
		{"the master", []cluster.Node{late(func(n *cluster.Node) { n.Role = cluster.RoleMaster })}, -1},
		{"a dead one and one that keeps up", []cluster.Node{late(func(n *cluster.Node) { n.Health = cluster.HealthDown }), slaveNode(0)}, 0},
		{"late is no reason not to be waited for", []cluster.Node{late(func(n *cluster.Node) { n.Late = true })}, 20 * time.Second},
	} {
		_, got, known := followers{}.look(&cluster.Topology{Nodes: c.nodes})
		if !known {
			got = -1
		}
		if got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func slaveNode(lag time.Duration) cluster.Node {
	return cluster.Node{
		Name: "s" + lag.String(), Role: cluster.RoleSlave, Weight: 1, Health: cluster.HealthUp, Replication: cluster.ReplicationRunning,
		LagKnown: true, Lag: lag, Applied: cluster.EmptyGTIDSet(cluster.FlavourMySQL), Seen: time.Unix(1, 0),
	}
}

// What a slave lacks and how fast it applies tell how long a write will take.
func TestOutlook(t *testing.T) {
	var f follower
	look := func(at, applied, lacks int, lag time.Duration) time.Duration {
		n := &cluster.Node{Applied: numbered(uint64(applied)), Seen: time.Unix(int64(at), 0), Lag: lag, LagGTIDs: uint64(lacks)}
		f = f.next(n)
		return f.outlook(n).Round(time.Second)
	}
	for i, c := range []struct {
		at, applied, lacks int
		lag, want          time.Duration
	}{
		{1, 100, 50, 7 * time.Second, 7 * time.Second}, // nothing is known of its pace
		{2, 200, 0, 0, 0}, // it keeps up
		{3, 300, 400, 2 * time.Second, 4 * time.Second},     // 400 at 100 a second
		{4, 400, 4000, 2 * time.Second, 12 * time.Second},   // no more than six times what is seen
		{5, 500, 100, 30 * time.Second, 1 * time.Second},    // nearly there, although the next one is old
		{5, 500, 100, 30 * time.Second, 1 * time.Second},    // the same look again
		{60, 500, 100, 60 * time.Second, 360 * time.Second}, // it stands still
	} {
		if got := look(c.at, c.applied, c.lacks, c.lag); got != c.want {
			t.Errorf("look %d: %v, want %v", i, got, c.want)
		}
	}
}

// numbered is a set of so many transactions.
func numbered(n uint64) *cluster.GTIDSet {
	set := cluster.EmptyGTIDSet(cluster.FlavourMariaDB)
	if n == 0 {
		return set
	}
	return set.With(cluster.MariaDBGTID(0, 1, n))
}
