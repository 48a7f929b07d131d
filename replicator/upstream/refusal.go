package upstream

import (
	"fmt"
	"strings"

	"github.com/bellwether-db/bellwether/cluster"
)

// Reason is why Run gave up. The zero value is unknown.
type Reason uint8

// The reasons.
const (
	ReasonUnknown  Reason = iota
	ReasonIdentity        // another server answers at the address
	ReasonBehind          // the server lacks transactions that are stored: it is a former master
	ReasonPurged          // the server has deleted binary logs that the stored log needs
	ReasonSettings        // the server's settings do not allow it
	ReasonStream          // what the server sends is wrong, again and again
	ReasonSink            // the stored log cannot be written
)

var reasonNames = [...]string{"unknown", "identity", "behind", "purged", "settings", "stream", "sink"}

// String is the reason in one word.
func (r Reason) String() string {
	if int(r) < len(reasonNames) {
		return reasonNames[r]
	}
	return reasonNames[ReasonUnknown]
}

// Refusal is the final error of Run: trying again changes nothing. It is read
// by operators.
type Refusal struct {
	Reason Reason
	Addr   string // of the server
	What   string // one sentence without its full stop
	// Missing are the transactions that it is about: for ReasonBehind those that
	// the server lacks, for ReasonPurged those that nobody has any more. nil
	// elsewhere.
	Missing *cluster.GTIDSet
	// Hint is what an operator can do.
	Hint string
	// Err is the cause where there is one.
	Err error
}

// Error says what, which transactions, why, and what to do.
func (r *Refusal) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "read from master %s: %s", r.Addr, r.What)
	if r.Missing != nil {
		fmt.Fprintf(&b, ": %s", r.Missing)
	}
	if r.Err != nil {
		fmt.Fprintf(&b, ": %v", r.Err)
	}
	if r.Hint != "" {
		fmt.Fprintf(&b, " (%s)", r.Hint)
	}
	return b.String()
}

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Err }

// sinkRefusal is about the stored log.
func sinkRefusal(what string, err error) *Refusal {
	return &Refusal{
		Reason: ReasonSink, What: "cannot " + what + " the stored log", Err: err,
		Hint: "nothing is acknowledged until it can be written again",
	}
}
