package control

import (
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
)

// What a former master wrote last, and nobody got, is found also where the next
// master has gone on to higher numbers.
func TestLacking(t *testing.T) {
	for _, c := range []struct{ state, position, extra, common string }{
		{"0-2-100,0-3-120", "0-2-101", "0-2-101", "0-2-100"},
		{"0-2-100,0-3-120", "0-2-100", "", "0-2-100"},
		{"0-3-120", "0-2-101", "", "0-2-101"}, // it was copied since, say
		{"", "0-2-101", "", "0-2-101"},
		{"0-2-100,0-3-120,5-2-7", "0-2-101,5-2-7", "0-2-101", "0-2-100,5-2-7"},
		{"0-2-100", "", "", ""},
	} {
		position, err := cluster.ParseGTIDSet(cluster.FlavourMariaDB, c.position)
		if err != nil {
			t.Fatal(err)
		}
		extra, common, err := lacking(c.state, position)
		if err != nil || extra.String() != c.extra || common.String() != c.common {
			t.Errorf("%q, %q: %v, %v, %v, want %q, %q", c.state, c.position, extra, common, err, c.extra, c.common)
		}
	}
}
