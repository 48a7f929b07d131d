package failover

import (
	"cmp"
	"slices"
	"strings"

	"github.com/bellwether-db/bellwether/cluster"
)

// Choose picks the next master, once every slave has taken what it can: applied
// is what each has executed by name, end all that was acknowledged, nil where
// slaves follow the master by themselves and nobody knows: then it is all that
// any of them has. It is pure.
//
// The second result says why nobody may be the master, and what to do; "" with
// a Choice. Invariant: a Choice has all of end, or Lost names what it lacks and
// is no more than the policy's MaxLoss.
func Choose(v View, o Order, end *cluster.GTIDSet, applied map[string]*cluster.GTIDSet) (Choice, string) {
	s := newSight(v)
	return s.choose(o, end, applied, nil)
}

// runner is a node that may be chosen. It is a value.
type runner struct {
	node *cluster.Node
	has  *cluster.GTIDSet
	lost uint64 // of what was acknowledged
	late bool   // its way to the end is long; in a plan only
}

// choose does it; late names the nodes whose drain would take long.
func (s *sight) choose(o Order, end *cluster.GTIDSet, applied map[string]*cluster.GTIDSet, late map[string]bool) (Choice, string) {
	if end = s.promised(end); end == nil && !s.Stream.Direct {
		return Choice{}, "what was acknowledged is not known: the stored log has not said where it ends; wait for it"
	}
	if end == nil {
		end = s.union(applied)
	}
	var runners []runner
	var candidates []Candidate
	for _, n := range s.slaves {
		r := runner{node: n, has: applied[n.Name], lost: applied[n.Name].Lacks(end), late: late[n.Name]}
		why := s.barred(r, o, end)
		candidates = append(candidates, Candidate{Node: n.Name, Fit: why == "", Says: why})
		if why == "" {
			runners = append(runners, r)
		}
	}
	if len(runners) == 0 {
		return Choice{Candidates: candidates}, nobody(s, candidates)
	}
	slices.SortStableFunc(runners, s.compare)
	return s.chosen(runners, candidates, end), ""
}

// union is what any slave has that is not known to have something of its own.
func (s *sight) union(applied map[string]*cluster.GTIDSet) (all *cluster.GTIDSet) {
	for _, n := range s.slaves {
		if !n.Touched && !s.fenced(n) && !s.otherFlavour(n) && s.errant(n) == nil {
			all = all.Union(applied[n.Name])
		}
	}
	return all
}

// barred says why a node that was drained may not be the master, "" where it may.
func (s *sight) barred(r runner, o Order, end *cluster.GTIDSet) string {
	if o.To != "" && o.To != r.node.Name {
		return "was not asked for"
	}
	if why := s.unfit(r.node, o); why != "" {
		return why
	}
	lacks := end.Subtract(r.has)
	switch {
	case r.has == nil || r.has.Flavour() != end.Flavour():
		return "did not say what it has executed"
	case extraOf(r.has, end) != nil:
		return say("has transactions of its own: %v", extraOf(r.has, end))
	case r.has.ContainsSet(end):
		return ""
	case r.lost > s.Policy.MaxLoss:
		return say("lacks %s: %v", counted(r.lost), lacks)
	}
	return ""
}

// nobody is the refusal: a name or a policy first, else what each one lacks.
func nobody(s *sight, candidates []Candidate) string {
	if len(candidates) == 0 {
		return "there is no slave: bring the master back"
	}
	var out []string
	lack := false
	for _, c := range candidates {
		if c.Says != "was not asked for" {
			out = append(out, c.Node+" "+c.Says)
			lack = lack || strings.HasPrefix(c.Says, "lacks")
		}
	}
	sentence := "no slave may be the master: " + strings.Join(out, "; ")
	if !lack {
		return sentence
	}
	return sentence + say(". Nobody has all that was acknowledged: wait until one has taken it; or bring the master back; or set max_loss, now %d, and lose it", s.Policy.MaxLoss)
}

// chosen is the first of the runners.
func (s *sight) chosen(runners []runner, candidates []Candidate, end *cluster.GTIDSet) Choice {
	best := runners[0]
	c := Choice{Node: best.node.Name, Has: best.has, Candidates: candidates}
	if !best.has.ContainsSet(end) {
		c.Lost = end.Subtract(best.has)
	}
	for i := range candidates {
		at := slices.IndexFunc(runners, func(r runner) bool { return r.node.Name == candidates[i].Node })
		switch {
		case at == 0 && len(runners) == 1:
			candidates[i].Says = "the only one that may"
		case at == 0:
			candidates[i].Says = say("comes before %s: %s", runners[1].node.Name, s.because(best, runners[1]))
		case at > 0:
			candidates[i].Says = say("comes behind %s: %s", runners[at-1].node.Name, s.because(runners[at-1], runners[at]))
		}
		if at >= 0 && runners[at].lost > 0 && !runners[at].has.ContainsSet(end) {
			candidates[i].Says += say("; %s acknowledged are lost with it: %v", counted(runners[at].lost), end.Subtract(runners[at].has))
		}
		if at == 0 {
			c.Reason = candidates[i].Says
		}
	}
	return c
}

// criterion orders two that may be chosen; says is why the one before is.
type criterion struct {
	says    string
	compare func(s *sight, a, b runner) int
}

// criteria are looked at in this order; the last always decides.
var criteria = [...]criterion{
	{"it has more of what was acknowledged", func(_ *sight, a, b runner) int { return cmp.Compare(a.lost, b.lost) }},
	{"it is there sooner", func(_ *sight, a, b runner) int { return compareFalseFirst(a.late, b.late) }},
	{"every other server is new enough to follow it", func(s *sight, a, b runner) int {
		return compareFalseFirst(s.breaks(a.node) != "", s.breaks(b.node) != "")
	}},
	{"it is not drained", func(_ *sight, a, b runner) int { return compareFalseFirst(a.node.Drain, b.node.Drain) }},
	{"it is preferred", func(s *sight, a, b runner) int {
		return cmp.Compare(s.preference(a.node.Name), s.preference(b.node.Name))
	}},
	{"it is in the old master's data centre", func(s *sight, a, b runner) int { return compareFalseFirst(!s.near(a.node), !s.near(b.node)) }},
	{"its version is lower", func(_ *sight, a, b runner) int { return versionOf(a.node).compare(versionOf(b.node)) }},
	{"it has less to do", func(_ *sight, a, b runner) int { return cmp.Compare(a.node.Running, b.node.Running) }},
	{"by its name", func(_ *sight, a, b runner) int { return cmp.Compare(a.node.Name, b.node.Name) }},
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
	return "there is no difference"
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
