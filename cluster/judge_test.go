package cluster

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// script is a story of probes in short: a word a probe.
//
//	ok        answered, lag 0        lagN   answered, N tenths of max_lag behind
//	blind     answered, lag unknown  refused, slow, lost: no answer
//	broken    the connection of the probe before was lost, and no other to be had
func script(t *testing.T, role Role, words string) (trace string, last state) {
	t.Helper()
	const maxLag = 10 * time.Second
	outcomes := map[string]Outcome{"refused": OutcomeRefused, "slow": OutcomeTimeout, "lost": OutcomeLost}
	var verdicts []string
	for word := range strings.FieldsSeq(words) {
		o := observation{outcome: OutcomeAnswered, server: server{flavour: FlavourMySQL, identity: "id"}, channels: []channel{{receiver: "Yes", applier: "Yes"}}}
		lag := lagReading{known: true}
		var tenths int
		switch {
		case outcomes[word] != OutcomeUnknown:
			o = observation{outcome: outcomes[word], err: errors.New("no answer")}
		case word == "broken":
			o = observation{outcome: OutcomeRefused, broken: true, err: errors.New("refused")}
		case word == "blind":
			lag = lagReading{}
		case word != "ok":
			if _, err := fmt.Sscanf(word, "lag%d", &tenths); err != nil {
				t.Fatal(word)
			}
			lag.lag = time.Duration(tenths) * maxLag / 10
		}
		last = judge(last, o, role, lag, maxLag)
		verdict := last.Health.String()
		if last.Late && last.Health == HealthUp {
			verdict = "late"
		}
		verdicts = append(verdicts, verdict)
	}
	return strings.Join(verdicts, " "), last
}

func TestJudge(t *testing.T) {
	tests := []struct{ name, probes, want string }{
		{"up at the first answer", "ok ok", "up up"},
		{"down at the second failure", "ok refused refused", "up up down"},
		{"one slow answer is no fault", "ok slow ok slow ok", "up up up up up"},
		{"two slow answers are", "ok slow slow", "up up down"},
		{"mixed failures add up", "ok lost refused", "up up down"},
		{"a broken connection and no other are two failures", "ok broken", "up down"},
		{"never seen stays unknown at first", "refused refused", "unknown down"},
		{"back after two answers", "ok slow slow ok ok", "up up down down up"},
		{"a failure on the way back begins anew", "ok slow slow ok slow ok ok", "up up down down down down up"},
		{"late above max_lag", "ok lag9 lag10 lag11", "up up up late"},
		{"back at half of it", "lag11 lag6 lag5 lag9", "late late up up"},
		{"back after eight within it", "lag11 lag9 lag9 lag9 lag9 lag9 lag9 lag9 lag9", "late late late late late late late late up"},
		{"one above it begins anew", "lag11 lag9 lag9 lag9 lag9 lag9 lag9 lag9 lag11 lag9", "late late late late late late late late late late"},
		{"an unknown lag is late", "ok blind ok", "up late up"},
	}
	for _, test := range tests {
		if got, last := script(t, RoleSlave, test.probes); got != test.want {
			t.Errorf("%s: %s\n gave %s\n want %s (%q)", test.name, test.probes, got, test.want, last.Problem)
		}
	}
}

func TestJudgeMaster(t *testing.T) {
	got, last := script(t, RoleMaster, "blind lag99")
	if got != "up up" || !last.LagKnown || last.Lag != 0 || last.Problem != "" {
		t.Errorf("a master is %s, %+v", got, last)
	}
}

func TestJudgeFillsInTheServersOwnLag(t *testing.T) {
	o := observation{outcome: OutcomeAnswered, channels: []channel{{receiver: "Yes", applier: "Yes", behindKnown: true, behind: 7 * time.Second}}}
	s := judge(state{}, o, RoleSlave, lagReading{lag: time.Second, gtids: 3}, 10*time.Second)
	if !s.LagKnown || s.Lag != 7*time.Second || s.Late || s.LagGTIDs != 3 {
		t.Errorf("judged %+v", s.Condition)
	}
	if s = judge(s, o, RoleSlave, lagReading{known: true}, 10*time.Second); s.Lag != 0 {
		t.Errorf("what is known exactly does not rule: %v", s.Lag)
	}
}

func TestReplicationState(t *testing.T) {
	tests := []struct {
		channels []channel
		want     Replication
		problem  string
	}{
		{nil, ReplicationNone, ""},
		{[]channel{{receiver: "Yes", applier: "Yes"}}, ReplicationRunning, ""},
		{[]channel{{receiver: "Connecting", applier: "Yes", receiverError: "refused"}}, ReplicationConnecting, "replication has no connection to its source: refused"},
		{[]channel{{receiver: "Yes", applier: "No"}}, ReplicationStopped, "replication is stopped: the applier does not run"},
		{[]channel{{receiver: "No", applier: "Yes"}}, ReplicationStopped, "replication is stopped: the receiver does not run"},
		{[]channel{{receiver: "Yes", applier: "Yes"}, {receiver: "Yes", applier: "No", applierError: "duplicate key"}}, ReplicationBroken, "replication is broken, the applier stopped: duplicate key"},
		{[]channel{{receiver: "No", applier: "Yes", receiverError: "purged"}}, ReplicationBroken, "replication is broken, the receiver stopped: purged"},
	}
	for _, test := range tests {
		o := observation{channels: test.channels}
		if got, problem := o.replication(); got != test.want || problem != test.problem {
			t.Errorf("%+v: %v, %q", test.channels, got, problem)
		}
	}
}

func TestTrail(t *testing.T) {
	at := func(seconds int) time.Time { return time.Unix(int64(seconds), 0) }
	set := func(n int) *GTIDSet { return mustGTID(t, FlavourMySQL, fmt.Sprintf("%s:1-%d", uuidA, n)) }
	var trail trail
	if r := trail.read(set(1), at(0)); r.known {
		t.Error("an empty trail knows")
	}
	for i := 1; i <= 5; i++ {
		trail.note("m", at(i), set(10*i))
	}
	tests := []struct {
		applied *GTIDSet
		at      time.Time
		want    lagReading
	}{
		{set(50), at(5), lagReading{known: true}},
		{set(99), at(5), lagReading{known: true}},
		{set(49), at(5), lagReading{known: true, gtids: 1}},
		{set(49), at(9), lagReading{known: true, lag: 4 * time.Second, gtids: 1}},
		{set(25), at(5), lagReading{known: true, lag: 2 * time.Second, gtids: 25}},
		{set(5), at(5), lagReading{lag: 4 * time.Second, gtids: 45}},
		{set(25), at(2), lagReading{known: true}}, // it could not have what came later
		{nil, at(5), lagReading{}},
	}
	for _, test := range tests {
		if got := trail.read(test.applied, test.at); got != test.want {
			t.Errorf("%v at %v: %+v, want %+v", test.applied, test.at.Unix(), got, test.want)
		}
	}
	trail.note("m", at(6), set(3)) // it went backwards: a new life
	if got := trail.read(set(5), at(7)); !got.known || got.lag != 0 {
		t.Errorf("after a new life: %+v", got)
	}
	trail.note("other", at(8), nil)
	if got := trail.read(set(5), at(9)); got.known {
		t.Errorf("of another master: %+v", got)
	}
}

func TestTrailIsBounded(t *testing.T) {
	var trail trail
	for i := 1; i <= 20*trailLength; i++ {
		trail.note("m", time.Unix(int64(i), 0), mustGTID(t, FlavourMariaDB, fmt.Sprintf("0-1-%d", i)))
	}
	if n := len(trail.samples); n > trailLength {
		t.Errorf("%d samples", n)
	}
	applied := mustGTID(t, FlavourMariaDB, fmt.Sprintf("0-1-%d", 20*trailLength-10))
	if got := trail.read(applied, time.Unix(20*trailLength, 0)); !got.known || got.lag != 9*time.Second || got.gtids != 10 {
		t.Errorf("read %+v", got)
	}
}

// TestJudgeSinceWhen: the first failure in a row counts, and an answer ends it.
func TestJudgeSinceWhen(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	s := judge(state{}, observation{outcome: OutcomeTimeout, begun: at(1)}, RoleSlave, lagReading{}, time.Second)
	s = judge(s, observation{outcome: OutcomeRefused, begun: at(2)}, RoleSlave, lagReading{}, time.Second)
	if s.Failing != at(1) || s.Outcome != OutcomeRefused {
		t.Errorf("failing since %v, %v", s.Failing, s.Outcome)
	}
	s = judge(s, observation{outcome: OutcomeAnswered, begun: at(3)}, RoleSlave, lagReading{}, time.Second)
	if !s.Failing.IsZero() || s.Outcome != OutcomeAnswered {
		t.Errorf("failing since %v, %v", s.Failing, s.Outcome)
	}
}

// A slave that has fewer transactions than before has begun anew, as if it had been
// restarted: who remembers what it had must not believe it.
func TestJudgeOneThatLost(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	saw := func(second int, opened int, set string) observation {
		return observation{outcome: OutcomeAnswered, server: server{since: at(opened)}, begun: at(second), ended: at(second), applied: mustGTID(t, FlavourMySQL, set)}
	}
	for _, c := range []struct {
		name string
		role Role
		saw  []observation
		want time.Time
	}{
		{"it gained", RoleSlave, []observation{saw(10, 1, uuidA+":1-5"), saw(11, 1, uuidA+":1-9")}, at(1)},
		{"it lost", RoleSlave, []observation{saw(10, 1, uuidA+":1-5"), saw(11, 1, uuidA+":1-4")}, at(11)},
		{"it has others", RoleSlave, []observation{saw(10, 1, uuidA+":1-5"), saw(11, 1, uuidB+":1-9")}, at(11)},
		{"it lost, and gained again", RoleSlave, []observation{saw(10, 1, uuidA+":1-5"), saw(11, 1, uuidA+":1-4"), saw(12, 1, uuidA+":1-9")}, at(11)},
		{"it lost, and was restarted", RoleSlave, []observation{saw(10, 1, uuidA+":1-5"), saw(11, 1, uuidA+":1-4"), saw(13, 12, uuidA+":1-9")}, at(12)},
		{"a master is another matter", RoleMaster, []observation{saw(10, 1, uuidA+":1-5"), saw(11, 1, uuidA+":1-4")}, at(1)},
	} {
		s := state{}
		for _, o := range c.saw {
			s = judge(s, o, c.role, lagReading{}, time.Second)
		}
		if !s.Since.Equal(c.want) {
			t.Errorf("%s: since %v, want %v", c.name, s.Since.Unix(), c.want.Unix())
		}
	}
}
