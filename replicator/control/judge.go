package control

import (
	"fmt"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// State says how a slave does.
type State uint8

// The states.
const (
	StateUnknown  State = iota
	StateNone           // it has no source
	StateRunning        // it receives and applies
	StateStarting       // it connects to its source, without an error so far
	StateWaiting        // its source is away; it tries by itself each second
	StateRestart        // it stopped for a reason that passes, and is to be started
	StateBroken         // it stopped for a reason that does not pass
)

// String returns the state in lower case.
func (s State) String() string {
	return [...]string{"unknown", "none", "running", "starting", "waiting", "restart", "broken"}[min(s, 6)]
}

// Verdict is what a slave's status means. It is a value.
type Verdict struct {
	State   State
	Failure string // the name of the table's row, "" without a failure
	Side    Side   // whose
	Problem Problem
	Hint    string        // what an operator does
	Pause   time.Duration // StateRestart: at least so long after the last start
	again   bool          // StateBroken: the source is set anew after the pause
}

// String is a sentence for a log, without the node's name.
func (v Verdict) String() string {
	var b strings.Builder
	b.WriteString(v.State.String())
	if v.Failure == "" {
		return b.String()
	}
	b.WriteString(": " + v.Failure)
	if v.Side != SideUnknown {
		fmt.Fprintf(&b, " (%v)", v.Side)
	}
	if v.Problem.Number != 0 {
		fmt.Fprintf(&b, ", error %d", v.Problem.Number)
	}
	if v.Problem.GTID != "" {
		fmt.Fprintf(&b, " at GTID %s", v.Problem.GTID)
	}
	if v.Problem.Event != "" {
		fmt.Fprintf(&b, " (%s of the source)", v.Problem.Event)
	}
	if v.Problem.Text != "" {
		fmt.Fprintf(&b, ": %s", v.Problem.Text)
	}
	return b.String()
}

// same says whether two verdicts tell an operator the same; texts count
// attempts, so they do not.
func (v Verdict) same(other Verdict) bool {
	return v.State == other.State && v.Failure == other.Failure && v.Side == other.Side &&
		v.Problem.Number == other.Problem.Number && v.Problem.GTID == other.Problem.GTID
}

// History is what was done about a slave's present failure. It is a value; the
// zero value is a slave that never failed.
type History struct {
	Failure  string
	Side     Side
	Starts   int       // since it got any further
	Last     time.Time // the last of them
	executed *cluster.GTIDSet
	running  time.Time // since when it runs, zero while it does not
}

// settled is how long a receiver must run until its failure counts as past.
const settled = 10 * time.Second

// Judge says what a slave's status means, and what is to be done. It is pure.
func Judge(s Status, h History) Verdict {
	switch {
	case !s.Configured:
		return Verdict{State: StateNone}
	case s.Applier.Runs == RunsNo && s.Applier.Problem.Number != 0:
		return judge(SideApplier, s.Applier, h)
	case s.Receiver.Runs != RunsYes && s.Receiver.Problem.Number != 0:
		return judge(SideReceiver, s.Receiver, h)
	case s.Applier.Runs == RunsNo:
		return judge(SideApplier, s.Applier, h)
	case s.Receiver.Runs == RunsNo:
		return judge(SideReceiver, s.Receiver, h)
	case s.Receiver.Runs == RunsYes && s.Applier.Runs == RunsYes:
		return Verdict{State: StateRunning}
	}
	return Verdict{State: StateStarting}
}

// judge looks a thread's problem up in the table.
func judge(side Side, t Thread, h History) Verdict {
	row := failureOf(side, t.Problem)
	v := Verdict{State: StateBroken, Failure: row.Name, Side: side, Problem: t.Problem, Hint: row.Hint}
	starts := h.of(row.Name, side).Starts
	v.Pause = row.pause(starts)
	switch {
	case !row.Passes:
		v.again = row.again()
	case row.Tries > 0 && starts >= row.Tries:
		v.Hint = fmt.Sprintf("Started %d times without getting any further. %s", starts, row.Hint)
	case t.Runs == RunsConnecting:
		v.State = StateWaiting
	default:
		v.State = StateRestart
	}
	return v
}

// of is the history if it is about this failure, else an empty one.
func (h History) of(failure string, side Side) History {
	if h.Failure != failure || h.Side != side {
		return History{}
	}
	return h
}

// due says whether the time has come for the next start.
func (h History) due(v Verdict, now time.Time) bool {
	past := h.of(v.Failure, v.Side)
	return past.Starts == 0 || now.Sub(past.Last) >= v.Pause
}

// After is the history after one more look, at a time, with or without a start
// by us. A failure is past when the slave has executed more than it had then,
// or, for a receiver, when it has run for a while. It is pure.
func (h History) After(v Verdict, s Status, started bool, now time.Time) History {
	if v.Failure != "" {
		h = h.of(v.Failure, v.Side)
		h.Failure, h.Side, h.running = v.Failure, v.Side, time.Time{}
	}
	if h.executed != nil && s.Executed != nil && !h.executed.Equal(s.Executed) {
		h.Starts = 0
	}
	h.executed = s.Executed
	if started {
		h.Starts, h.Last = h.Starts+1, now
	}
	if v.State != StateRunning {
		return h
	}
	if h.running.IsZero() {
		h.running = now
	}
	if h.Side == SideReceiver && now.Sub(h.running) >= settled {
		return History{executed: h.executed, running: h.running}
	}
	return h
}
