package router

import "github.com/bellwether-db/bellwether/cluster"

// Action is what the proxy does with a statement.
type Action uint8

// The actions.
const (
	ActionUnknown Action = iota
	ActionRoute          // send it to Target
	ActionLocal          // the proxy has a part in it: KILL of a client's id, the number in CONNECTION_ID()
	ActionReject         // an error that names the reason
	ActionHold           // wait for the topology to be replaced, bounded, and decide again
)

// String returns the action in lower case.
func (a Action) String() string {
	return [...]string{"unknown", "route", "local", "reject", "hold"}[min(a, 4)]
}

// Decision is what to do with one statement, and why. It is a value.
type Decision struct {
	Action Action
	Target Target
	// Node is the index into Topology.Nodes where Target is TargetMaster or
	// TargetNode, -1 otherwise.
	Node   int
	Reason Reason
}

// Decide says where a statement goes. It is pure and allocates nothing; rules
// may be nil. A ReasonEndsTransaction decision asks the proxy to end the
// transaction on the connection that it holds first: the server would have
// committed it.
func Decide(s *Statement, f Facts, t *cluster.Topology, rules *Rules) Decision {
	if local := localReason(s); local != ReasonNone {
		return Decision{Action: ActionLocal, Node: -1, Reason: local}
	}
	if f.Pinned && !restarts(s, f) {
		return decidePinned(s, f, t, rules)
	}
	reason := masterReason(s, f, t, rules)
	if reason == ReasonNone && hintsAllowed(rules) {
		if d, ok := decideHint(s, t); ok {
			return d
		}
	}
	if reason == ReasonNone && len(t.Readable) == 0 {
		reason = ReasonNoSlave
	}
	switch {
	case reason == ReasonNone:
	case standsIn(s, f, t, rules):
		return Decision{Action: ActionRoute, Target: TargetSlave, Node: -1, Reason: ReasonNoMaster}
	default:
		return toMaster(s, f, t, rules, reason)
	}
	return Decision{Action: ActionRoute, Target: TargetSlave, Node: -1, Reason: slaveReason(s, f)}
}

// localReason says why the proxy takes part in the answer, ReasonNone where it
// does not: KILL of a client is its own work, of any other id the master's, and
// SELECT CONNECTION_ID() runs there as well, with the client's id put in.
func localReason(s *Statement) Reason {
	switch {
	case s.Own != nil:
		return ReasonBellwether
	case s.Kind == KindKill && s.KillID != 0 && !s.Flags.Has(Multi):
		return ReasonKill
	case s.Flags.Has(SelectsConnectionID) && !s.Flags.Has(Multi):
		return ReasonConnectionID
	}
	return ReasonNone
}

// restarts reports whether s begins a transaction anew inside a READ ONLY one,
// whose connection may be a slave's.
func restarts(s *Statement, f Facts) bool {
	return f.ReadOnlyTransaction && f.PinReason == PinTransaction && s.Kind == KindBegin
}

// decidePinned keeps the session on its connection. Outside a transaction a
// write there is a new one, which the gate stops like any other.
func decidePinned(s *Statement, f Facts, t *cluster.Topology, rules *Rules) Decision {
	if !f.InTransaction && (startsWrite(s, t, rules) || opens(s, f, t)) {
		if d, shut := gate(t); shut {
			return d
		}
	}
	return Decision{Action: ActionRoute, Target: TargetPinned, Node: -1, Reason: ReasonPinned}
}

// masterReason says why no slave may serve s, ReasonNone where one may.
func masterReason(s *Statement, f Facts, t *cluster.Topology, rules *Rules) Reason {
	if f.Pinned {
		if s.Flags.Has(ReadOnlyTransaction) && !f.Serializable && f.Autocommit {
			return ReasonNone
		}
		return ReasonEndsTransaction
	}
	if !beginsReadOnly(s) {
		if reason := s.Certain(t.Catalogue, rules); reason != ReasonNone {
			return reason
		}
	}
	if rules != nil && rules.MasterOnly {
		return ReasonRule
	}
	return sessionReason(s, f)
}

// sessionReason says why this session's reads go to the master now.
func sessionReason(s *Statement, f Facts) Reason {
	switch {
	case f.InTransaction && !f.ReadOnlyTransaction:
		return ReasonTransaction
	case !f.Autocommit:
		return ReasonAutocommitOff
	case f.Serializable:
		return ReasonSerializable
	case f.WritePositionUnknown:
		return ReasonOwnWrite
	case f.SeesAll:
		return ReasonGlobal
	case f.SystemDatabase && s.Flags.Has(MayUseCatalogue):
		return ReasonSystemDatabase
	}
	return ReasonNone
}

// slaveReason names what makes s fit for a slave.
func slaveReason(s *Statement, f Facts) Reason {
	switch {
	case f.Pinned:
		return ReasonEndsTransaction
	case beginsReadOnly(s) || f.InTransaction:
		return ReasonReadOnlyTransaction
	case s.Hint.Target == TargetSlave:
		return ReasonHint
	}
	return ReasonRead
}

// beginsReadOnly reports whether s is START TRANSACTION READ ONLY alone.
func beginsReadOnly(s *Statement) bool {
	return s.Kind == KindBegin && s.Flags.Has(ReadOnlyTransaction) && !s.Flags.Has(Multi)
}

func hintsAllowed(rules *Rules) bool { return rules == nil || !rules.IgnoreHints }

// decideHint obeys a hint on a statement that a slave may serve. A node that
// is not there, or that may serve nothing, is as no hint.
func decideHint(s *Statement, t *cluster.Topology) (Decision, bool) {
	switch s.Hint.Target {
	case TargetMaster:
		return toMasterRead(t, ReasonHint), true
	case TargetNode:
		i := t.Find(s.Hint.Node)
		if i < 0 || !serves(&t.Nodes[i]) {
			return Decision{}, false
		}
		if i == t.Master {
			return toMasterRead(t, ReasonHint), true
		}
		return Decision{Action: ActionRoute, Target: TargetNode, Node: i, Reason: ReasonHint}, true
	}
	return Decision{}, false
}

// serves reports whether a node may serve a read that names it: lateness is
// the asker's wish.
func serves(n *cluster.Node) bool {
	return n.Health != cluster.HealthDown && !n.Drain && !n.Maintenance && n.Touched == "" && !n.Fenced && !n.Former
}

// toMaster sends s to the master, or holds it while there is none or while
// writes may not start.
func toMaster(s *Statement, f Facts, t *cluster.Topology, rules *Rules, reason Reason) Decision {
	begun := f.InTransaction && !f.Pinned
	if !begun && (startsWrite(s, t, rules) || opens(s, f, t)) {
		if d, shut := gate(t); shut {
			return d
		}
	}
	return toMasterRead(t, reason)
}

// toMasterRead sends what cannot write to the master, if there is one.
func toMasterRead(t *cluster.Topology, reason Reason) Decision {
	if t.Master < 0 {
		return Decision{Action: ActionHold, Node: -1, Reason: ReasonNoMaster}
	}
	return Decision{Action: ActionRoute, Target: TargetMaster, Node: t.Master, Reason: reason}
}

// gate says what becomes of new writes while they may not start. A state that
// nobody has published yet holds them.
func gate(t *cluster.Topology) (Decision, bool) {
	switch {
	case t.Writes == cluster.WritesRefused:
		return Decision{Action: ActionReject, Node: -1, Reason: ReasonWritesRefused}, true
	case t.Master < 0:
		return Decision{Action: ActionHold, Node: -1, Reason: ReasonNoMaster}, true
	case t.Writes != cluster.WritesOpen:
		return Decision{Action: ActionHold, Node: -1, Reason: ReasonWritesHeld}, true
	}
	return Decision{}, false
}

// opens reports whether s is a read that begins a transaction while writes are
// held: what is held is about to move, and such a transaction would have to, too.
func opens(s *Statement, f Facts, t *cluster.Topology) bool {
	return t.Writes == cluster.WritesHeld && !f.Autocommit && !f.InTransaction && s.Kind == KindRead && !s.anywhere(t.Catalogue)
}

// startsWrite reports whether the gate for writes is for s.
func startsWrite(s *Statement, t *cluster.Topology, rules *Rules) bool {
	return mayWrite(s) && s.Certain(t.Catalogue, rules) != ReasonNone && !s.anywhere(t.Catalogue)
}

// mayWrite reports whether a statement that is not certain to read may start a
// write: what ends, releases or only looks passes a gate that is shut.
func mayWrite(s *Statement) bool {
	if s.Flags.Has(Multi) {
		return true
	}
	switch s.Kind {
	case KindBegin:
		return !s.Flags.Has(ReadOnlyTransaction)
	case KindCommit, KindRollback, KindSavepoint, KindUse, KindShow, KindKill, KindPrepare:
		return false
	case KindSet:
		return s.Reason != ReasonSessionState && s.Reason != ReasonNextTransaction
	case KindLock:
		return !s.Flags.Any(UnlocksTables | ClosesHandler | EndsXA)
	}
	return true
}
