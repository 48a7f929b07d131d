package failover

import (
	"fmt"
	"strings"
)

// Problem is one row of the table that matches the cluster now. It is a value.
type Problem struct {
	Kind Kind
	// Node is the name of the node that it is about, "" for the cluster.
	Node string
	// Evidence are sentences: what was seen, and since when. They change from
	// look to look; Kind and Node are what a problem is known by.
	Evidence []string
}

// String is what an operator reads: one line for the problem, and one for each
// piece of evidence.
func (p Problem) String() string {
	var b strings.Builder
	d := p.Kind.Definition()
	fmt.Fprintf(&b, "%v", p.Kind)
	if p.Node != "" {
		fmt.Fprintf(&b, " %s", p.Node)
	}
	fmt.Fprintf(&b, " (%v): %s", d.Priority, d.Description)
	if d.Asks != RecoveryNone {
		fmt.Fprintf(&b, "; asks for %v", d.Asks)
	}
	for _, sentence := range p.Evidence {
		fmt.Fprintf(&b, "\n  %s", sentence)
	}
	return b.String()
}

// Definition is one row of the table of problems. It is a value.
type Definition struct {
	// Name in lower case, as metrics and the admin server show it.
	Name string
	// Description is a sentence's end: what is the matter.
	Description string
	Priority    Priority
	// Asks is what ends the problem, where Bellwether can.
	Asks Recovery
}

// Priority says how much a problem matters. The zero value is unknown.
type Priority uint8

// The priorities, the least first.
const (
	PriorityUnknown  Priority = iota
	PriorityNote              // worth knowing
	PriorityWarning           // works, with less safety or speed
	PriorityUrgent            // the next fault may be an outage
	PriorityCritical          // clients cannot write, or data is in danger
)

// String returns the priority in lower case.
func (p Priority) String() string {
	return [...]string{"unknown", "note", "warning", "urgent", "critical"}[min(p, 4)]
}

// Recovery is a way to end a problem, and the kind of a plan. The zero value is
// unknown.
type Recovery uint8

// The recoveries.
const (
	RecoveryUnknown    Recovery = iota
	RecoveryNone                // nothing is done but to tell it
	RecoveryHold                // new writes wait until more is known
	RecoveryFailover            // a slave becomes the master, the master is given up
	RecoverySwitchover          // a slave becomes the master, the master becomes a slave
	RecoveryRejoin              // a node is made read-only, and then a slave
	RecoveryReopen              // the recorded master is made writable again
	RecoveryFinish              // a change of master that was interrupted behind its commit point is gone on with
)

// String returns the recovery in lower case.
func (r Recovery) String() string {
	return [...]string{"unknown", "none", "hold", "failover", "switchover", "rejoin", "reopen", "finish"}[min(r, 7)]
}
