package proxy

import (
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
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
