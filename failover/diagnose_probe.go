package failover

import (
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// probed says how the master's probes fail.
func (s *sight) probed() string {
	n, since := s.master, brief(s.lasting(s.master.Failing))
	switch n.Outcome {
	case cluster.OutcomeRefused:
		return say("nobody listens at %s for %v", n.Addr, since)
	case cluster.OutcomeLost:
		return say("connections to %s break for %v", n.Addr, since)
	case cluster.OutcomeTimeout:
		return say("it answers no probe in time for %v", since)
	case cluster.OutcomeDenied:
		return say("the operator account is refused for %v: %s", since, n.Problem)
	case cluster.OutcomeFailed:
		return say("its probe ends in an error for %v: %s", since, n.Problem)
	}
	return say("its probes fail for %v", since)
}

// hurt says that clients noticed it, too.
func (s *sight) hurt() string {
	if s.master.Hurt.IsZero() || s.master.Hurt.Before(s.master.Failing) && s.lasting(s.master.Hurt) > s.frozen() {
		return ""
	}
	return say("a client lost its connection there %v ago", brief(s.lasting(s.master.Hurt)))
}

// isolated says that nobody answers since about the same moment, and that not
// even a refusal came: it tells that a host is there. With one node nothing can
// be told apart.
func (s *sight) isolated() bool {
	for i := range s.Nodes {
		n := &s.Nodes[i]
		if n.Failing.IsZero() || n.Outcome != cluster.OutcomeTimeout && n.Outcome != cluster.OutcomeLost {
			return false
		}
		if n.Failing.Sub(s.master.Failing).Abs() > sameMoment {
			return false
		}
	}
	return len(s.Nodes) > 1
}

// sameMoment is how far apart one cause may show at two nodes.
const sameMoment = 10 * time.Second

// others names the nodes that cannot be reached either.
func (s *sight) others() string {
	names := make([]string, 0, len(s.slaves))
	for _, n := range s.slaves {
		names = append(names, n.Name)
	}
	return say("neither can %s", strings.Join(names, ", "))
}

// strangeServer says who answers where another server was expected.
func (s *sight) strangeServer(n *cluster.Node, expected string) string {
	sentence := say("at %s is %s, recorded is %s", n.Addr, n.Identity, expected)
	for i := range s.Nodes {
		if other := &s.Nodes[i]; other.Name != n.Name && other.Identity == n.Identity {
			sentence += say("; it is also %s", other.Name)
		}
	}
	return sentence
}
