package router

import (
	"fmt"
	"strings"

	"github.com/bellwether-db/bellwether/cluster"
)

// Explanation is what Bellwether would do with a statement, for people.
type Explanation struct {
	Statement *Statement
	Decision  Decision
	// Node is the name of the node that Decision names, "" where it names none.
	Node string
}

// Explain says what becomes of sql in a fresh session of dialect d. A nil
// topology stands for a healthy cluster of a master and a slave whose
// catalogue is empty.
func Explain(sql string, d Dialect, t *cluster.Topology) Explanation {
	if t == nil {
		t = plainTopology()
	}
	s := NewClassifier(1).Classify([]byte(sql), d, new(Scratch))
	e := Explanation{Statement: s, Decision: Decide(s, Facts{Autocommit: true}, t, nil)}
	if n := e.Decision.Node; n >= 0 && n < len(t.Nodes) {
		e.Node = t.Nodes[n].Name
	}
	return e
}

// plainTopology is a healthy master with one slave.
func plainTopology() *cluster.Topology {
	return &cluster.Topology{
		Generation: 1,
		Nodes: []cluster.Node{
			{Name: "master", Role: cluster.RoleMaster, Weight: 1, Health: cluster.HealthUp},
			{Name: "slave", Role: cluster.RoleSlave, Weight: 1, Health: cluster.HealthUp},
		},
		Master:    0,
		Writes:    cluster.WritesOpen,
		Readable:  []int{1},
		Catalogue: &cluster.Catalogue{Version: 1, Known: true},
	}
}

// String returns one line for each of: class, target, reason, flags, the names
// that the catalogue is asked for, fingerprint.
func (e Explanation) String() string {
	var b strings.Builder
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-12s %s\n", key, value)
		}
	}
	line("class", e.Statement.Kind.String())
	line("action", e.Decision.Action.String())
	line("target", e.Decision.Target.String())
	line("node", e.Node)
	line("reason", e.Decision.Reason.String())
	line("flags", e.Statement.Flags.String())
	line("names", strings.Join(e.Statement.Names, " "))
	line("calls", strings.Join(e.Statement.Calls, " "))
	line("fingerprint", e.Statement.Fingerprint)
	return b.String()
}
