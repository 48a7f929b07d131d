package event

import (
	"errors"

	"github.com/bellwether-db/bellwether/cluster"
)

// ErrStream is what an error of Tracker.Next wraps where the events are no
// sound stream: a transaction in a transaction, an end without a beginning, a
// change without a GTID.
var ErrStream = errors.New("not a sound stream of transactions")

// Part says where in a transaction an event stands. The zero value is unknown.
type Part uint8

// The parts.
const (
	PartUnknown Part = iota
	// Control events belong to no transaction: format, rotate, previous GTIDs,
	// checkpoint, heartbeat, stop.
	Control
	// Begin is the GTID event that leads a transaction.
	Begin
	// Inside is neither the first nor the last event of a transaction.
	Inside
	// End is the last event of a transaction.
	End
)

// String is the name in lower case.
func (p Part) String() string { return [...]string{"unknown", "control", "begin", "inside", "end"}[min(p, End)%5] }

// Mark is what Tracker.Next says of an event.
type Mark struct {
	Part Part
	// GTID of the transaction, on each of its parts.
	GTID cluster.GTID
	// ThreadID is the id of the connection that wrote the transaction, as its
	// BEGIN or DDL Query event says it on MySQL; 0 elsewhere and where it is
	// not known.
	ThreadID uint32
}

// Tracker finds transactions in a stream of events. One goroutine uses it.
type Tracker struct {
	format Format
	inside bool
}

// NewTracker begins between two transactions of a stream that has format f. A
// format description in the stream replaces it.
func NewTracker(f Format) *Tracker { return &Tracker{format: f} }

// Next says what e, which has passed Check, is in the stream. An error wraps
// ErrStream or ErrMalformed, and the tracker is then of no more use.
func (t *Tracker) Next(e Event) (Mark, error) { panic("not yet") }

// Inside says whether a transaction has begun and not ended.
func (t *Tracker) Inside() bool { return t.inside }
