package proxy

import (
	"errors"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
)

// TestWrongOption: a wrong COM_SET_OPTION gets the server's error also where the
// list of warnings that it adds to cannot be had, which then is lost.
func TestWrongOption(t *testing.T) {
	x := session{prev: previous{listLost: true}}
	r := &request{statement: afterLast}
	if from, err := x.source(r, &cluster.Topology{}); err != nil || from.kind != sourceNone || !r.apart {
		t.Errorf("a wrong option: %+v, %v, apart %t", from, err, r.apart)
	}
	r = &request{statement: classed(cluster.FlavourMariaDB, "SHOW WARNINGS")}
	if _, err := x.source(r, &cluster.Topology{}); !errors.Is(err, errLost) || r.apart {
		t.Errorf("a question about the list: %v, apart %t", err, r.apart)
	}
}
