package proxy

import (
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// followInsertID notes that LAST_INSERT_ID() now is something that only the
// connection knows.
func (x *session) followInsertID(s *router.Statement, c *backend.Conn) {
	if !mayChangeInsertID(s, &x.answer) {
		return
	}
	if x.insertID == nil || c.InsertID != x.insertID {
		x.insertID = backend.NewCarry()
		c.InsertID = x.insertID
	}
	c.Inserted = true
}

// mayChangeInsertID reports whether a statement may have changed
// LAST_INSERT_ID(), which only the OK of a single INSERT tells: not an error
// behind its first rows, not RETURNING, not the last of several statements, not
// LOAD DATA.
func mayChangeInsertID(s *router.Statement, a *wire.Answer) bool {
	switch {
	case a.InsertID != 0 || s.Flags.Has(router.SetsInsertID):
		return true
	case s.Flags.Has(router.OnlyReads):
		return false
	case s.Flags.Has(router.Multi):
		return true
	}
	switch s.Kind {
	case router.KindCall, router.KindUnknown:
		return true
	case router.KindWrite, router.KindDDL:
		return a.Code != 0 || strings.Contains(s.Fingerprint, "load ") || a.AnyRows && !strings.HasPrefix(s.Fingerprint, "select")
	}
	return false
}

// followWrite notes a write whose position the server could not tell: an error
// has no room for it, nor has the end of rows without DEPRECATE_EOF. MariaDB
// tells it later then, to whoever has the connection.
func (x *session) followWrite(s *router.Statement, c *backend.Conn) {
	if x.dialect.Flavour == cluster.FlavourMariaDB && !x.hasRoom() && x.mayWrite(s) {
		c.OwesGTID = true
	}
	x.followMissed(s, c)
	if x.unsettles(s) {
		x.position.doubt(time.Now())
	}
	if x.seen.gtid {
		return
	}
	ended := x.status&wire.StatusInTransaction == 0 || x.answer.Code != 0
	if x.seen.begun && ended && !x.wasReadOnly && commitsBefore(s) {
		x.position.lose(time.Now())
		return
	}
	if !x.answer.HasRows || x.capabilities.Has(wire.ClientDeprecateEOF) {
		return
	}
	switch x.seen.reason {
	case router.ReasonWrite, router.ReasonCatalogueUnknown, router.ReasonStoredFunction, router.ReasonSequence, router.ReasonProcedure,
		router.ReasonExecutableComment, router.ReasonUnsafeCharset, router.ReasonUncertain:
		x.position.lose(time.Now())
	}
}

// commitsBefore reports whether a statement may have committed a transaction
// before it failed, or have come after one that did. What ends transactions in
// order tells the position.
func commitsBefore(s *router.Statement) bool {
	switch s.Kind {
	case router.KindCommit, router.KindRollback, router.KindSavepoint, router.KindRead, router.KindWrite, router.KindShow, router.KindUse:
		return s.Flags.Has(router.Multi)
	}
	return true
}

// followMissed notes that something may have been committed on the connection
// that nobody was told: an answer without room for it, or an error, which says
// nothing of what came before it.
func (x *session) followMissed(s *router.Statement, c *backend.Conn) {
	if x.heardAll(s) || x.seen.reason == router.ReasonNone || !mayWrite(s, x.seen.reason) {
		return
	}
	if hasSteps(s) && x.answer.Code != 0 {
		c.Writes.Missed = true // whatever the error, a step before it may have been committed
		return
	}
	switch x.answer.Code {
	case 0:
		c.Writes.Missed = c.Writes.Missed || x.answer.AnyRows && !x.capabilities.Has(wire.ClientDeprecateEOF)
	case codeDeadlock, 1205, wire.CodeParse, 1146, 1054, codeReadOnly: // nothing has been done, or nothing is left of it
	default:
		c.Writes.Missed = true
	}
}
