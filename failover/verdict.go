package failover

import (
	"fmt"

	"github.com/bellwether-db/bellwether/cluster"
)

// action is what the controller has to do before writes may open.
type action uint8

const (
	actionNone  action = iota
	actionAdopt        // record the configured node as the first master
	actionOpen         // make the recorded master writable
)

// String returns the action in lower case.
func (a action) String() string { return [...]string{"none", "adopt", "open"}[min(a, 2)] }

// verdict is what follows from the record and from what is seen.
type verdict struct {
	writes cluster.Writes
	reason string // stable, because a change of it is a new generation
	action action
	cut    bool // no node is published as the master
}

func refused(format string, args ...any) verdict {
	return verdict{writes: cluster.WritesRefused, reason: fmt.Sprintf(format, args...)}
}

func held(do action, format string, args ...any) verdict {
	return verdict{writes: cluster.WritesHeld, reason: fmt.Sprintf(format, args...), action: do}
}

// judge is pure. configured is the first master by the configuration. mayOpen
// says that the master has to be verified anew, since this process started or
// since it was down; otherwise a read-only master was made so by somebody, who
// had a reason.
func judge(s State, configured string, t *cluster.Topology, mayOpen bool) verdict {
	if s.Master == "" {
		return judgeFirst(configured, t)
	}
	i := t.Find(s.Master)
	if i < 0 {
		return refused("the recorded master %s is not in the configuration: add it", s.Master)
	}
	switch n := &t.Nodes[i]; {
	case n.Health == cluster.HealthUnknown:
		return held(actionNone, "the master %s was not reached yet", n.Name)
	case n.Health == cluster.HealthDown:
		return held(actionNone, "the master %s is down", n.Name)
	case n.Identity != s.Identity:
		return refused("the server at %s (%s) is %s, but the recorded master is %s: bring that server back; "+
			"or, if this one is to be the master with the data it has, stop bellwether, remove %s and name it in the configuration",
			n.Name, n.Addr, n.Identity, s.Identity, stateName)
	case n.ReadOnly && mayOpen:
		return judgeOpening(t, n)
	case n.ReadOnly:
		return refused("the master %s was made read-only by hand: SET GLOBAL read_only = 0 there opens it again", n.Name)
	}
	return verdict{writes: cluster.WritesOpen}
}

// judgeOpening waits until every node was looked at, so that a second writable
// one is not overlooked; one that is down is judged so within about a second.
func judgeOpening(t *cluster.Topology, master *cluster.Node) verdict {
	for i := range t.Nodes {
		if t.Nodes[i].Health == cluster.HealthUnknown {
			return held(actionNone, "waiting for a look at node %s before the master %s is opened", t.Nodes[i].Name, master.Name)
		}
	}
	return held(actionOpen, "the master %s is being opened", master.Name)
}

// judgeFirst is for the very first start: the configuration is believed about
// who is the master, if no other node is writable.
func judgeFirst(configured string, t *cluster.Topology) verdict {
	i := t.Find(configured)
	if configured == "" || i < 0 {
		return refused("no master is recorded, and the configuration names none of its nodes as the first one: %q", configured)
	}
	if t.Nodes[i].Health != cluster.HealthUp {
		return refused("the first master %s was not reached yet", configured)
	}
	for j := range t.Nodes {
		switch n := &t.Nodes[j]; {
		case j == i:
		case n.Health == cluster.HealthUnknown:
			return refused("waiting for a look at node %s before the first master is recorded", n.Name)
		case n.Health == cluster.HealthUp && !n.ReadOnly:
			return refusedWritable(configured, n)
		}
	}
	return held(actionAdopt, "the first master %s is being recorded", configured)
}

// refusedWritable names the node that must be closed first.
func refusedWritable(master string, n *cluster.Node) verdict {
	order := "SET GLOBAL super_read_only = 1"
	if n.Flavour == cluster.FlavourMariaDB {
		order = "SET GLOBAL read_only = 1"
	}
	return refused("%s cannot be opened as the master while %s is writable, too: run %s on %s if it is a slave", master, n.Name, order, n.Name)
}
