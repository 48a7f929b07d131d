package failover

import (
	"slices"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// PlanFor plans what a problem asks for, without an order. A problem that asks
// for nothing gives a plan of kind RecoveryNone without steps. It is pure.
func PlanFor(v View, p Problem) Plan {
	switch p.Kind.Definition().Asks {
	case RecoveryFailover:
		return PlanFailover(v, p, Order{})
	case RecoveryRejoin:
		return PlanRejoin(v, p.Node)
	case RecoveryReopen:
		return PlanReopen(v)
	case RecoveryFinish:
		return PlanFinish(v)
	case RecoveryHold:
		return Plan{Kind: RecoveryHold, Problem: p.Kind, From: v.Record.Master, Reason: reasonOf(p),
			Steps: []Step{{StepHold, "", quickStep, false, "new writes wait until more is known"}}}
	}
	return Plan{Kind: RecoveryNone, Problem: p.Kind, Reason: reasonOf(p)}
}

// PlanFailover plans to give the master up. The problem is why; with an order it
// may be the zero Problem, and what is the matter is looked up. It is pure.
//
// Invariant: a plan without a refusal names a To that could have all of what is
// stored once it has been drained, or all but the policy's MaxLoss of it; Choose
// decides when it has been.
func PlanFailover(v View, p Problem, o Order) Plan {
	s := newSight(v)
	if p.Kind == KindUnknown && o.Given {
		p = s.gravest()
	}
	plan := Plan{Kind: RecoveryFailover, Problem: p.Kind, From: v.Record.Master, Reason: reasonFor(p, o)}
	if why, until := s.refuseFailover(p, o); why != "" {
		return plan.refused(until, why)
	}
	c, why := s.expect(o)
	plan.Candidates = c.Candidates
	if why != "" {
		return plan.refused(time.Time{}, why)
	}
	plan.To, plan.Notes = c.Node, s.failoverNotes(p, c, o)
	plan.Steps = s.failoverSteps(c.Node)
	return plan
}

// failoverNotes are what an operator must know beforehand.
func (s *sight) failoverNotes(p Problem, c Choice, o Order) (out []string) {
	if s.Stream.Direct {
		out = append(out, say("what %s wrote and no slave received is lost: with feed direct nobody else has it", s.Record.Master))
	}
	if !s.Stream.Direct && !s.Stream.Whole {
		out = append(out, "what was acknowledged and is not in the stored log is lost, and nobody can say what it was")
	}
	if c.Lost != nil {
		out = append(out, say("if %s takes nothing more, what was acknowledged is lost: %s", c.Node, c.LostRange))
	}
	if breaks := s.breaks(s.find(c.Node)); breaks != "" {
		out = append(out, say("%s is of an older version than %s and may not be able to follow it: upgrade it next", breaks, c.Node))
	}
	if p.Kind == KindMasterCutOff || o.Given && !s.masterAway() {
		out = append(out, say("%s lives: whoever reaches it without Bellwether goes on writing there until it is fenced, and that is lost", s.Record.Master))
	}
	return out
}

// failoverSteps are those of a failover to a node that is expected.
func (s *sight) failoverSteps(to string) []Step {
	from := s.Record.Master
	steps := []Step{
		{StepHold, "", quickStep, false, "new writes wait, bounded in number, bytes and time"},
		{StepCut, from, quickStep, false, say("publish that nobody is master; every connection to %s is closed, and nothing more is stored from it", from)},
	}
	if s.master == nil || !s.foreignMaster() {
		steps = append(steps, Step{StepFence, from, fenceStep, true, "make it read-only and kill its clients, if it can be reached; it is not used again before that is done"})
	}
	steps = append(steps, []Step{
		{StepSeal, "", sealStep, false, sealSays(s.Stream.Direct)},
		{StepDrain, "", s.drainDeadline(), false, "every slave takes what it has been sent to its end; one that has everything is enough"},
		{StepChoose, "", quickStep, false, say("the most advanced, then by policy; %s as it looks now", to)},
	}...)
	if s.Policy.MaxLoss > 0 {
		steps = append(steps, Step{StepLose, "", loseStep, true, say("only if nobody has everything by then, and the best lacks %s at the most: keep those in files, and cut the stored log back to what it has", counted(s.Policy.MaxLoss))})
	}
	return append(steps, promotion(from, to)...)
}

// foreignMaster says that another server answers at the master's address: it is
// not ours to fence.
func (s *sight) foreignMaster() bool {
	return s.master.Failing.IsZero() && s.master.Identity != "" && s.Record.Identity != "" && s.master.Identity != s.Record.Identity
}

func sealSays(direct bool) string {
	if direct {
		return "nobody but the slaves has what it wrote: what they received is what there is"
	}
	return "the stored log ends here: it has every write that was acknowledged"
}

// drainDeadline is long where everybody who may be master is far behind, and
// going on without some of it is not allowed.
func (s *sight) drainDeadline() time.Duration {
	if s.Policy.MaxLoss > 0 {
		return drainStep
	}
	for _, n := range s.slaves {
		if s.unfit(n, Order{}) == "" && !s.late(n) {
			return drainStep
		}
	}
	return longDrain
}

// expect is what Choose would say if every slave that can took all there is.
func (s *sight) expect(o Order) (Choice, string) {
	applied := map[string]*cluster.GTIDSet{}
	late := map[string]bool{}
	for _, n := range s.slaves {
		applied[n.Name], late[n.Name] = n.Applied, s.late(n)
	}
	end, _ := s.promised(s.Stream.End) // choose looks at it again
	if s.Stream.Direct {
		end = end.Union(s.union(applied))
	}
	for _, n := range s.slaves {
		if n.Applied != nil && undrained(n) == "" {
			applied[n.Name] = n.Applied.Union(end)
		}
	}
	c, why := s.choose(o, end, applied, late)
	for i := range c.Candidates {
		c.Candidates[i].Says += s.wayToGo(c.Candidates[i], end)
	}
	return c, why
}

// wayToGo says what a candidate has to take before it may be chosen.
func (s *sight) wayToGo(c Candidate, end *cluster.GTIDSet) string {
	n := s.find(c.Node)
	lacks := n.Applied.Lacks(end)
	switch {
	case lacks == 0 || n.Applied == nil:
		return ""
	case c.Fit && undrained(n) == "":
		return say("; it takes %s first", counted(lacks))
	case strings.HasPrefix(c.Says, "lacks") && undrained(n) != "":
		return "; " + undrained(n)
	}
	return ""
}

// late says whether a slave's way to the end is long.
func (s *sight) late(n *cluster.Node) bool {
	if n.LagKnown {
		return n.Lag > readyWithin
	}
	return n.Applied.Lacks(s.Stream.End) > manyTransactions
}

const (
	// readyWithin is how far behind a slave may be that is to be master at once.
	readyWithin = time.Second
	// manyTransactions take about as long where no lag is known.
	manyTransactions = 1000
)

// gravest is the first problem that is about the master, the zero Problem where
// it is well.
func (s *sight) gravest() Problem {
	for _, p := range Diagnose(s.View) {
		d := p.Kind.Definition()
		if d.Asks == RecoveryFailover || d.Priority == PriorityCritical && p.Node == s.Record.Master {
			return p
		}
	}
	return Problem{}
}

// refused is the plan with the sentence that says why not, and nothing to do.
func (p Plan) refused(until time.Time, why string) Plan {
	p.Refusal, p.Until, p.Steps, p.To = why, until, nil, ""
	return p
}

// Chosen returns the plan with the node that was chosen after the drain.
func (p Plan) Chosen(c Choice) Plan {
	p.To, p.Candidates = c.Node, c.Candidates
	if c.Lost != nil {
		p.Notes = append(slices.Clone(p.Notes), say("what was acknowledged is LOST, as max_loss allows: %s", c.LostRange))
	}
	p.Steps = named(p.Steps, p.From, c.Node)
	return p
}

// reasonOf is a problem in one sentence.
func reasonOf(p Problem) string {
	if p.Kind == KindUnknown {
		return ""
	}
	return strings.Join(append([]string{p.Kind.Definition().Description}, p.Evidence...), "; ")
}

// reasonFor puts the operator's reason first.
func reasonFor(p Problem, o Order) string {
	var out []string
	if o.Given {
		out = append(out, withReason("ordered", o.Reason))
	}
	if reason := reasonOf(p); reason != "" {
		out = append(out, reason)
	}
	return strings.Join(out, "; ")
}
