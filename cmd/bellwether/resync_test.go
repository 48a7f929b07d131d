package main

import (
	"testing"

	"github.com/bellwether-db/bellwether/admin"
)

// A copy gives back what it has taken, and leaves a node in maintenance that
// somebody wants there, whether he said so before it or meanwhile.
func TestWhoHasANodeInMaintenance(t *testing.T) {
	on, off := true, false
	for name, c := range map[string]struct {
		before, meanwhile *bool
		brokeOff          bool // the copy, and what is said is said before the next one
		stays             bool
	}{
		"nobody":                    {},
		"before it":                 {before: &on, stays: true},
		"meanwhile":                 {meanwhile: &on, stays: true},
		"not any more":              {before: &on, meanwhile: &off},
		"a copy that broke off":     {brokeOff: true},
		"and somebody since":        {brokeOff: true, meanwhile: &on, stays: true},
		"and nobody again":          {brokeOff: true, meanwhile: &off},
		"before it, and it was off": {before: &off},
	} {
		t.Run(name, func(t *testing.T) {
			h, _, r := withConfiguration(t)
			o := operations{h}
			say := func(maintenance *bool) {
				t.Helper()
				if err := r.Change("b", admin.NodeChange{Maintenance: maintenance}); err != nil {
					t.Fatal(err)
				}
			}
			take := func() {
				t.Helper()
				if err := o.takeOut("b"); err != nil || !o.inMaintenance("b") {
					t.Fatalf("in maintenance: %t, %v", o.inMaintenance("b"), err)
				}
			}
			if c.before != nil {
				say(c.before)
			}
			take()
			if c.meanwhile != nil {
				say(c.meanwhile)
			}
			if c.brokeOff {
				take()
			}
			given, err := o.giveBack("b")
			if err != nil || given == c.stays || o.inMaintenance("b") != c.stays {
				t.Errorf("given %t, in maintenance %t, %v; it is to stay: %t", given, o.inMaintenance("b"), err, c.stays)
			}
			if left, err := h.copying.read(); err != nil || len(left) > 0 {
				t.Errorf("%q are being copied, %v", left, err)
			}
		})
	}
}
