package proxy

import (
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
)

// TestMakesNulls: a user variable that a server makes by the way is another
// session's to see, in the type of what is computed from it.
func TestMakesNulls(t *testing.T) {
	const uses = router.UsesUserVariables
	for _, c := range []struct {
		name     string
		kind     router.Kind
		flags    router.Flags
		prepared bool
		want     bool
	}{
		{"a read", router.KindRead, uses | router.OnlyReads, false, false},
		{"a read that is prepared", router.KindRead, uses | router.OnlyReads, true, false},
		{"a write", router.KindWrite, uses, false, true},
		{"a write that is prepared", router.KindWrite, uses, true, true},
		{"SET @a = ? that is prepared", router.KindSet, uses | router.SetsUserVariables, true, true},
		{"SET @a = 1, which the state carries", router.KindSet, uses, false, false},
		{"a write that names none", router.KindWrite, 0, false, false},
	} {
		if got := makesNulls(&router.Statement{Kind: c.kind, Flags: c.flags}, c.prepared); got != c.want {
			t.Errorf("%s: %t, want %t", c.name, got, c.want)
		}
	}
}

// TestPreparedVariables: on MySQL a statement keeps the types that its variables
// had when it was prepared, and the session its connection until it is closed.
func TestPreparedVariables(t *testing.T) {
	const diagnostics = router.PinDiagnostics
	before := router.PinSet(0).With(diagnostics)
	for _, c := range []struct {
		flavour cluster.Flavour
		sql     string
		want    router.PinSet
	}{
		{cluster.FlavourMySQL, "SELECT @a", before.With(router.PinPreparedVariable)},
		{cluster.FlavourMySQL, "SELECT @@sql_mode, ?", before},
		{cluster.FlavourMariaDB, "SELECT @a", before},
	} {
		x := session{statements: map[uint32]*prepared{}}
		x.dialect.Flavour = c.flavour
		x.statements[1] = &prepared{id: 1, typed: x.keepsTypes(classed(c.flavour, c.sql))}
		if got := x.pinsOfStatements(before); got != c.want {
			t.Errorf("%v: %s: %v, want %v", c.flavour, c.sql, got, c.want)
		}
		delete(x.statements, 1)
		if got := x.pinsOfStatements(c.want); got != before {
			t.Errorf("%v: %s, closed: %v, want %v", c.flavour, c.sql, got, before)
		}
	}
}

// TestVariablesMadeByPreparing: preparing SET makes the variables that were not there.
func TestVariablesMadeByPreparing(t *testing.T) {
	x := session{state: backend.EmptyState().With("@`known`", "5")}
	for sql, want := range map[string]bool{
		"SET @a = ?": true, "SET @known = ?": false, "SELECT @a": false, "INSERT INTO t VALUES (@a)": true,
	} {
		if got := x.makesUserVariables(classed(cluster.FlavourMariaDB, sql), true); got != want {
			t.Errorf("%s: %t, want %t", sql, got, want)
		}
	}
}
