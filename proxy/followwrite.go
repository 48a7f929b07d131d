package proxy

import (
	"time"

	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// followInsertID notes that LAST_INSERT_ID() now is something that only the
// connection knows.
func (x *session) followInsertID(s *router.Statement, c *backend.Conn) {
	if x.answer.InsertID == 0 && !s.Flags.Has(router.SetsInsertID) && s.Kind != router.KindCall {
		return
	}
	if x.insertID == nil || c.InsertID != x.insertID {
		x.insertID = backend.NewCarry()
		c.InsertID = x.insertID
	}
}

// followWrite notes a write whose position the server could not tell: without
// DEPRECATE_EOF the end of rows has no room for it.
func (x *session) followWrite() {
	if x.seen.gtid || !x.answer.HasRows || x.capabilities.Has(wire.ClientDeprecateEOF) {
		return
	}
	switch x.seen.reason {
	case router.ReasonWrite, router.ReasonCatalogueUnknown, router.ReasonStoredFunction, router.ReasonSequence, router.ReasonProcedure,
		router.ReasonExecutableComment, router.ReasonUnsafeCharset, router.ReasonUncertain:
		x.position.lose(time.Now())
	}
}
