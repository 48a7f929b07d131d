package failover

import (
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// failing is a cluster whose master began to fail a while ago.
func failing(t *testing.T, since time.Duration, outcome cluster.Outcome) *told {
	s := &told{T: t, flavour: cluster.FlavourMySQL}
	s.view = View{Now: storyNow, Writes: cluster.WritesOpen, Policy: Policy{Automatic: true, Frozen: 2 * time.Second},
		Stream: StreamView{Known: true, Whole: true, Connected: true, Since: ago("1h"), Heard: storyNow, Stored: storyNow}}
	s.view.Stream.End = s.set("default")
	s.node("db1")
	s.node("db2")
	m := s.meet("db1")
	m.Outcome, m.Failing, m.Health = outcome, storyNow.Add(-since), cluster.HealthDown
	return s
}

// A master that is gone is dead within the policy's patience, however it went,
// and however the stream tells it.
func TestDeadWithinABound(t *testing.T) {
	ended := storyNow.Add(-2 * time.Second)
	for _, outcome := range []cluster.Outcome{cluster.OutcomeRefused, cluster.OutcomeLost, cluster.OutcomeTimeout} {
		for name, silence := range map[string]func(*View){
			"broken": func(v *View) {
				v.Stream.Connected, v.Stream.Since, v.Stream.Heard, v.Stream.Stored = false, ended, ended, ended
			},
			"silent":  func(v *View) { v.Stream.Heard, v.Stream.Stored = ended, ended },
			"rowless": func(v *View) { v.Nodes[0].Heartbeat.Pending, v.Stream.Stored = ended, ended },
			"never begun": func(v *View) {
				v.Stream.Connected, v.Stream.Since, v.Stream.Heard, v.Stream.Stored = false, time.Time{}, time.Time{}, time.Time{}
			},
		} {
			s := failing(t, 2*time.Second, outcome)
			silence(&s.view)
			if p := Diagnose(s.view)[0]; p.Kind != KindMasterDead && p.Kind != KindMasterFrozen || PlanFor(s.view, p).To != "db2" {
				t.Errorf("%v, stream %s: %v\n%s", outcome, name, p, PlanFor(s.view, p).Text())
			}
		}
	}
}

// A slow master is not dead, for however long: rows come.
func TestSlowIsNotDead(t *testing.T) {
	for _, since := range []time.Duration{time.Second, time.Minute, 24 * time.Hour} {
		for _, stored := range []time.Duration{0, 300 * time.Millisecond, 1900 * time.Millisecond} {
			s := failing(t, since, cluster.OutcomeTimeout)
			s.view.Nodes[0].Heartbeat.Pending = storyNow.Add(-since)
			s.view.Stream.Stored = storyNow.Add(-stored)
			for _, p := range Diagnose(s.view) {
				if p.Kind.Definition().Asks == RecoveryFailover {
					t.Errorf("slow for %v, last row %v ago: %v", since, stored, p)
				}
			}
		}
	}
}

// While nobody can tell, nobody acts: each of these alone is no evidence.
func TestOneWitnessIsNotEnough(t *testing.T) {
	for name, change := range map[string]func(*View){
		"the stored log fails":       func(v *View) { v.Stream.Failing, v.Stream.Connected = "full", false },
		"the stored log is not open": func(v *View) { v.Stream = StreamView{} },
		"the stream runs":            func(*View) {},
		"slaves receive":             func(v *View) { v.Stream = StreamView{Direct: true} },
		"the probe is well":          func(v *View) { v.Nodes[0].Failing, v.Stream.Connected, v.Stream.Since = time.Time{}, false, ago("1h") },
		"the account is refused":     func(v *View) { v.Nodes[0].Outcome, v.Stream.Connected = cluster.OutcomeDenied, false },
		"too many connections":       func(v *View) { v.Nodes[0].Outcome, v.Stream.Connected = cluster.OutcomeFailed, false },
		"a lock, and nothing is heard": func(v *View) {
			v.Nodes[0].Failing, v.Nodes[0].Heartbeat = time.Time{}, cluster.Heartbeat{Pending: ago("1h"), Wait: "Waiting for backup lock"}
		},
	} {
		s := failing(t, time.Hour, cluster.OutcomeRefused)
		change(&s.view)
		for _, p := range Diagnose(s.view) {
			if plan := PlanFor(s.view, p); plan.Kind == RecoveryFailover {
				t.Errorf("%s: %v", name, p)
			}
		}
	}
}
