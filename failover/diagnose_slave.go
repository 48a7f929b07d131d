package failover

import (
	"strings"

	"github.com/bellwether-db/bellwether/cluster"
)

// slaveRules speak of each slave.
func slaveRules(s *sight) (out []Problem) {
	for _, n := range s.slaves {
		switch n.Health {
		case cluster.HealthUnknown:
			out = append(out, problem(KindNodeUnseen, n.Name))
		case cluster.HealthDown:
			if !s.fenced(n) {
				out = append(out, problem(KindNodeDown, n.Name, n.Problem))
			}
		case cluster.HealthUp:
			out = append(out, s.slave(n)...)
		}
	}
	return out
}

// slave is one that is up. Of a fenced one only its state as a server counts.
func (s *sight) slave(n *cluster.Node) (out []Problem) {
	if m := s.master; m != nil && m.Flavour != cluster.FlavourUnknown && n.Flavour != cluster.FlavourUnknown && n.Flavour != m.Flavour {
		out = append(out, problem(KindMixedFlavours, n.Name, say("it is %v %s, the master %v %s", n.Flavour, n.Version, m.Flavour, m.Version)))
	}
	if s.fenced(n) {
		return out
	}
	if sentence := s.errantSentence(n); sentence != "" {
		out = append(out, problem(KindSlaveErrant, n.Name, sentence))
	}
	return append(append(out, touchedBy(n)...), s.replication(n)...)
}

// replication is the state of a slave's threads, the worst of it.
func (s *sight) replication(n *cluster.Node) []Problem {
	switch n.Replication {
	case cluster.ReplicationBroken:
		if diverged(n.Problem) {
			return one(KindSlaveDiverged, n.Name, n.Problem, "it must become a copy of the others: bellwether sync "+n.Name)
		}
		return one(KindSlaveBroken, n.Name, n.Problem, s.behindSentence(n))
	case cluster.ReplicationStopped:
		return one(KindSlaveStopped, n.Name, n.Problem, s.behindSentence(n))
	case cluster.ReplicationNone:
		if s.master == nil {
			return nil // there is nobody to follow
		}
		return one(KindSlaveUnfed, n.Name, "it has no source configured")
	case cluster.ReplicationConnecting:
		return s.unfed(n)
	}
	if !n.Late || s.masterAway() && !n.LagKnown {
		return nil
	}
	return one(KindSlaveLate, n.Name, s.behindSentence(n))
}

// unfed is a slave without its source, which is the master where slaves follow
// it by themselves: one that is away has been told already.
func (s *sight) unfed(n *cluster.Node) []Problem {
	if s.Stream.Direct && s.masterAway() {
		return nil
	}
	return one(KindSlaveUnfed, n.Name, n.Problem)
}

// masterAway says that the master answers no probe.
func (s *sight) masterAway() bool { return s.master == nil || !s.master.Failing.IsZero() }

// behindSentence says how far a slave is behind.
func (s *sight) behindSentence(n *cluster.Node) string {
	switch {
	case n.LagKnown:
		return say("it is %v behind, by %s", brief(n.Lag), counted(n.LagGTIDs))
	case n.Applied != nil && s.Stream.End.Flavour() == n.Applied.Flavour():
		return say("it lacks %s of the stored log", counted(n.Applied.Lacks(s.Stream.End)))
	}
	return "how far it is behind is not known"
}

// errant returns the transactions that only this slave has, nil for none that
// are known: what is not in the stored log, where that has everything, or what
// a master that was looked at later has not got.
func (s *sight) errant(n *cluster.Node) *cluster.GTIDSet {
	all := s.Stream.End
	switch m := s.master; {
	case s.Stream.Direct && (m == nil || m.Applied == nil || !m.Failing.IsZero() || m.Asked.Before(n.Seen)):
		return nil
	case s.Stream.Direct:
		all = m.Applied
	case !s.Stream.Whole:
		return nil
	}
	return extraOf(n.Applied, all)
}

// extraOf is what have has and all has not, nil for nothing or where one of them
// is unknown.
func extraOf(have, all *cluster.GTIDSet) *cluster.GTIDSet {
	if have == nil || all == nil || have.Flavour() != all.Flavour() || all.ContainsSet(have) {
		return nil
	}
	return have.Subtract(all)
}

func (s *sight) errantSentence(n *cluster.Node) string {
	extra := s.errant(n)
	if extra == nil {
		return ""
	}
	return say("only it has %v", extra)
}

// diverged says whether a replication error is one of data that differ: a row
// that is not there, or is there already, or a table that looks different. The
// servers name the number in the text of the error.
func diverged(problem string) bool {
	for _, code := range divergedCodes {
		if strings.Contains(problem, "Error_code: "+code) || strings.Contains(problem, "Error_code: MY-00"+code) {
			return true
		}
	}
	return strings.Contains(problem, "HA_ERR_KEY_NOT_FOUND") || strings.Contains(problem, "HA_ERR_FOUND_DUPP_KEY")
}

// divergedCodes: no such row, duplicate key, no such table, unknown column,
// table exists, a column's type differs.
var divergedCodes = [...]string{"1032", "1062", "1146", "1054", "1050", "1677"}
