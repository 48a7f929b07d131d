package failover

import (
	"cmp"
	"slices"

	"github.com/bellwether-db/bellwether/cluster"
)

// criterion orders two nodes that may be chosen; says is why the one before is,
// behind its name. A slight one is not worth waiting for.
type criterion struct {
	says    string
	compare func(s *sight, a, b runner) int
	slight  bool
}

// criteria are looked at in this order; the last always decides.
var criteria = [...]criterion{
	{"has more of what was acknowledged", func(_ *sight, a, b runner) int { return cmp.Compare(a.lost, b.lost) }, false},
	{"is there sooner", func(_ *sight, a, b runner) int { return compareFalseFirst(a.late, b.late) }, false},
	{"can be followed by every other server", func(s *sight, a, b runner) int {
		return compareFalseFirst(s.breaks(a.node) != "", s.breaks(b.node) != "")
	}, false},
	{"is not drained", func(_ *sight, a, b runner) int { return compareFalseFirst(a.node.Drain, b.node.Drain) }, false},
	{"is preferred", func(s *sight, a, b runner) int {
		return cmp.Compare(s.preference(a.node.Name), s.preference(b.node.Name))
	}, false},
	{"is in the old master's data centre", func(s *sight, a, b runner) int { return compareFalseFirst(!s.near(a.node), !s.near(b.node)) }, false},
	{"is of the lower version", func(_ *sight, a, b runner) int { return versionOf(a.node).compare(versionOf(b.node)) }, true},
	{"has less to do", func(_ *sight, a, b runner) int { return cmp.Compare(a.node.Running, b.node.Running) }, true},
	{"is first by name", func(_ *sight, a, b runner) int { return cmp.Compare(a.node.Name, b.node.Name) }, true},
}

// compare orders by the first criterion that tells the two apart.
func (s *sight) compare(a, b runner) int {
	for _, c := range criteria {
		if order := c.compare(s, a, b); order != 0 {
			return order
		}
	}
	return 0
}

// because says why a comes before b.
func (s *sight) because(a, b runner) string {
	for _, c := range criteria {
		if c.compare(s, a, b) != 0 {
			return c.says
		}
	}
	return "is no different"
}

// preference is the node's place in the policy's list, behind it for others.
func (s *sight) preference(name string) int {
	if i := slices.Index(s.Policy.Prefer, name); i >= 0 {
		return i
	}
	return len(s.Policy.Prefer)
}

// near says whether a node is in the old master's data centre, or no one knows.
func (s *sight) near(n *cluster.Node) bool {
	home := s.Policy.DataCentre[s.Record.Master]
	return home == "" || s.Policy.DataCentre[n.Name] == home
}

func compareFalseFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
