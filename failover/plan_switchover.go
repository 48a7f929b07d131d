package failover

import (
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// PlanSwitchover plans to make another node the master while the present one
// works, so that nothing is lost and nobody gets an error. It is pure.
func PlanSwitchover(v View, o Order) Plan {
	s := newSight(v)
	plan := Plan{Kind: RecoverySwitchover, From: v.Record.Master, Reason: withReason("ordered", o.Reason)}
	if why := s.refuseSwitchover(o); why != "" {
		return plan.refused(time.Time{}, why)
	}
	c, why := s.expect(o)
	if why == "" {
		why = s.refuseReady(s.find(c.Node), o)
	}
	plan.Candidates = c.Candidates
	if why != "" {
		return plan.refused(time.Time{}, why)
	}
	plan.To, plan.Steps = c.Node, s.switchoverSteps(c.Node)
	if n := s.find(c.Node); compareSeries(versionOf(n), versionOf(s.master)) > 0 {
		plan.Notes = []string{say("%s (%s) becomes a slave of a newer server (%s): upgrade it next", plan.From, s.master.Version, n.Version)}
	}
	return plan
}

// switchoverSteps is a failover's plan that begins with a drain and ends with
// the old master as a slave.
func (s *sight) switchoverSteps(to string) []Step {
	from := s.Record.Master
	closing := "make it read-only, and wait until all that it executed is stored"
	if s.Stream.Direct {
		closing = say("make it read-only, and wait until %s has all that it executed", to)
	}
	steps := []Step{
		{StepHold, "", quickStep, false, "new writes and transactions wait; those that are under way go on"},
		{StepQuiet, "", quietStep, true, "until no write and no transaction is under way; those that take longer are run again on the new master"},
		{StepCloseOld, from, quickStep, false, closing},
		{StepCut, from, quickStep, false, say("publish that nobody is master; every connection to %s is closed", from)},
		{StepSeal, "", quickStep, false, sealSays(s.Stream.Direct)},
		{StepDrain, to, shortDrain, false, "it takes all there is; if it does not in time, the old master goes on"},
		{StepChoose, to, quickStep, false, "it has everything, and may be master"},
	}
	steps = append(steps, promotion(from, to)...)
	return append(steps, returning(from)...)
}

// refuseSwitchover is what speaks against any target.
func (s *sight) refuseSwitchover(o Order) string {
	if why := s.refuseAny(); why != "" {
		return why
	}
	if o.To != "" {
		if why := s.refuseTarget(o.To); why != "" {
			return why
		}
	}
	if why := s.refuseMaster(); why != "" {
		return why
	}
	if s.Record.Promotion != nil {
		return say("a %s to %s is not complete: it is finished first", s.Record.Promotion.Kind, s.Record.Master)
	}
	return s.refuseUnstored(o)
}

// refuseMaster is for a master that a switchover cannot be made from: it has to
// be made read-only, and to say what it executed.
func (s *sight) refuseMaster() string {
	m := s.master
	switch {
	case m == nil:
		return say("the recorded master %s is not in the configuration: add it", s.Record.Master)
	case m.Health != cluster.HealthUp || !m.Failing.IsZero():
		return say("the master %s does not answer: bellwether failover gives it up", m.Name)
	}
	for _, p := range masterRule(s) {
		switch p.Kind {
		case KindMasterReadOnly, KindHeartbeatBroken:
		default:
			return say("the master %s is not well: %s", m.Name, reasonOf(p))
		}
	}
	return ""
}

// refuseUnstored: what the master executed has to be stored before the cut.
func (s *sight) refuseUnstored(o Order) string {
	if why := s.refuseStream(o); why != "" {
		return why
	}
	if !s.Stream.Direct && !s.Stream.Connected {
		return say("the stream from %s does not run: it could not be known whether all is stored; wait for it", s.Record.Master)
	}
	return ""
}

// refuseReady is for a target that would keep writers waiting, or break others.
func (s *sight) refuseReady(n *cluster.Node, o Order) string {
	breaks := s.breaks(n)
	switch {
	case o.Force:
		return ""
	case undrained(n) != "":
		return say("%s cannot be ready in time: %s", n.Name, undrained(n))
	case n.Replication == cluster.ReplicationConnecting:
		return say("%s cannot be ready in time: it has no connection to its source", n.Name)
	case !n.LagKnown:
		return say("%s cannot be ready in time: how far it is behind is not known", n.Name)
	case n.Lag > readyWithin:
		return say("%s cannot be ready in time: it is %v behind, by %s; wait until that is less than %v", n.Name, brief(n.Lag), counted(n.LagGTIDs), readyWithin)
	case breaks != "":
		return say("%s (%s) is newer than %s (%s), which could not follow it: upgrade that one first", n.Name, n.Version, breaks, s.find(breaks).Version)
	}
	return ""
}
