package proxy

import (
	"testing"

	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// TestMayChangeInsertID: whatever an OK packet does not tell counts as changed,
// or the next session on the connection would see another's LAST_INSERT_ID().
func TestMayChangeInsertID(t *testing.T) {
	failed := wire.Answer{Code: 1062}
	rows := wire.Answer{HasRows: true, AnyRows: true}
	for _, c := range []struct {
		name      string
		statement *router.Statement
		answer    wire.Answer
		want      bool
	}{
		{"an insert with an id", &router.Statement{Kind: router.KindWrite}, wire.Answer{InsertID: 7}, true},
		{"an insert without", &router.Statement{Kind: router.KindWrite}, wire.Answer{}, false},
		{"an insert that failed, perhaps behind its first row", &router.Statement{Kind: router.KindWrite}, failed, true},
		{"LOAD DATA", &router.Statement{Kind: router.KindWrite, Fingerprint: "load data local infile ? into table t"}, wire.Answer{}, true},
		{"RETURNING", &router.Statement{Kind: router.KindWrite, Fingerprint: "insert into t values ( ? ) returning id"}, rows, true},
		{"a locking read", &router.Statement{Kind: router.KindWrite, Fingerprint: "select a from t for update"}, rows, false},
		{"a read that failed", &router.Statement{Kind: router.KindRead, Flags: router.OnlyReads}, failed, false},
		{"several reads", &router.Statement{Kind: router.KindRead, Flags: router.OnlyReads | router.Multi}, rows, false},
		{"several statements, the last of which is COMMIT", &router.Statement{Kind: router.KindCommit, Flags: router.Multi}, wire.Answer{}, true},
		{"CREATE TABLE AS SELECT that failed", &router.Statement{Kind: router.KindDDL}, failed, true},
		{"a procedure", &router.Statement{Kind: router.KindCall}, wire.Answer{}, true},
		{"an anonymous block", &router.Statement{Kind: router.KindUnknown}, wire.Answer{}, true},
		{"SET", &router.Statement{Kind: router.KindSet}, wire.Answer{}, false},
	} {
		if got := mayChangeInsertID(c.statement, &c.answer); got != c.want {
			t.Errorf("%s: %t, want %t", c.name, got, c.want)
		}
	}
}
