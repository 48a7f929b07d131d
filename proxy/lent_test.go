package proxy

import (
	"bytes"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/wire"
)

// TestRestoredVariables: that a variable is what it was before SET STATEMENT is
// told with what tells the client something else.
func TestRestoredVariables(t *testing.T) {
	variable := func(name, value string) []byte { return wire.AppendTrackVariable(nil, name, value) }
	lent, back := variable("time_zone", "+01:00"), variable("time_zone", "SYSTEM")
	commit := variable("autocommit", "ON")
	var x session
	x.dialect.Flavour = cluster.FlavourMariaDB
	for i, step := range []struct {
		sql         string
		node, wants []byte
	}{
		{"SET STATEMENT time_zone = '+01:00', sort_buffer_size = 5 FOR SELECT 1", lent, lent},
		{"SET sql_big_selects = 1", append(variable("sql_big_selects", "ON"), back...), nil},
		{"SELECT 1", nil, nil},
		{"SET autocommit = 1", commit, append(bytes.Clone(back), commit...)},
		{"SET autocommit = 1", commit, commit},
		{"SET STATEMENT time_zone = '+01:00' FOR SELECT 1", lent, lent},
		{"SET autocommit = 1, time_zone = 'SYSTEM'", append(bytes.Clone(commit), back...), append(bytes.Clone(commit), back...)},
	} {
		x.seen = seen{statement: classed(cluster.FlavourMariaDB, step.sql)}
		var told wire.TrackEntry
		for r := wire.NewTrackReader(step.node); r.Next(&told); {
			if name, value, err := told.Variable(); err == nil {
				x.restores(name, value)
			}
		}
		got, err := wire.FilterTrack(nil, step.node, x.keepEntry)
		if got = x.payOwed(got); err != nil || !bytes.Equal(got, step.wants) {
			t.Errorf("%d: %s: the client is told %q, %v, want %q", i, step.sql, got, err, step.wants)
		}
		x.lend(x.seen.statement)
	}
	if x.owes() {
		t.Error("the client is owed something still")
	}
}
