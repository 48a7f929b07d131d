package failover

import (
	"slices"

	"github.com/bellwether-db/bellwether/cluster"
)

// unfit says why a node may not become the master whatever it has executed, ""
// where it may. The words go behind the node's name.
func (s *sight) unfit(n *cluster.Node, o Order) string {
	switch {
	case n == s.master:
		return "is the master"
	case n.Health == cluster.HealthUnknown:
		return "was not looked at yet"
	case n.Health != cluster.HealthUp:
		return withReason("is down", n.Problem)
	case s.fenced(n):
		return "is a former master that is fenced"
	case n.Identity != "" && n.Identity == s.Record.Identity:
		return "is the same server as the master"
	case n.Maintenance:
		return "is under maintenance"
	case n.Touched != "":
		return "was " + n.Touched
	case slices.Contains(s.Policy.Never, n.Name) && !(o.Force && o.To == n.Name):
		return "is never to be master, by the policy"
	}
	return s.unfitServer(n)
}

// unfitServer goes on with what the server itself shows.
func (s *sight) unfitServer(n *cluster.Node) string {
	switch {
	case s.otherFlavour(n):
		return say("is %v, not %v", n.Flavour, s.flavour())
	case n.Replication == cluster.ReplicationBroken && diverged(n.Problem):
		return "has other data than the master: " + n.Problem
	case n.Settings.DiskFull:
		return "has a full disk"
	}
	if wrong := wrongSettings(n); len(wrong) > 0 {
		return "cannot be followed: " + wrong[0]
	}
	if extra := s.errant(n); extra != nil {
		return say("has transactions of its own: %v", extra)
	}
	return ""
}

// undrained says why a node that lacks some of what is stored will not take it,
// "" where it will.
func undrained(n *cluster.Node) string {
	switch n.Replication {
	case cluster.ReplicationBroken:
		return or(n.Problem, "its replication is broken")
	case cluster.ReplicationStopped:
		return "its replication is stopped"
	case cluster.ReplicationNone:
		return "it has no source configured"
	}
	return ""
}

func withReason(what, reason string) string {
	if reason == "" {
		return what
	}
	return what + ": " + reason
}

// flavour is the cluster's: the stored log's, else the master's.
func (s *sight) flavour() cluster.Flavour {
	if f := s.Stream.End.Flavour(); f != cluster.FlavourUnknown {
		return f
	}
	if s.master != nil {
		return s.master.Flavour
	}
	return cluster.FlavourUnknown
}

func (s *sight) otherFlavour(n *cluster.Node) bool {
	return s.flavour() != cluster.FlavourUnknown && n.Flavour != cluster.FlavourUnknown && n.Flavour != s.flavour()
}

// breaks returns the name of another slave whose server is of an older series
// than this one's, so that it may not understand what this one writes; "" for
// none. The old master is about to be a slave, too, unless it is given up.
func (s *sight) breaks(n *cluster.Node) string {
	for _, other := range s.slaves {
		known := other.Version != "" && n.Version != ""
		if other != n && known && other.Health == cluster.HealthUp && !s.fenced(other) && compareSeries(versionOf(n), versionOf(other)) > 0 {
			return other.Name
		}
	}
	return ""
}
