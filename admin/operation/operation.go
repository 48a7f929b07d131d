// Package operation runs what an operator asks for and may take its time: each
// order gets an id, under which it can be watched and, where that is safe, be
// cancelled. What is done is its callers' to say.
package operation

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// ErrRefused is wrapped by errors about what must not be done; they say why, and
// what to do.
var ErrRefused = errors.New("refused")

// Request is what somebody asks for. It is a value.
type Request struct {
	// Kind is "switchover", "failover", "sync", "verify" or "reload".
	Kind string `json:"kind"`
	// To is the node that is to be the master, "" for the best one.
	To string `json:"to"`
	// Node is the slave to copy to or to compare, "" for one after the other.
	Node string `json:"node"`
	// Reason is for the record.
	Reason string `json:"reason"`
	// Force passes over policy and speed, never over acknowledged writes.
	Force bool `json:"force"`
	// DryRun has it planned, and not carried out.
	DryRun  bool    `json:"dry_run"`
	Options Options `json:"options"`
}

// Options are those of sync and verify; zero is the usual. It is a value.
type Options struct {
	// ChunkMS is about how long verify takes for a chunk of rows, LockMS how long
	// writes to one may have to wait, PatienceSeconds how long a slave may take to
	// catch up.
	ChunkMS         float64 `json:"chunk_ms"`
	LockMS          float64 `json:"lock_ms"`
	PatienceSeconds float64 `json:"patience_seconds"`
}

// Plan is what would be done. It is a value.
type Plan struct {
	Kind string `json:"kind"`
	// Refusal is why it would not be done, "" where it would.
	Refusal string `json:"refusal"`
	Text    string `json:"plan"`
}

// Job is how an order is carried out. It is a value.
type Job struct {
	// Says is what it does, in a sentence.
	Says string
	// Alone names what no other order may do meanwhile; "" for nothing.
	Alone string
	// Cancellable says that nothing is harmed where Do's context ends early.
	Cancellable bool
	// Do carries it out. An error that wraps ErrRefused says that nothing was done.
	Do func(ctx context.Context, tell *Teller) (Outcome, error)
}

// Outcome is what came of an order. It is a value.
type Outcome struct {
	Says   string
	Result any // shown as JSON; nil for nothing
}

// Record is one order, as it is shown. It is a value; its slices are not changed
// once handed out.
type Record struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	State State  `json:"state"`
	// By is the name of who asked, Asked when.
	By    string     `json:"by"`
	Asked time.Time  `json:"asked"`
	Ended *time.Time `json:"ended"` // nil while it runs

	To     string `json:"to"`
	Node   string `json:"node"`
	Reason string `json:"reason"`
	// Says is what it does now, or how it ended, in a sentence.
	Says string `json:"says"`
	// Progress is between 0 and 1, nil where it is not known.
	Progress    *float64        `json:"progress"`
	Steps       []Step          `json:"steps"`
	Cancellable bool            `json:"cancellable"`
	Result      json.RawMessage `json:"result"` // null for none
	// Incident is the id of its record among the incidents, "" for none.
	Incident string `json:"incident"`
}

// Step is one thing that was done. It is a value.
type Step struct {
	Step  string    `json:"step"`
	Node  string    `json:"node"`
	Begun time.Time `json:"begun"`
	// TookMS is nil while it goes on.
	TookMS *float64 `json:"took_ms"`
	// Says is what came of it, Error why it failed, "" where it did not.
	Says  string `json:"says"`
	Error string `json:"error"`
}

// State is how an order does. The zero value is unknown.
type State uint8

// The states.
const (
	StateUnknown State = iota
	StateRunning
	StateDone
	StateFailed
	StateRefused     // nothing was done
	StateCancelled   // as it was asked to
	StateInterrupted // Bellwether ended before it did
	states
)

var stateNames = [states]string{"unknown", "running", "done", "failed", "refused", "cancelled", "interrupted"}

// String returns the state in lower case.
func (s State) String() string { return stateNames[min(s, states)%states] }

// MarshalText writes what String returns.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what String returns; other words are unknown.
func (s *State) UnmarshalText(text []byte) error {
	*s = StateUnknown
	for i, name := range stateNames {
		if name == string(text) {
			*s = State(i)
		}
	}
	return nil
}
