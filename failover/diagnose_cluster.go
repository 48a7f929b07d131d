package failover

import (
	"slices"
	"strings"

	"github.com/bellwether-db/bellwether/cluster"
)

// lockRule: without the named lock this process only looks.
func lockRule(s *sight) []Problem {
	if s.Lock == "" {
		return nil
	}
	return one(KindLockHeld, "", s.Lock)
}

// mastershipRule speaks of a record that names no node of the configuration.
func mastershipRule(s *sight) []Problem {
	switch {
	case s.Record.Master == "":
		return one(KindNoMaster, "")
	case s.master == nil:
		return one(KindMasterUnlisted, s.Record.Master, say("the configuration has %s", strings.Join(s.names(), ", ")), s.renamed())
	}
	return nil
}

// renamed says under which name the recorded server is in the configuration.
func (s *sight) renamed() string {
	for _, n := range s.slaves {
		if n.Identity != "" && n.Identity == s.Record.Identity {
			return say("%s is that server: give it its old name back", n.Name)
		}
	}
	return ""
}

// unfinishedRule speaks of a change of master that was interrupted behind its
// commit point, while anybody waits for that. A new master that fails meanwhile is
// masterRule's.
func unfinishedRule(s *sight) []Problem {
	p := s.Record.Promotion
	if p == nil || s.masterAway() || s.Writes == cluster.WritesOpen {
		return nil
	}
	return one(KindUnfinished, s.Record.Master, say("the %s from %s has passed its commit point: it is gone on with", p.Kind, p.From))
}

func (s *sight) names() []string {
	names := make([]string, 0, len(s.Nodes))
	for i := range s.Nodes {
		names = append(names, s.Nodes[i].Name)
	}
	return names
}

// storeRule speaks of the stored log, whoever is master.
func storeRule(s *sight) []Problem {
	stream := &s.Stream
	switch {
	case stream.Direct:
		return nil
	case stream.Failing != "":
		return one(KindStoreFailing, "", stream.Failing, "no other master would be better off: its commits would wait, too")
	case stream.Known && !stream.Whole && s.master != nil:
		return one(KindStoreIncomplete, "", "a failover of its own accord waits until the stored log has everything again")
	}
	return nil
}

// flappingRule: nobody but an operator changes roles again that were changed too
// often within the window, see limits.go.
// That matters only where something asks for it.
func flappingRule(s *sight) []Problem {
	asks := false
	for _, p := range masterRule(s) {
		asks = asks || p.Kind == KindMasterSuspect || p.Kind.Definition().Asks == RecoveryFailover
	}
	if s.Last.IsZero() || s.age(s.Last) >= s.Policy.Window || !asks {
		return nil
	}
	return one(KindFlapping, "", say("they were changed %v ago, the window is %v", brief(s.age(s.Last)), s.Policy.Window))
}

// slavesRule speaks of a cluster that has no slave.
func slavesRule(s *sight) []Problem {
	switch {
	case s.master == nil:
		return nil
	case len(s.slaves) == 0:
		return one(KindNoSlaves, "")
	}
	if !s.slavesGone() {
		return nil
	}
	return one(KindSlavesGone, "", say("down or fenced: %s", strings.Join(namesOf(s.slaves), ", ")))
}

// slavesGone says that every slave is down or fenced.
func (s *sight) slavesGone() bool {
	return !slices.ContainsFunc(s.slaves, func(n *cluster.Node) bool { return n.Health != cluster.HealthDown && !s.fenced(n) })
}

func namesOf(nodes []*cluster.Node) []string {
	names := make([]string, 0, len(nodes))
	for _, n := range nodes {
		names = append(names, n.Name)
	}
	return names
}

// candidateRule warns before the master fails that none could follow it.
func candidateRule(s *sight) []Problem {
	var evidence []string
	up := false
	for _, n := range s.slaves {
		why := s.unfit(n, Order{})
		if why == "" {
			return nil
		}
		up = up || n.Health == cluster.HealthUp
		evidence = append(evidence, n.Name+" "+why)
	}
	if s.master == nil || !up || s.slavesGone() {
		return nil
	}
	return one(KindNoCandidate, "", evidence...)
}

// writersRule finds those that take writes and must not; fencedRule has the
// former masters.
func writersRule(s *sight) (out []Problem) {
	if s.master == nil {
		return nil // who may be writable is not known
	}
	for _, n := range s.slaves {
		if n.Health == cluster.HealthUp && !n.ReadOnly && !s.fenced(n) && n.Identity != s.Record.Identity {
			out = append(out, problem(KindSecondWriter, n.Name, "Bellwether sends it no write, but others can: "+closeOrder(n)+" there closes it"))
		}
	}
	return out
}

// closeOrder is the statement that makes a node read-only.
func closeOrder(n *cluster.Node) string {
	if n.Flavour == cluster.FlavourMariaDB {
		return "SET GLOBAL read_only = 1"
	}
	return "SET GLOBAL super_read_only = 1"
}

// fenced says whether a node is a former master that is not trusted yet.
func (s *sight) fenced(n *cluster.Node) bool {
	return n.Fenced || s.Record.Distrusts(n.Name, n.Identity)
}

// fencedRule speaks of former masters, back or away.
func fencedRule(s *sight) (out []Problem) {
	for _, n := range s.slaves {
		switch {
		case !s.fenced(n):
		case n.Health != cluster.HealthUp:
			out = append(out, problem(KindFencedAway, n.Name))
		default:
			out = append(out, problem(KindFencedBack, n.Name, writability(n), s.errantSentence(n), s.foreign(n)))
		}
	}
	return out
}

func writability(n *cluster.Node) string {
	if n.ReadOnly {
		return "it is read-only"
	}
	return "it is writable: it is made read-only before anything else"
}

// foreign says that the server at a fenced node's name is not the former master.
func (s *sight) foreign(n *cluster.Node) string {
	for _, f := range s.Record.Fenced {
		if f.Node == n.Name && n.Identity != "" && f.Identity != "" && f.Identity != n.Identity {
			return s.strangeServer(n, f.Identity)
		}
	}
	return ""
}

// twinsRule finds two names of one server: it would be counted twice.
func twinsRule(s *sight) (out []Problem) {
	for i := range s.Nodes {
		for j := range i {
			a, b := &s.Nodes[j], &s.Nodes[i]
			if a.Identity != "" && a.Identity == b.Identity && a.Health == cluster.HealthUp && b.Health == cluster.HealthUp {
				out = append(out, problem(KindTwins, b.Name, say("%s and %s are both %s", a.Name, b.Name, a.Identity)))
			}
		}
	}
	return out
}
