package proxy

import (
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// TestStaleSchema: where a connection has yet to tell that it came back to its
// schema, what it tells is old, unless the statement itself goes there.
func TestStaleSchema(t *testing.T) {
	sql := func(text string) *router.Statement { return classed(cluster.FlavourMariaDB, text) }
	for _, tc := range []struct {
		statement *router.Statement
		stale     bool
	}{
		{sql("SET time_zone = '+02:00'"), true}, {sql("SELECT 1; SELECT 2"), true}, {pings, true}, {afterLast, true},
		{sql("USE d"), false}, {sql("USE`d`"), false}, {sql("SELECT 1; USE d"), false}, {changeSchema, false},
	} {
		c := &backend.Conn{Schema: "d", OwesSchema: true}
		x := session{schema: "d", seen: seen{conn: c, uses: usesSchema(tc.statement)}}
		if x.toldSchema("d"); x.seen.stale != tc.stale || c.OwesSchema {
			t.Errorf("%q: stale %t, want %t; owed still: %t", tc.statement.Fingerprint, x.seen.stale, tc.stale, c.OwesSchema)
		}
	}
}

// TestSchemaWithoutRoom: a look into another schema has the client told its own
// later, where the rows of the answer end in a packet without room for it.
func TestSchemaWithoutRoom(t *testing.T) {
	const changed = wire.StatusSessionStateChanged
	for _, tc := range []struct {
		sql    string
		status uint16
		told   bool
		owed   bool
	}{
		{"SELECT * FROM information_schema.columns", changed, false, true},
		{"SELECT * FROM information_schema.columns", changed, true, false},
		{"SELECT * FROM information_schema.columns", 0, false, false},
		{"SHOW TABLES FROM other", changed, false, true},
		{"SELECT a FROM t", changed, false, false},
		{"SET STATEMENT time_zone = '+01:00' FOR SELECT * FROM information_schema.columns", changed, false, false},
	} {
		s, c := classed(cluster.FlavourMariaDB, tc.sql), &backend.Conn{}
		x := session{seen: seen{conn: c, statement: s, told: tc.told, lent: len(s.Lent) > 0}}
		x.dialect.Flavour = cluster.FlavourMariaDB
		x.answer = wire.Answer{HasRows: true, Status: tc.status}
		if x.owe(&request{statement: s, answer: wire.AnswerQuery}, c); x.owed != tc.owed || c.OwesSchema != tc.owed {
			t.Errorf("%s: owed %t and %t, want %t", tc.sql, x.owed, c.OwesSchema, tc.owed)
		}
	}
}
