package proxy

import (
	"strings"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// pinsAfter says what now binds the session to the connection.
func (x *session) pinsAfter(r *request, c *backend.Conn) router.PinSet {
	s, failed := r.statement, x.answer.Code != 0
	if r.answer == wire.AnswerPrepare {
		c.Dirty = c.Dirty || makesNulls(s, true)
		pins := x.pinsOfStatements(x.pins)
		if !failed && x.makesUserVariables(s, true) {
			pins = pins.With(router.PinUserVariable)
		}
		return x.diagnosticsAfter(s, pins)
	}
	next := x.pins.Has(router.PinNextTransaction)
	pins := x.pins.Without(router.PinTransaction).Without(router.PinNextTransaction)
	if !failed {
		x.pins = pins
		pins = x.note(s)
		pins = x.pinsOf(s, pins)
		x.carryUserVariables(s)
	} else if s.Flags.Has(router.SetsUserVariables) || x.makesUserVariables(s, false) { // it may have set some first
		pins = pins.With(router.PinUserVariable)
	}
	if failed && s.Flags.Has(router.PreparesText) && x.things != nil {
		x.things.notPrepared(s)
	}
	inTransaction := x.status&wire.StatusInTransaction != 0
	if inTransaction || failed && x.status&wire.StatusAutocommit == 0 {
		pins = pins.With(router.PinTransaction)
	}
	switch {
	case s.Flags.Has(router.SetsNextTransaction) && !failed:
		pins = pins.With(router.PinNextTransaction)
	case !inTransaction && x.seen.begun && s.Kind == router.KindSet:
		// SET autocommit ends a transaction, but its mode stands until the next begins.
		pins = pins.With(router.PinNextTransaction)
	case !inTransaction && (next && (failed || mayLeaveNext(s)) || x.wasReadOnly && x.leavesNext(s)):
		pins = pins.With(router.PinNextTransaction)
	}
	pins = x.pinsOfPrepared(r, pins)
	pins = x.diagnosticsAfter(s, pins)
	if pins.Without(router.PinDiagnostics).Without(router.PinTransaction) != 0 || makesNulls(s, false) {
		c.Dirty = true
	}
	return pins
}

// makesNulls reports whether a statement may make the user variables that it
// names, which MySQL does when it prepares what sets them and when a write finds
// them missing: as NULL, but with a type that a later statement shows.
func makesNulls(s *router.Statement, prepared bool) bool {
	return s.Flags.Has(router.UsesUserVariables) && !s.Flags.Has(router.OnlyReads) && (prepared || s.Kind != router.KindSet)
}

// mayLeaveNext reports whether a statement may not use up what SET TRANSACTION
// said of the next one: a statement that uses no table does not.
func mayLeaveNext(s *router.Statement) bool {
	switch s.Kind {
	case router.KindWrite, router.KindBegin, router.KindCommit, router.KindRollback, router.KindDDL:
		return s.Flags.Has(router.Multi)
	}
	return true
}

// leavesNext reports whether a statement lets the mark of a READ ONLY
// transaction stand, which MariaDB keeps when SET autocommit ends it and until a
// statement uses a table.
func (x *session) leavesNext(s *router.Statement) bool {
	if x.dialect.Flavour != cluster.FlavourMariaDB {
		return false
	}
	switch s.Kind {
	case router.KindRead:
		return !strings.Contains(s.Fingerprint, " from ")
	case router.KindSet, router.KindUse, router.KindShow, router.KindPrepare, router.KindAdmin:
		return true
	}
	return false
}

// diagnosticsAfter keeps the connection while the next statement may ask about
// this one.
func (x *session) diagnosticsAfter(s *router.Statement, pins router.PinSet) router.PinSet {
	if x.answer.Warnings > 0 || x.answer.Code != 0 || s.Flags.Has(router.CalcFoundRows) || x.unresolved != 0 {
		return pins.With(router.PinDiagnostics)
	}
	return pins
}

// pinsOf adds and removes the pins that follow from a statement's flags and
// from the server's word that something changed.
func (x *session) pinsOf(s *router.Statement, pins router.PinSet) router.PinSet {
	f := s.Flags
	if f.Any(router.SetsUserVariables) || !plainAssignments(s) || x.makesUserVariables(s, false) || !x.carriesStrings(s) {
		pins = pins.With(router.PinUserVariable)
	}
	if f.Has(router.SetsUncarried) || s.Kind == router.KindSet && (setsTracking(s) || !x.carried(s)) {
		pins = pins.With(router.PinSessionState)
	}
	if f.Has(router.UnlocksTables) {
		pins = pins.Without(router.PinTableLock)
	}
	if f.Has(router.LocksTables) {
		pins = pins.With(router.PinTableLock)
	}
	if f.Has(router.EndsXA) {
		pins = pins.Without(router.PinXA)
	}
	if f.Has(router.StartsXA) {
		pins = pins.With(router.PinXA)
	}
	return x.pinUnexplained(s, pins)
}

// pinUnexplained pins when the server says that the session's state changed
// and nothing that is known explains it: a procedure or trigger has left a
// user variable or a temporary table.
func (x *session) pinUnexplained(s *router.Statement, pins router.PinSet) router.PinSet {
	const explained = router.SetsUserVariables | router.UsesUserVariables | router.MakesTemporaryTable |
		router.DropsTemporaryTable | router.PreparesText | router.DeallocatesText
	switch {
	case !x.seen.changed:
	case s.Kind == router.KindCall:
		return pins.With(router.PinProcedure)
	case x.seen.stateSet || s.Flags.Any(explained) || s.Kind == router.KindSet || s.Kind == router.KindUse:
	case !s.Flags.Has(router.OnlyReads):
		return pins.With(router.PinSessionState)
	}
	return pins
}
