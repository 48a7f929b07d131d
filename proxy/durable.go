package proxy

import (
	"context"

	"github.com/bellwether-db/bellwether/cluster"
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
	// where it is already, and with ctx's error once ctx has ended.
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

// secure holds back the OK of a write until the write is stored. A client that
// hears nothing cannot believe that it was: so where that cannot be waited for
// the session ends without an answer.
func (x *session) secure(write *cluster.GTIDSet) {
	journal := x.server.journal
	if journal == nil {
		return
	}
	if err := journal.Await(x.ctx, write); err != nil {
		_ = x.client.Close() // what the relay sends now goes nowhere
	}
}
