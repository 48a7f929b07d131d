package failover

import (
	"fmt"
	"strings"
	"time"
)

// Incident is the record of one recovery: why it began, what was done, and how
// it ended. It is a value; its slices are not changed once handed out.
type Incident struct {
	// ID names the record and its file; later ones sort behind earlier ones.
	ID string `json:"id"`
	// Kind is "failover", "switchover", "rejoin", as Recovery.String.
	Kind string `json:"kind"`
	// Problem is the kind of problem that asked for it, "" for an order.
	Problem string `json:"problem,omitempty"`
	// Reason is a sentence, and Evidence what was seen.
	Reason   string   `json:"reason"`
	Evidence []string `json:"evidence,omitempty"`
	// From is the master, or the node that came back; To the new master, "" until
	// it was chosen.
	From string `json:"from"`
	To   string `json:"to,omitempty"`

	Begun time.Time `json:"begun"`
	// Ended is zero while it goes on.
	Ended   time.Time `json:"ended,omitzero"`
	Outcome Outcome   `json:"outcome"`
	// Says is how it ended, in a sentence; or what it waits for.
	Says string `json:"says,omitempty"`
	// Held is for how long new writes waited, zero where they never did.
	Held time.Duration `json:"held_ns,omitempty"`
	// Generation of the topology in which it ended.
	Generation uint64 `json:"generation,omitempty"`
	// End is all that was acknowledged, as far as the new master must have it.
	End string `json:"end,omitempty"`
	// Lost is what was acknowledged and the new master lacks, "" for nothing.
	Lost string `json:"lost,omitempty"`
	// Errant is what only a node has that came back, and Files where that is kept,
	// or what is lost.
	Errant string         `json:"errant,omitempty"`
	Files  []string       `json:"files,omitempty"`
	Steps  []IncidentStep `json:"steps"`
}

// IncidentStep is one thing that was done. It is a value.
type IncidentStep struct {
	Step  string        `json:"step"`
	Node  string        `json:"node,omitempty"`
	Begun time.Time     `json:"begun"`
	Took  time.Duration `json:"took_ns"`
	// Says is what came of it, Error why it failed, "" where it did not.
	Says  string `json:"says,omitempty"`
	Error string `json:"error,omitempty"`
	// Again is how often the same failure followed at once.
	Again int `json:"again,omitempty"`
}

// Outcome is how an incident ended. The zero value is unknown.
type Outcome uint8

// The outcomes.
const (
	OutcomeUnknown Outcome = iota
	OutcomeRunning         // it goes on
	OutcomeDone            // what was wanted was reached
	OutcomeUndone          // the roles stayed as they were, and the master is used again
	OutcomeRefused         // it was not begun, or nobody could become master
	OutcomeOutrun          // another incident took over from it
	outcomes
)

var outcomeNames = [outcomes]string{"unknown", "running", "done", "undone", "refused", "outrun"}

// String returns the outcome in lower case.
func (o Outcome) String() string { return outcomeNames[min(o, outcomes)%outcomes] }

// MarshalText writes what String returns.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads what String returns; other words are unknown.
func (o *Outcome) UnmarshalText(text []byte) error {
	*o = OutcomeUnknown
	for i, name := range outcomeNames {
		if name == string(text) {
			*o = Outcome(i)
		}
	}
	return nil
}

// stepsKept bounds an incident that tries again and again.
const stepsKept = 200

// add records a step; the same failure again is only counted.
func (i *Incident) add(s IncidentStep) {
	if n := len(i.Steps); n > 0 && s.Error != "" {
		last := &i.Steps[n-1]
		if last.Step == s.Step && last.Node == s.Node && last.Error == s.Error {
			last.Again++
			last.Took = s.Begun.Add(s.Took).Sub(last.Begun)
			return
		}
	}
	if len(i.Steps) < stepsKept {
		i.Steps = append(i.Steps, s)
	}
}

// copied is the incident as it is now, whatever happens to it later.
func (i *Incident) copied() Incident {
	out := *i
	out.Steps = append([]IncidentStep(nil), i.Steps...)
	out.Evidence = append([]string(nil), i.Evidence...)
	out.Files = append([]string(nil), i.Files...)
	return out
}

// Story tells the incident in sentences, for a line of the log.
func (i Incident) Story() string {
	var b strings.Builder
	fmt.Fprintf(&b, "At %s a %s of %s began: %s.", i.Begun.UTC().Format("15:04:05.000"), i.Kind, i.From, strings.TrimSuffix(i.Reason, "."))
	for _, s := range i.Evidence {
		fmt.Fprintf(&b, " %s.", strings.TrimSuffix(s, "."))
	}
	for _, s := range i.Steps {
		b.WriteString(" " + s.sentence(i.Begun))
	}
	if i.Lost != "" {
		fmt.Fprintf(&b, " Acknowledged writes were LOST: %s; they are kept in %s.", i.Lost, strings.Join(i.Files, ", "))
	}
	if i.Errant != "" {
		fmt.Fprintf(&b, " Only %s had %s; it is kept in %s.", i.From, i.Errant, strings.Join(i.Files, ", "))
	}
	if i.Outcome != OutcomeRunning {
		fmt.Fprintf(&b, " It ended after %v: %s.", i.Ended.Sub(i.Begun).Round(time.Millisecond), i.Outcome)
	}
	if i.Held > 0 {
		fmt.Fprintf(&b, " New writes waited for %v.", i.Held.Round(time.Millisecond))
	}
	if i.Says != "" {
		fmt.Fprintf(&b, " %s.", strings.TrimSuffix(i.Says, "."))
	}
	return b.String()
}

func (s IncidentStep) sentence(begun time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "+%v %s", s.Begun.Sub(begun).Round(time.Millisecond), s.Step)
	if s.Node != "" {
		b.WriteString(" " + s.Node)
	}
	if s.Says != "" {
		b.WriteString(": " + s.Says)
	}
	if s.Error != "" {
		b.WriteString(" failed: " + s.Error)
	}
	if s.Again > 0 {
		fmt.Fprintf(&b, " (and %d times more)", s.Again)
	}
	fmt.Fprintf(&b, " (%v).", s.Took.Round(time.Millisecond))
	return b.String()
}
