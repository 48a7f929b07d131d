package proxy

import (
	"strings"

	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// transactionPins are those that a transaction can be run again with.
const transactionPins = 1<<router.PinTransaction | 1<<router.PinNextTransaction | 1<<router.PinDiagnostics

// onlyTransaction reports whether what was held is no more than a transaction.
func onlyTransaction(pins router.PinSet) bool {
	return pins&(1<<router.PinTransaction|1<<router.PinNextTransaction) != 0 && pins&^transactionPins == 0
}

// leavesNothing reports whether a statement has done nothing that outlives its
// connection, whether it ran or not: it may be run again as if it never had been.
// begun says that a transaction was open before it.
func leavesNothing(r *request, begun, autocommit bool) bool {
	s := r.statement
	switch {
	case r.answer == wire.AnswerPrepare:
		return true
	case s.Flags.Has(router.Multi):
		return false
	}
	switch s.Kind {
	case router.KindBegin, router.KindCommit:
		return !begun
	case router.KindRollback, router.KindSavepoint, router.KindUse, router.KindShow, router.KindPrepare:
		return true
	case router.KindSet:
		session := s.Reason == router.ReasonSessionState || s.Reason == router.ReasonNextTransaction
		return session && !(begun && setsAutocommit(s))
	case router.KindLock:
		return !begun && !s.Flags.Any(router.StartsXA|router.EndsXA) && !isXA(s)
	case router.KindRead:
		return onlyLooks(s)
	case router.KindWrite:
		return onlyLocks(s) || !autocommit && !begun
	}
	return false
}

// onlyLocks reports whether a statement is a locking read.
func onlyLocks(s *router.Statement) bool {
	return s.Reason == router.ReasonLockingRead && len(s.Calls) == 0
}

func isXA(s *router.Statement) bool { return strings.HasPrefix(s.Fingerprint, "xa ") }

func setsAutocommit(s *router.Statement) bool {
	for _, v := range s.Variables {
		if v == "autocommit" {
			return true
		}
	}
	return false
}

// mayWrite reports whether a statement may have written something that a COMMIT
// makes last; reason is why it is no certain read.
func mayWrite(s *router.Statement, reason router.Reason) bool {
	if reason == router.ReasonNone || onlyLocks(s) {
		return false
	}
	switch s.Kind {
	case router.KindBegin, router.KindSavepoint, router.KindUse, router.KindShow, router.KindRollback, router.KindCommit:
		return s.Flags.Has(router.Multi)
	case router.KindSet:
		return s.Reason != router.ReasonSessionState && s.Reason != router.ReasonNextTransaction
	case router.KindRead:
		return !onlyLooks(s)
	}
	return true
}

// onlyLooks reports whether a read goes to the master for what the node or the
// session is, and not because it may write.
func onlyLooks(s *router.Statement) bool {
	switch s.Reason {
	case router.ReasonUserLock, router.ReasonInsertID, router.ReasonServerVariable, router.ReasonServerLocal, router.ReasonFoundRows,
		router.ReasonDiagnostics, router.ReasonConnectionID:
		return len(s.Calls) == 0
	}
	return false
}

// isOneTransaction reports whether a statement by itself makes at most one
// transaction, so that a GTID tells all about it.
func isOneTransaction(r *request) bool {
	s := r.statement
	if r.answer != wire.AnswerQuery || s.Flags.Has(router.Multi) {
		return false
	}
	switch wire.Command(r.payload[0]) {
	case wire.ComQuery, wire.ComStmtExecute:
	default:
		return false
	}
	return s.Kind == router.KindWrite || s.Kind == router.KindDDL || s.Kind == router.KindRead
}

// endsPlainly reports whether a statement is COMMIT or ROLLBACK and nothing else.
func endsPlainly(s *router.Statement, word string) bool {
	return s.Fingerprint == word || s.Fingerprint == word+" work"
}
