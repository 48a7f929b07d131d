package proxy

import (
	"context"
	"errors"
	"fmt"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/wire"
)

// Journal is what tells whether a write is durable on more machines than the
// master, and which writes there are. Any number of goroutines use it. A nil
// Journal keeps no promise and knows of none.
type Journal interface {
	// End is the set of all transactions that are stored now, which holds all
	// that any slave can have shown; nil while nobody knows. Where whole is set it
	// holds every write that was acknowledged as well, and all that the master can
	// have shown. It is asked for every statement: it must be quick.
	End() (set *cluster.GTIDSet, whole bool)
	// Stored is the set of all transactions that are stored now, also where a
	// slave may show more than that; nil while nothing is promised. A client may
	// have been told of any of them, so the master has to show them. It must be
	// quick, too.
	Stored() *cluster.GTIDSet
	// Await returns once every transaction of set is stored durably, at once
	// where it is already, also when ctx has ended, and with ctx's error once ctx
	// has ended.
	Await(ctx context.Context, set *cluster.GTIDSet) error
}

// logEnd is the journal's End, where there is a journal.
func (s *Server) logEnd() (set *cluster.GTIDSet, whole bool) {
	if s.journal == nil {
		return nil, false
	}
	return s.journal.End()
}

// acknowledged is what a read on the master must show that is to see all writes
// of which a client was told; nil where nobody stores them.
func (s *Server) acknowledged() *cluster.GTIDSet {
	if s.journal == nil {
		return nil
	}
	return s.journal.Stored()
}

// secure holds back the OK of a write until the write is stored, for the hold
// timeout at most. A client that hears nothing cannot believe that it was: so where
// that cannot be waited for it is told that nobody can tell, and the session ends.
func (x *session) secure(write *cluster.GTIDSet) {
	journal := x.server.journal
	if journal == nil {
		return
	}
	err := journal.Await(x.server.ended, write)
	if errors.Is(err, context.Canceled) {
		ctx, done := x.within(x.server.config.Load().HoldTimeout)
		err = journal.Await(ctx, write)
		done()
	}
	if err == nil {
		return
	}
	if x.ctx.Err() == nil {
		x.server.log.Warn("a write was committed, and its client was not told so: it is not stored", "session", x.id, "gtid", write.String(), "error", err)
		_ = x.sendError(&wire.ServerError{Code: CodeUnknownOutcome, State: "HY000", Message: fmt.Sprintf( // it is closed all the same
			"Bellwether: the master committed this as %s, but it could not be stored on a second machine (%v): it is lost if the master is. Do not run it again", write, err)})
	}
	_ = x.client.Close() // what the relay sends now goes nowhere
}
