package proxy

import (
	"context"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// Outcomes tells how a write ended whose answer was lost. Any number of
// goroutines use it.
type Outcomes interface {
	// Outcome waits until it is final how a write ended. With ctx's end, or where
	// nobody can tell, it is OutcomeUnknown; an error says why, for people.
	//
	// OutcomeNotCommitted is a promise that it never will be: the server is not the
	// master any more and the stored log is sealed, or the connection was killed
	// and seen gone and the log then holds all that the server has.
	Outcome(ctx context.Context, w Write) (Outcome, error)
}

// Write is a write whose answer was lost: one transaction at most, the last
// thing that its connection to the server was asked for.
type Write struct {
	// Identity is that of the server, as Topology.MasterIdentity.
	Identity string
	// Thread is the server's id of the connection.
	Thread uint32
	// Mark is what stands between "/*bw:" and "*/" in front of every statement of
	// the write that was sent as text: INSTANCE-CONNECTION-SEQUENCE, the same for
	// all statements of one transaction and never for another one. Statements that
	// were prepared have INSTANCE-CONNECTION alone, each time that they run, and one
	// transaction may hold both: it is the write if it has this mark, or its
	// INSTANCE-CONNECTION and a GTID later than After. "" where the server needs no
	// marks (MySQL), or where the write has none: then nothing but a GTID of its
	// thread id tells.
	Mark string
	// After is the last GTID that a client was told on this connection: the write is
	// later. Empty where nobody was told any; nil where one may have been missed.
	After *cluster.GTIDSet
	// Opened is when the connection was made.
	Opened time.Time
	// Definition says that it is one statement that defines something: the server
	// logs those as text, with the id of the connection.
	Definition bool
}

// OutcomeState says how a write ended.
type OutcomeState uint8

// The states.
const (
	OutcomeUnknown OutcomeState = iota
	OutcomeCommitted
	OutcomeNotCommitted
)

// String returns the state in lower case.
func (s OutcomeState) String() string {
	return [...]string{"unknown", "committed", "not committed"}[min(s, 2)]
}

// Outcome is how a write ended.
type Outcome struct {
	State OutcomeState
	// GTID is that of the transaction, where it was committed.
	GTID cluster.GTID
	// Rows says what it changed, by table, where all of it is known; nil else.
	Rows []Changed
}

// Changed is what one transaction changed in one table.
type Changed struct {
	Schema, Table              string
	Inserted, Updated, Deleted uint64 // rows
	// FirstRow is the first row that was inserted, by column: signed and unsigned
	// integers as Go's own types of any width; what else there is does not matter.
	// nil where it is not known.
	FirstRow []any
}
