package proxy

import (
	"strings"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// A prepared statement runs in the schema that it was prepared in, and a server
// that goes there and comes back tells the schema again. Where the answer has no
// room for that (an error, or rows for a client without DEPRECATE_EOF), it tells
// it later: MySQL with the next OK, MariaDB with the next that tells something
// else too. That may be an answer to the proxy, or run elsewhere, so that the
// session keeps count of what its client is owed.

// toldSchema follows a node that tells its schema.
func (x *session) toldSchema(name string) {
	c := x.seen.conn
	x.seen.stale = c.OwesSchema && !x.seen.marks && !x.seen.uses && name == x.schema
	c.OwesSchema = false
	x.seen.told = true
	if x.seen.stale {
		return
	}
	x.owed = false
	x.schema, x.schemaReset = name, false
	c.Schema, c.SchemaReset, x.seen.stateSet = name, false, true
}

// owe notes that an answer had no room for the schema.
func (x *session) owe(r *request, c *backend.Conn) {
	began := x.answer.Code != 1210 && x.answer.Code != 1243 // wrong arguments, unknown statement
	if x.seen.marks && !x.seen.told && began && r.answer == wire.AnswerQuery {
		x.owed, c.OwesSchema = true, true
	}
	if x.dialect.Flavour == cluster.FlavourMariaDB && !x.seen.told && !x.seen.lent && looksElsewhere(r.statement, &x.answer) {
		x.owed, c.OwesSchema = true, true
	}
}

// looksElsewhere reports whether MariaDB has gone to another schema to tell what
// is there, and has something to say of that which rows had no room for.
func looksElsewhere(s *router.Statement, a *wire.Answer) bool {
	return a.HasRows && a.Code == 0 && a.Status&wire.StatusSessionStateChanged != 0 &&
		(s.Kind == router.KindShow || strings.Contains(s.Fingerprint, "information_schema"))
}

// tellOwed returns the schema if the client is to be told it with an OK; tells
// says whether that OK tells anything else.
func (x *session) tellOwed(tells bool) []byte {
	if !x.owed || !x.tracksSchema() || !tells && x.dialect.Flavour == cluster.FlavourMariaDB {
		return nil
	}
	x.owed = false
	return []byte(x.schema)
}

// usesSchema reports whether a statement goes to a schema to stay, which is told
// with it and not later.
func usesSchema(s *router.Statement) bool {
	return s == changeSchema || strings.HasPrefix(s.Fingerprint, "use") ||
		s.Flags.Has(router.Multi) && strings.Contains(s.Fingerprint, "use")
}

// marksSchema reports whether a request goes to another schema and comes back.
func (x *session) marksSchema(r *request) bool {
	if p := r.prepared; p != nil && p.schema != x.schema && r.answer == wire.AnswerQuery {
		return true
	}
	name, executes := strings.CutPrefix(r.statement.Fingerprint, "execute ")
	if !executes || x.things == nil {
		return false
	}
	name, _, _ = strings.Cut(name, " ")
	schema, known := x.things.schemas[name]
	return known && schema != x.schema
}
