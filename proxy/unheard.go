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
	case x.heardAll(s) || !x.mayWrite(s):
		return false
	case !x.hasRoom() || !x.tellsWrites(), hasSteps(s) && x.answer.AnyRows && !x.capabilities.Has(wire.ClientDeprecateEOF):
		return true
	}
	return x.seen.begun && !x.wasReadOnly && endsTransaction(s)
}

// heardAll reports whether the answers have told the GTID of the last that the
// statement has committed. Of several steps each may be a transaction, and behind
// the one that was told another may have been committed that was not.
func (x *session) heardAll(s *router.Statement) bool {
	return x.seen.gtid && (!hasSteps(s) || x.seen.last && x.hasRoom())
}

// outruns reports whether what the statement has shown may be later than the last
// write that it told: others may have written between two of its steps.
func (x *session) outruns(s *router.Statement) bool {
	return !x.heardAll(s) || hasSteps(s) && x.answer.AnyRows
}

// hasSteps reports whether a statement may make more transactions than one, or show
// more than its write. Many clients put the question for the id of the row that they
// insert into the same packet, which does neither.
func hasSteps(s *router.Statement) bool {
	if !s.Flags.Has(router.Multi) {
		return s.Kind == router.KindCall || s.Kind == router.KindUnknown
	}
	write, question, _ := strings.Cut(s.Fingerprint, ";")
	inserts := strings.HasPrefix(write, "insert ") || strings.HasPrefix(write, "replace ")
	return !inserts || !asksForID(strings.TrimSuffix(strings.TrimSpace(question), ";"))
}

// asksForID reports whether a normal text is SELECT LAST_INSERT_ID() and nothing else.
func asksForID(fingerprint string) bool {
	alias, asks := strings.CutPrefix(fingerprint, "select last_insert_id()")
	return asks && isAlias(alias)
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
	return asksForID(s.Fingerprint) || !strings.Contains(s.Fingerprint, "(") && !namesTables(s)
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
