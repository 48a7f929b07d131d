package cluster

import (
	"fmt"
	"time"
)

// The hysteresis of health and of lag.
const (
	// downScore is the sum of the weights of failed probes in a row that makes
	// a node down: two probes, whatever their outcome.
	downScore = 4
	// upSuccesses is how many probes in a row bring a node back.
	upSuccesses = 2
	// promptSuccesses is how many probes in a row below max_lag bring a slave
	// back that stays above half of it.
	promptSuccesses = 8
)

// state is all that the Monitor remembers of a node. It is a value.
type state struct {
	Condition
	score     int // of the failed probes in a row
	successes int // probes in a row that were answered
	prompt    int // probes in a row within max_lag, while late
}

// judge is the verdict after one more probe. It is pure: role and maximal lag
// come from the topology and the configuration, lag from the master's trail.
func judge(before state, o observation, role Role, lag lagReading, maxLag time.Duration) state {
	if o.outcome != OutcomeAnswered {
		return before.failed(o)
	}
	next := before.answered(o)
	next.Since = before.lifeOf(o, role)
	if role == RoleMaster {
		next.Problem, next.Late, next.LagKnown, next.Lag, next.LagGTIDs = "", false, true, 0, 0
	} else {
		next.follow(o, lag, maxLag)
	}
	if next.Health == HealthDown {
		next.Problem = "it answers again; waiting for one more probe"
	}
	return next
}

// undecided says whether the last probe speaks for another verdict than stands.
func (s state) undecided() bool {
	return s.score > 0 && s.score < downScore || s.Health == HealthDown && s.successes > 0
}

// failed adds a failure. What was last seen stays, for those who look; only
// the lag is no longer known once the node is down.
func (s state) failed(o observation) state {
	s.successes = 0
	s.score += o.weight()
	s.Outcome = o.outcome
	if s.Failing.IsZero() {
		s.Failing = o.begun
	}
	if s.score < downScore {
		if s.Health == HealthUnknown {
			s.Problem = "it has not answered yet"
		}
		return s
	}
	s.Health, s.LagKnown, s.Late, s.prompt = HealthDown, false, true, 0
	s.Problem = oneLine(fmt.Sprintf("%v: %v", o.outcome, o.err))
	return s
}

// answered takes over what was seen. A node that was never judged is up at
// once; one that was down needs some answers in a row.
func (s state) answered(o observation) state {
	s.score = 0
	s.Outcome, s.Failing, s.Settings = o.outcome, time.Time{}, o.settings
	s.successes++
	if s.Health == HealthUnknown || s.successes >= upSuccesses {
		s.Health = HealthUp
	}
	s.Flavour, s.Version, s.Identity = o.server.flavour, o.server.version, o.server.identity
	s.ReadOnly, s.Applied, s.Running = o.readOnly, o.applied, o.running
	s.Asked, s.Seen = o.begun, o.ended
	s.Replication, s.Problem = o.replication()
	return s
}

// lifeOf is since when a node has only gained transactions: since its probes'
// connection was opened, or since a slave was seen to have fewer than before, as
// one has that was restored while it ran.
func (s state) lifeOf(o observation, role Role) time.Time {
	switch {
	case role == RoleSlave && s.Applied != nil && o.applied != nil && !o.applied.ContainsSet(s.Applied):
		return o.ended
	case s.Since.After(o.server.since):
		return s.Since
	}
	return o.server.since
}

// follow judges a slave's lag. What the trail knows rules; where it has only a
// lower bound, the server's own figure fills in; where there is none either,
// the lag is unknown and the slave counts as late.
func (s *state) follow(o observation, lag lagReading, maxLag time.Duration) {
	s.LagKnown, s.Lag, s.LagGTIDs = lag.known, lag.lag, lag.gtids
	if behind, ok := o.behind(); ok && !lag.known {
		s.LagKnown, s.Lag = true, max(lag.lag, behind)
	}
	s.Late = s.late(maxLag)
	if s.Late && s.Problem == "" {
		s.Problem = s.lateProblem(maxLag)
	}
	if s.Problem == "" && s.Replication == ReplicationNone {
		s.Problem = "replication is not configured"
	}
}

// late is the hysteresis: out above max_lag, back at half of it, or after some
// probes in a row within it.
func (s *state) late(maxLag time.Duration) bool {
	switch {
	case !s.LagKnown || s.Lag > maxLag:
		s.prompt = 0
		return true
	case !s.Late || s.Lag <= maxLag/2:
		s.prompt = 0
		return false
	}
	s.prompt++
	return s.prompt < promptSuccesses
}

func (s *state) lateProblem(maxLag time.Duration) string {
	if !s.LagKnown {
		return "its lag is not known"
	}
	return fmt.Sprintf("it is %v behind the master, max_lag is %v", s.Lag.Round(time.Millisecond), maxLag)
}
