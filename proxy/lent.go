package proxy

import (
	"slices"

	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// After SET STATEMENT, MariaDB tells that a variable is what it was, with the
// next OK that tells something else too. A node tells more than its client asked
// for, so that the session holds this back until its client is told something.

// lend notes the variables that a statement has set for itself alone.
func (x *session) lend(s *router.Statement) {
	if s.Flags.Has(router.Multi) {
		return
	}
	for _, name := range s.Lent {
		if !x.tracksVariable([]byte(name)) {
			continue
		}
		if x.things == nil {
			x.things = &things{}
		}
		if x.things.lent == nil {
			x.things.lent, x.things.restored = map[string]bool{}, map[string]string{}
		}
		x.things.lent[name] = true
	}
}

// restores follows a variable that a node tells: it is held back where the
// running statement has not set it.
func (x *session) restores(name, value []byte) {
	t, s := x.things, x.seen.statement
	if t == nil || t.lent == nil {
		return
	}
	n := string(name)
	if t.lent[n] && !slices.Contains(s.Variables, n) && !slices.Contains(s.Lent, n) {
		t.restored[n] = string(value)
	} else {
		delete(t.restored, n)
	}
	delete(t.lent, n)
}

// heldBack reports whether the client is told a variable later.
func (x *session) heldBack(name []byte) bool {
	if x.things == nil {
		return false
	}
	_, held := x.things.restored[string(name)]
	return held
}

// owes reports whether the client has yet to be told something.
func (x *session) owes() bool {
	return x.owed || x.things != nil && len(x.things.lent)+len(x.things.restored) > 0
}

// payOwed adds what the client is owed to what an OK tells it.
func (x *session) payOwed(track []byte) []byte {
	tells := len(track) > 0
	if tells && x.things != nil && len(x.things.restored) > 0 {
		var told []byte
		for name, value := range x.things.restored {
			told = wire.AppendTrackVariable(told, name, value)
		}
		clear(x.things.restored)
		track = append(told, track...)
	}
	if schema := x.tellOwed(tells); schema != nil {
		track = wire.InsertSchema(track, schema)
	}
	return track
}
