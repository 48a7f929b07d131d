package proxy

import (
	"testing"

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
