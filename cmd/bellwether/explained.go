package main

import (
	"fmt"
	"strings"

	"github.com/bellwether-db/bellwether/admin"
	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy"
	"github.com/bellwether-db/bellwether/router"
)

// Explain implements admin.Explainer.
func (v clientView) Explain(q admin.Question) (admin.Explanation, error) {
	e, err := v.h.proxy.Explain(proxy.Question{
		SQL: q.Statement, Database: q.Database, Consistency: q.Consistency, InTransaction: q.InTransaction,
	})
	if err != nil {
		return admin.Explanation{}, err
	}
	target, node := explainedTarget(&e)
	return admin.Explanation{
		Class: e.Statement.Kind.String(), Target: target, Node: orNull(node), Why: explainedWhy(&e),
		Pins: pinWords(e.Statement.Foretold()), Statements: e.Statements, Parsed: e.Statement.Kind != router.KindUnknown,
		Digest: e.Digest, Text: e.Text,
	}, nil
}

// explainedTarget is the kind of node that would run the statement, and the node
// where there is one choice only.
func explainedTarget(e *proxy.Explained) (target, node string) {
	d, t := e.Decision, e.Topology
	switch {
	case d.Action == router.ActionLocal && d.Reason != router.ReasonConnectionID, d.Action == router.ActionReject:
		return "nowhere", ""
	case d.Action == router.ActionHold, d.Action == router.ActionLocal, d.Target == router.TargetPinned, d.Target == router.TargetMaster:
		if m := t.MasterNode(); m != nil {
			node = m.Name
		}
		return "master", node
	case d.Target == router.TargetNode:
		return "slave", t.Nodes[d.Node].Name
	case d.Reason == router.ReasonNoMaster: // it stands in
		return "any node", ""
	case len(t.Readable) == 1:
		node = t.Nodes[t.Readable[0]].Name
	}
	return "slave", node
}

// explainedWhy are the sentences that explain a decision.
func explainedWhy(e *proxy.Explained) []string {
	d, s := e.Decision, e.Statement
	why := []string{d.Reason.Says()}
	if d.Action != router.ActionRoute {
		why = append(why, "It goes to: "+explainAction(d)+".")
	}
	if own := s.Reason; own != d.Reason && own.Says() != "" && d.Target != router.TargetSlave {
		why = append(why, own.Says())
	}
	if e.Statements > 1 {
		why = append(why, fmt.Sprintf("The text has %d statements, which go together.", e.Statements))
	}
	if names := unsafeNames(s, e.Topology); d.Reason == router.ReasonStoredFunction && names != "" {
		why = append(why, "It is about "+names+".")
	}
	if s.Hint.Wrong != "" {
		why = append(why, "The hint in its comment is wrong: "+s.Hint.Wrong+".")
	}
	if d.Target == router.TargetSlave && d.Action == router.ActionRoute {
		why = append(why, explainedSlaves(e.Topology), explainedConsistency(e.Consistency))
	}
	return why
}

// unsafeNames are the functions and views of a statement that may write.
func unsafeNames(s *router.Statement, t *cluster.Topology) string {
	names := append([]string(nil), s.Calls...)
	for _, name := range s.Names {
		if _, bad := t.Catalogue.Unsafe[name]; bad {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// explainedSlaves says who serves reads now.
func explainedSlaves(t *cluster.Topology) string {
	var names []string
	for _, i := range t.Readable {
		names = append(names, t.Nodes[i].Name)
	}
	if len(names) == 0 {
		return "No slave serves reads now."
	}
	return "Slaves that serve reads now: " + strings.Join(names, ", ") + "; the least busy one that has what must be seen is taken."
}

func explainedConsistency(c router.Consistency) string {
	switch c {
	case router.ConsistencyEventual:
		return "At consistency eventual any of them will do that is not beyond reads.max_lag."
	case router.ConsistencyGlobal:
		return "At consistency global it waits until the slave has every write that was acknowledged before."
	}
	return "At consistency session it waits until the slave has what this session has written and read before; the master serves it if that takes too long."
}
