package failover

import (
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// Order is what an operator asks for. It is a value; the zero value says that
// nobody asked, and Bellwether acts by itself.
type Order struct {
	// Given says that somebody asked: the switch for automatic failover, the
	// window and the master's maintenance do not keep from carrying it out.
	Given bool
	// To is the node that is to be the master, "" for the best one.
	To string
	// Reason is the operator's, for the record.
	Reason string
	// Force passes over what protects speed and policy: the list of those that
	// never are master, versions, lag, a failover of a master that lives. It never
	// passes over what protects acknowledged writes, but for a stored log that
	// may lack some.
	Force bool
}

// Plan is what would be done, step by step, and why. It is a value.
type Plan struct {
	Kind Recovery
	// Problem is why; unknown for an order.
	Problem Kind
	// Reason is a sentence for the record and for clients that wait.
	Reason string
	// From is the master that is given up, To the one that follows, by name. To is
	// what would be chosen now; a failover chooses again after the drain.
	From, To string
	// Notes are sentences on what follows from it, and on what is lost.
	Notes []string
	// Candidates says of every other node whether it may be the master.
	Candidates []Candidate
	Steps      []Step
	// Refusal says why the plan must not be carried out, and what to do; ""
	// where it may. Steps are empty then.
	Refusal string
	// Until is when a refusal ends by itself, zero where something must happen.
	Until time.Time
}

// Step is one thing to do. It is a value.
type Step struct {
	Kind StepKind
	// Node is whom it is done to, "" for the cluster, or while it is not chosen.
	Node string
	// Deadline bounds the step.
	Deadline time.Duration
	// Optional says that the plan goes on where the step fails or takes too long.
	Optional bool
	// Says is what it does, for people.
	Says string
}

// StepKind names a step. The zero value is unknown.
type StepKind uint8

// The steps, in the order in which a plan has them. Record is the commit point:
// before it a failure leaves the roles as they were, after it the only way is
// forward.
const (
	StepUnknown  StepKind = iota
	StepHold              // new writes wait
	StepQuiet             // until no client's write or transaction is under way
	StepCloseOld          // the old master is made read-only, and what it executed is awaited in the stored log
	StepCut               // published: no master; connections to the old one are closed
	StepFence             // a node is made read-only and its clients' connections are killed
	StepSeal              // the stored log is final
	StepDrain             // every slave takes the stored log to its end
	StepChoose            // the candidate is chosen
	StepLose              // what it lacks is kept in files, and the stored log cut back to what it has
	StepRecord            // the new master is fsynced, then published; writes are held
	StepPromote           // it follows nobody any more, its binary log flushed; still read-only
	StepAttach            // the stream runs from it, its commits wait to be stored
	StepOpen              // it is made writable
	StepRelease           // published: writes are open; who waited goes on
	StepEvents            // the events that ran on the old master run on the new one
	StepDemote            // a former master is made ready to be a slave
	StepSave              // what only it has is written to a file
	StepCopy              // it becomes a copy of the others
	StepUnfence           // it is trusted again, as a slave
	stepKinds
)

var stepNames = [stepKinds]string{
	"unknown", "hold", "quiet", "close_old", "cut", "fence", "seal", "drain", "choose", "lose", "record", "promote",
	"attach", "open", "release", "events", "demote", "save", "copy", "unfence",
}

// String returns the step in lower case.
func (k StepKind) String() string { return stepNames[min(k, stepKinds)%stepKinds] }

// Candidate is a node that may or may not become the master. It is a value.
type Candidate struct {
	Node string
	// Fit says whether it may.
	Fit bool
	// Says is why, or why not.
	Says string
}

// Choice is who becomes the master. It is a value.
type Choice struct {
	Node string
	// Has is all that it has executed.
	Has *cluster.GTIDSet
	// Lost is what was acknowledged and it lacks, nil for nothing. It must be
	// kept in a file, and be named.
	Lost *cluster.GTIDSet
	// LostRange is the same for people: on MariaDB from where to where.
	LostRange string
	// Reason says why it and no other.
	Reason string
	// Candidates says the same of every node.
	Candidates []Candidate
}
