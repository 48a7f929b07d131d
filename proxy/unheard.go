package proxy

import (
	"slices"
	"strings"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// unheard reports whether the statement that has just run on the master may have
// committed a write of which the answer tells nothing. To the session it is as a
// read there then: from now on it sees all that the master had.
func (x *session) unheard(s *router.Statement) bool {
	switch {
	case x.seen.gtid || !x.mayWrite(s):
		return false
	case !x.hasRoom() || !x.tellsWrites():
		return true
	}
	return x.seen.begun && !x.wasReadOnly && endsTransaction(s)
}

// hasRoom reports whether the last answer had room for the GTID of a write.
func (x *session) hasRoom() bool {
	return x.answer.Code == 0 && (!x.answer.HasRows || x.capabilities.Has(wire.ClientDeprecateEOF))
}

// tellsWrites reports whether the client has left on what tells the GTIDs of
// its writes.
func (x *session) tellsWrites() bool {
	if x.things == nil || x.things.tracks == nil {
		return true
	}
	if x.dialect.Flavour == cluster.FlavourMySQL {
		what, asked := x.things.tracks["session_track_gtids"]
		return !asked || what == "OWN_GTID" || what == "ALL_GTIDS"
	}
	_, asked := x.things.tracks["session_track_system_variables"]
	return !asked || x.tracksVariable([]byte("last_gtid"))
}

// mayWrite reports whether the running statement may write or end a transaction
// that did.
func (x *session) mayWrite(s *router.Statement) bool {
	switch {
	case x.seen.reason == router.ReasonNone:
		return false
	case s.Flags.Has(router.Multi):
		return true
	}
	switch s.Kind {
	case router.KindUse, router.KindShow, router.KindSavepoint, router.KindPrepare, router.KindKill:
		return false
	case router.KindRead:
		return !callsNothing(s)
	case router.KindSet:
		return !s.Flags.Has(router.SessionOnly) || len(s.Names) > 0 || slices.Contains(s.Variables, "autocommit")
	}
	return true
}

// callsNothing reports whether a read can reach no stored function: it looks at
// variables only, or at LAST_INSERT_ID(), as many clients do after each INSERT.
func callsNothing(s *router.Statement) bool {
	alias, asksID := strings.CutPrefix(s.Fingerprint, "select last_insert_id()")
	return asksID && isAlias(alias) || !strings.Contains(s.Fingerprint, "(") && !strings.Contains(s.Fingerprint, "from ")
}

// endsTransaction reports whether a statement may end a transaction, also one
// that begins another at once.
func endsTransaction(s *router.Statement) bool {
	switch s.Kind {
	case router.KindRead, router.KindWrite:
		return s.Flags.Has(router.Multi)
	}
	return true
}
