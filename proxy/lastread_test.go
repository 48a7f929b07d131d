package proxy

import (
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

const uuid = "d3eb0575-e732-11f1-8e73-02fc00000001"

func gtids(t testing.TB, text string) *cluster.GTIDSet {
	t.Helper()
	set, err := cluster.ParseGTIDSet(cluster.FlavourMySQL, text)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestLastReadCovers(t *testing.T) {
	started, read := time.Unix(100, 0), time.Unix(200, 0)
	node := func(name string, role cluster.Role, applied string, asked time.Time) cluster.Node {
		return cluster.Node{Name: name, Role: role, Flavour: cluster.FlavourMySQL, Since: started, Asked: asked, Applied: gtids(t, applied)}
	}
	before, after := read.Add(-time.Second), read.Add(time.Second)
	for _, c := range []struct {
		name   string
		last   lastRead
		nodes  []cluster.Node // the master, the slave that was read, another one
		covers [3]bool
	}{
		{"nothing was read", lastRead{}, []cluster.Node{node("m", cluster.RoleMaster, "", before), node("a", cluster.RoleSlave, "", before), node("b", cluster.RoleSlave, "", before)}, [3]bool{true, true, true}},
		{"with a log, nobody has all of it", lastRead{node: "a", since: started, at: read, end: gtids(t, uuid+":1-9")},
			[]cluster.Node{node("m", cluster.RoleMaster, uuid+":1-8", before), node("a", cluster.RoleSlave, uuid+":1-7", before), node("b", cluster.RoleSlave, uuid+":1-8", before)}, [3]bool{false, true, false}},
		{"with a log, the other has all", lastRead{node: "a", since: started, at: read, end: gtids(t, uuid+":1-9")},
			[]cluster.Node{node("m", cluster.RoleMaster, uuid+":1-9", before), node("a", cluster.RoleSlave, uuid+":1-7", before), node("b", cluster.RoleSlave, uuid+":1-9", before)}, [3]bool{true, true, true}},
		{"asked since, the one that was read had no more than the other", lastRead{node: "a", since: started, at: read, end: gtids(t, uuid+":1-9")},
			[]cluster.Node{node("m", cluster.RoleMaster, uuid+":1-8", before), node("a", cluster.RoleSlave, uuid+":1-7", after), node("b", cluster.RoleSlave, uuid+":1-7", before)}, [3]bool{true, true, true}},
		{"without a log", lastRead{node: "a", since: started, at: read},
			[]cluster.Node{node("m", cluster.RoleMaster, uuid+":1-8", before), node("a", cluster.RoleSlave, uuid+":1-7", before), node("b", cluster.RoleSlave, uuid+":1-7", before)}, [3]bool{true, true, false}},
		{"it was restarted", lastRead{node: "a", since: started.Add(-1), at: read, end: gtids(t, uuid+":1-9")},
			[]cluster.Node{node("m", cluster.RoleMaster, uuid+":1-8", before), node("a", cluster.RoleSlave, uuid+":1-7", after), node("b", cluster.RoleSlave, uuid+":1-7", before)}, [3]bool{false, false, false}},
	} {
		topology := &cluster.Topology{Nodes: c.nodes}
		for i := range c.nodes {
			if got := c.last.covered(&c.nodes[i], topology); got != c.covers[i] {
				t.Errorf("%s: %s covers it: %t", c.name, c.nodes[i].Name, got)
			}
		}
	}
}

// What a session must see is kept until every slave has it.
func TestPositionIsKeptUntilAllHaveIt(t *testing.T) {
	var p position
	p.wrote(uuid+":7", gtids(t, uuid+":7"))
	p.join(gtids(t, uuid+":9"))
	nodes := func(master, first, second string) *cluster.Topology {
		return &cluster.Topology{Readable: []int{1, 2}, Nodes: []cluster.Node{
			{Name: "m", Applied: gtids(t, master)}, {Name: "a", Applied: gtids(t, first)}, {Name: "b", Applied: gtids(t, second)},
		}}
	}
	for _, c := range []struct {
		name    string
		nodes   *cluster.Topology
		pending bool
	}{
		{"one lacks the write", nodes(uuid+":1-9", uuid+":1-9", uuid+":1-6:9"), true},
		{"one lacks what the token names", nodes(uuid+":1-9", uuid+":1-9", uuid+":1-8"), true},
		{"the master does not show that yet", nodes(uuid+":1-8", uuid+":1-9", uuid+":1-9"), true},
		{"all have it", nodes(uuid+":1-9", uuid+":1-9", uuid+":1-9"), false},
	} {
		if p.settled(c.nodes) {
			p.settle()
		}
		if p.pending() != c.pending {
			t.Errorf("%s: pending %t", c.name, p.pending())
		}
	}
	if got := p.set.String(); got != uuid+":7:9" {
		t.Errorf("for others it is %s", got)
	}
	p.wrote(uuid+":11", gtids(t, uuid+":11"))
	if p.text != uuid+":11" {
		t.Errorf("after another write it is %s", p.text)
	}
}
