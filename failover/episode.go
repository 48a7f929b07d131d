package failover

import (
	"context"
	"fmt"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// resume reads the history. What was going on when the process ended was undone
// by that, unless a new master had been recorded: then it goes on.
func (c *Controller) resume() error {
	h, err := openIncidents(c.config.StateDir)
	if err != nil {
		return err
	}
	c.history.Store(h)
	for _, i := range h.all() {
		switch {
		case c.state.Promotion != nil && i.ID == c.state.Promotion.Incident:
			i.add(IncidentStep{Step: "resume", Begun: time.Now(), Says: "Bellwether was restarted, and goes on behind the record of the new master"})
			i.Outcome, i.Says = OutcomeRunning, ""
			c.episode = &i
		case i.Outcome == OutcomeRunning:
			i.Outcome, i.Ended = OutcomeUndone, time.Now()
			i.Says = "Bellwether ended before it was done; the roles stayed as they were"
			h.show(i)
			c.keepIncident(i)
		}
		if i.Kind == RecoveryFailover.String() && i.Outcome == OutcomeDone && i.Problem != "" {
			c.changes = append(c.changes, i.Ended)
		}
	}
	return nil
}

// begin opens the record of a recovery, or goes on with the one that tries the
// same.
func (c *Controller) begin(plan Plan, evidence []string) {
	if e := c.episode; e != nil && e.Kind == plan.Kind.String() && e.From == plan.From {
		e.Says, e.To = "", plan.To
		return
	}
	if c.episode != nil {
		c.end(OutcomeOutrun, fmt.Sprintf("a %v of %s took over", plan.Kind, plan.From))
	}
	now := time.Now()
	problem := ""
	if plan.Problem != KindUnknown {
		problem = plan.Problem.String()
	}
	c.episode = &Incident{
		ID: c.history.Load().name(now, plan.Kind.String()), Kind: plan.Kind.String(), Problem: problem, Reason: plan.Reason,
		Evidence: evidence, From: plan.From, To: plan.To, Begun: now, Outcome: OutcomeRunning,
	}
	c.log.Warn("recovery begins", "incident", c.episode.ID, "kind", c.episode.Kind, "from", plan.From, "to", plan.To, "reason", plan.Reason, "evidence", evidence)
	c.saveEpisode()
}

// saveEpisode makes the record durable, beside the loop.
func (c *Controller) saveEpisode() {
	i := c.episode.copied()
	c.history.Load().show(i)
	c.jobs.Go(func() { c.keepIncident(i) })
}

// keepIncident writes a record. That it cannot be written keeps nobody from
// recovering.
func (c *Controller) keepIncident(i Incident) {
	if err := c.history.Load().keep(i.ID); err != nil {
		c.log.Warn("incident not written", "incident", i.ID, "error", err)
	}
}

// end closes the record.
func (c *Controller) end(o Outcome, says string) {
	e := c.episode
	if e == nil {
		return
	}
	e.Outcome, e.Says, e.Ended, e.Generation = o, says, time.Now(), c.store.Load().Generation
	c.metrics.ended(e.Kind, o)
	c.log.Warn("recovery ended", "incident", e.ID, "kind", e.Kind, "outcome", o.String(), "from", e.From, "to", e.To, "story", e.Story())
	c.saveEpisode()
	c.episode, c.obstacle = nil, ""
}

// refusalInterval bounds how often another reason is told, which may have times
// and counts in it.
const refusalInterval = 5 * time.Second

// refuse keeps why a recovery is not begun, as the record of one that goes on.
func (c *Controller) refuse(plan Plan, evidence []string) {
	if e := c.episode; e != nil && e.Says != "" && (e.Says == plan.Refusal || time.Since(c.refusedAt) < refusalInterval) {
		return
	}
	c.begin(plan, evidence)
	c.episode.Says, c.refusedAt = plan.Refusal, time.Now()
	c.log.Error("no recovery is possible now", "kind", plan.Kind.String(), "from", plan.From, "reason", plan.Refusal)
	c.saveEpisode()
}

// survived ends a record whose master serves again.
func (c *Controller) survived(t *cluster.Topology) {
	e := c.episode
	if e == nil || e.Kind != RecoveryFailover.String() || c.state.Promotion != nil || t.Writes != cluster.WritesOpen || t.MasterNode() == nil {
		return
	}
	e.Lost, c.acknowledged = "", nil
	c.end(OutcomeUndone, t.MasterNode().Name+" answers again and stays the master")
}

// do carries out one step within a bound, and records it.
func (c *Controller) do(ctx context.Context, kind StepKind, node string, bound time.Duration, work func(context.Context) (string, error)) error {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	begun := time.Now()
	says, err := work(ctx)
	c.note(newStep(kind, node, begun, says, err))
	if err != nil {
		return fmt.Errorf("%v %s: %w", kind, node, err)
	}
	return nil
}

func newStep(kind StepKind, node string, begun time.Time, says string, err error) IncidentStep {
	s := IncidentStep{Step: kind.String(), Node: node, Begun: begun, Took: time.Since(begun), Says: says}
	if err != nil {
		s.Error = err.Error()
	}
	return s
}

// note records a step in the recovery that goes on.
func (c *Controller) note(s IncidentStep) {
	c.metrics.step(s)
	if c.episode == nil {
		return
	}
	c.episode.add(s)
	c.history.Load().show(c.episode.copied())
	c.log.Info("step", "incident", c.episode.ID, "step", s.Step, "node", s.Node, "took", s.Took, "says", s.Says, "error", s.Error)
}
