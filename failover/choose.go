package failover

import (
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

// Rather names the node that is worth waiting for a little longer: it would be
// chosen instead, or without a loss, if it took what it still lacks. "" where
// nobody better is to come; less load, or a name, is not better enough. It is pure.
func Rather(v View, o Order, end *cluster.GTIDSet, applied map[string]*cluster.GTIDSet) string {
	now, _ := Choose(v, o, end, applied)
	s := newSight(v)
	all := end
	if all == nil {
		all = s.union(applied)
	}
	there := map[string]*cluster.GTIDSet{}
	for _, n := range s.slaves {
		if there[n.Name] = applied[n.Name]; applied[n.Name] != nil && undrained(n) == "" {
			there[n.Name] = applied[n.Name].Union(all)
		}
	}
	then, _ := Choose(v, o, end, there)
	switch {
	case now.Node == "", now.Lost != nil && then.Lost == nil:
		return then.Node
	case then.Node == now.Node || s.slight(then.Node, now.Node):
		return ""
	}
	return then.Node
}

// slight says whether only load or the name tells two nodes apart that both have
// everything.
func (s *sight) slight(a, b string) bool {
	for _, c := range criteria {
		if c.compare(s, runner{node: s.find(a)}, runner{node: s.find(b)}) != 0 {
			return c.slight
		}
	}
	return true
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
	nobodyKnows := end == nil
	end, ok := s.promised(end)
	if !ok || end == nil && !s.Stream.Direct {
		return Choice{}, "what was acknowledged is not known: the stored log has not said where it ends; wait for it"
	}
	if nobodyKnows {
		end = end.Union(s.union(applied))
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
	return s.chosen(runners, o, candidates, end), ""
}

// union is what any slave has that is not known to have something of its own.
func (s *sight) union(applied map[string]*cluster.GTIDSet) (all *cluster.GTIDSet) {
	for _, n := range s.slaves {
		if n.Touched == "" && !s.fenced(n) && !s.otherFlavour(n) && s.errant(n) == nil {
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
	switch {
	case r.has == nil || r.has.Flavour() != end.Flavour():
		return "did not say what it has executed"
	case extraOf(r.has, end) != nil:
		return say("has transactions of its own: %v", extraOf(r.has, end))
	case r.has.ContainsSet(end):
		return ""
	case r.lost > s.Policy.MaxLoss:
		return say("lacks %s: %s", counted(r.lost), rangeOf(end, r.has))
	case r.node.Replication == cluster.ReplicationBroken:
		return withReason("lacks some and cannot apply it", r.node.Problem)
	}
	return ""
}

// nobody is the refusal: a name or a policy first, else what each one lacks.
func nobody(s *sight, candidates []Candidate) string {
	if len(candidates) == 0 {
		return "there is no slave" + s.wayOut("")
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
		return sentence + s.wayOut("mend one of them")
	}
	return sentence + ". Nobody has all that was acknowledged: wait until one has taken it, mend one that cannot, or bring the master back"
}

// wayOut is what to do where nobody may be master.
func (s *sight) wayOut(first string) string {
	switch {
	case !s.masterAway() && first == "":
		return ""
	case !s.masterAway():
		return ": " + first + ", or name another"
	case first == "":
		return ": bring the master back"
	}
	return ": " + first + ", or bring the master back"
}

// chosen is the first of the runners, with why it is and no other.
func (s *sight) chosen(runners []runner, o Order, candidates []Candidate, end *cluster.GTIDSet) Choice {
	best := runners[0]
	c := Choice{Node: best.node.Name, Has: best.has, Reason: "the only one that may", Candidates: candidates}
	switch {
	case o.To != "":
		c.Reason = "the one that was asked for"
	case len(runners) > 1:
		c.Reason = say("before %s: it %s", runners[1].node.Name, s.because(best, runners[1]))
	}
	if !best.has.ContainsSet(end) {
		c.Lost, c.LostRange = end.Subtract(best.has), rangeOf(end, best.has)
	}
	for i := range candidates {
		at := slices.IndexFunc(runners, func(r runner) bool { return r.node.Name == candidates[i].Node })
		switch {
		case at == 0:
			candidates[i].Says = c.Reason
		case at > 0:
			candidates[i].Says = say("behind %s, which %s", runners[at-1].node.Name, s.because(runners[at-1], runners[at]))
		}
		if at >= 0 && !runners[at].has.ContainsSet(end) {
			candidates[i].Says += say("; it lacks %s acknowledged: %s", counted(runners[at].lost), rangeOf(end, runners[at].has))
		}
	}
	return c
}

// rangeOf says what is in all and not in have. A MariaDB set is a position, so
// there it is said from where to where.
func rangeOf(all, have *cluster.GTIDSet) string {
	lost := all.Subtract(have)
	if lost.Flavour() != cluster.FlavourMariaDB {
		return lost.String()
	}
	var out []string
	for _, last := range lost.Domains() {
		from := ""
		for _, has := range have.Domains() {
			if has.Domain == last.Domain {
				from = say("after %v ", has)
			}
		}
		out = append(out, say("%sup to %v", from, last))
	}
	return strings.Join(out, ", ")
}
