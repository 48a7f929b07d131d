package failover

import (
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// PlanRejoin plans to make a slave of a former master that answers again, or to
// close a node that is writable and must not be. Transactions that are known to
// be its own are saved first; Stream.Demote finds the others, and PlanErrant goes
// on from there. It is pure.
func PlanRejoin(v View, node string) Plan {
	s := newSight(v)
	n := s.find(node)
	plan := Plan{Kind: RecoveryRejoin, From: node, Problem: KindFencedBack}
	if why := s.refuseRejoin(n, node); why != "" {
		return plan.refused(time.Time{}, why)
	}
	fence := Step{StepFence, node, fenceStep, false, "make it read-only and kill its clients, before anything else"}
	if !s.fenced(n) {
		plan.Problem, plan.Reason = KindSecondWriter, "it is writable and is not the master"
		plan.Steps = []Step{fence}
		return plan
	}
	plan.Reason = "a former master answers again"
	if why := s.onlyFenced(n); why != "" {
		plan.Reason += "; it is no more than fenced: " + why
		plan.Steps = []Step{fence}
		return plan
	}
	if errant := s.errant(n); errant != nil {
		rest := PlanErrant(v, node, errant)
		rest.Steps = append([]Step{fence}, rest.Steps...)
		return rest
	}
	plan.Steps = append([]Step{fence}, returning(node)...)
	return plan
}

// PlanErrant plans what becomes of a node with transactions that only it has:
// they are saved, always, and then the policy rules. Where it leaves the node
// out, the plan ends after the save. It is pure.
func PlanErrant(v View, node string, errant *cluster.GTIDSet) Plan {
	s := newSight(v)
	plan := Plan{Kind: RecoveryRejoin, Problem: KindFencedBack, From: node, Reason: say("only %s has %v", node, errant)}
	n := s.find(node)
	if why := s.refuseRejoin(n, node); why != "" {
		return plan.refused(time.Time{}, why)
	}
	if !s.fenced(n) {
		return plan.refused(time.Time{}, say("%s is no former master", node))
	}
	save := Step{StepSave, node, saveStep, false, say("write %v to a file, as SQL that can be read and as raw events", errant)}
	if why := s.leaves(n); why != "" {
		plan.Reason += "; it is left out, read-only: " + why
		plan.Steps = []Step{save}
		return plan
	}
	plan.Steps = append([]Step{save, {StepCopy, node, copyStep, false, "make it a copy of the others: what only it has is in the file"}}, returning(node)...)
	return plan
}

// onlyFenced says why a former master is made read-only and no more.
func (s *sight) onlyFenced(n *cluster.Node) string {
	switch {
	case s.masterAway():
		return "there is no master that it could follow now"
	case n.Maintenance:
		return "it is under maintenance"
	}
	return ""
}

// leaves says why a node with transactions of its own is not copied anew.
func (s *sight) leaves(n *cluster.Node) string {
	switch {
	case s.Policy.Rejoin != RejoinCopy:
		return say("the policy leaves it to you; bellwether sync %s makes it a copy of the others", n.Name)
	case s.foreign(n) != "":
		return say("it is not the server that was the master (%s), so its data may be wanted; bellwether sync %s makes it a copy of the others", s.foreign(n), n.Name)
	}
	return ""
}

// refuseRejoin says why a node must be left alone now.
func (s *sight) refuseRejoin(n *cluster.Node, node string) string {
	if why := s.refuseAny(); why != "" {
		return why
	}
	switch {
	case n == nil:
		return say("there is no node %s: the nodes are %v", node, s.names())
	case n == s.master:
		return say("%s is the master", node)
	case n.Health != cluster.HealthUp:
		return say("%s does not answer: it is made read-only as soon as it does", node)
	case n.Identity != "" && n.Identity == s.Record.Identity:
		return say("%s is the same server as the master: two names of the configuration lead to it", node)
	case !s.fenced(n) && s.master == nil:
		return say("who may be writable is not known: the recorded master %s is not in the configuration", s.Record.Master)
	case !s.fenced(n) && n.ReadOnly:
		return say("%s is a read-only slave already", node)
	case !s.fenced(n) && (n.Maintenance || n.Touched != ""):
		return say("%s is under maintenance, or was changed by hand: %s there closes it", node, closeOrder(n))
	}
	return ""
}

// PlanReopen plans to make the recorded master writable again, after it was away
// and came back before anybody took its place. It is pure.
func PlanReopen(v View) Plan {
	s := newSight(v)
	plan := Plan{Kind: RecoveryReopen, Problem: KindMasterClosed, From: v.Record.Master, To: v.Record.Master, Reason: "the recorded master is back"}
	if why := s.refuseReopen(); why != "" {
		return plan.refused(time.Time{}, why)
	}
	name := s.master.Name
	plan.Steps = []Step{
		{StepAttach, name, promoteStep, false, "follow it: from now on its commits wait until they are stored"},
		{StepOpen, name, quickStep, false, "make it writable"},
		{StepRelease, "", quickStep, false, "publish it as open: whoever waited goes on"},
	}
	return plan
}

// PlanFinish plans what is left of a change of master that was interrupted
// behind its commit point, by a restart say. Every step may have been done
// already; doing it again does no harm. It is pure.
func PlanFinish(v View) Plan {
	s := newSight(v)
	plan := Plan{Kind: RecoveryFinish, Problem: KindUnfinished, To: v.Record.Master}
	switch p := v.Record.Promotion; {
	case p == nil:
		return plan.refused(time.Time{}, "no change of master is incomplete")
	case s.refuseAny() != "":
		return plan.refused(time.Time{}, s.refuseAny())
	case s.masterAway():
		return plan.refused(time.Time{}, say("%s does not answer", v.Record.Master))
	case s.foreignMaster():
		return plan.refused(time.Time{}, "another server answers: "+s.strangeServer(s.master, s.Record.Identity))
	default:
		plan.From, plan.Reason = p.From, say("the %s has passed its commit point", p.Kind)
		plan.Steps = promotion(p.From, plan.To)[1:]
	}
	return plan
}

// refuseReopen says why the recorded master must not be opened.
func (s *sight) refuseReopen() string {
	if why := s.refuseAny(); why != "" {
		return why
	}
	switch m := s.master; {
	case m == nil:
		return say("the recorded master %s is not in the configuration: add it", s.Record.Master)
	case m.Health != cluster.HealthUp || !m.Failing.IsZero():
		return say("the master %s does not answer", m.Name)
	case m.Identity != s.Record.Identity:
		return "another server answers: " + s.strangeServer(m, s.Record.Identity)
	case s.lostByMaster() != nil:
		return say("it lacks writes that were acknowledged: %v", s.lostByMaster())
	}
	for _, n := range s.slaves {
		if n.Health == cluster.HealthUp && !n.ReadOnly {
			return say("%s is writable, too: %s there closes it", n.Name, closeOrder(n))
		}
	}
	return ""
}
