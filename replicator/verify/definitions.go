package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/bellwether-db/bellwether/replicator/fullcopy/schema"
)

// definitionRounds is how often a difference must be seen, a moment apart.
const definitionRounds = 3

// sighting is how a definition differed.
type sighting struct{ master, slave string }

// definitions compares all that is defined, and returns the tables with rows
// that both have.
func (v *Verification) definitions(ctx context.Context) ([]*schema.Table, error) {
	var differ map[string]sighting
	var tables []*schema.Table
	for round := range definitionRounds {
		master, slave, err := v.readBoth(ctx)
		if err != nil {
			return nil, err
		}
		tables = alike(master, slave)
		seen := differing(master, slave)
		if len(seen) > 0 {
			if seen, err = v.unchanged(ctx, seen); err != nil {
				return nil, err
			}
		}
		if differ = both(differ, seen, round == 0); len(differ) == 0 {
			return tables, nil
		}
		if err := pause(ctx, time.Duration(round+1)*100*time.Millisecond); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(differ)) {
		v.found(definitionDifference(name, differ[name]))
	}
	return tables, nil
}

func definitionDifference(name string, s sighting) Difference {
	switch "" {
	case s.slave:
		return Difference{Kind: KindMissing, What: name}
	case s.master:
		return Difference{Kind: KindExtra, What: name}
	}
	return Difference{Kind: KindDifferent, What: name, Detail: "the definitions are not the same"}
}

// readBoth reads the master, and the slave once it has got that far.
func (v *Verification) readBoth(ctx context.Context) (master, slave *schema.Catalogue, err error) {
	if master, err = read(ctx, v.master); err != nil {
		return nil, nil, err
	}
	if err := v.catchUp(ctx, v.config.Patience); err != nil {
		return nil, nil, err
	}
	slave, err = read(ctx, v.slave)
	return master, slave, err
}

// read reads a catalogue, again where something was dropped in between.
func read(ctx context.Context, c *schema.Conn) (*schema.Catalogue, error) {
	for n := 1; ; n++ {
		k, err := schema.Read(ctx, c)
		if err == nil || n == settleRounds || !schema.Is(err, dropped...) {
			return k, err
		}
		if err := pause(ctx, time.Duration(n)*50*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// dropped are the errors about something that was there a moment ago.
var dropped = []uint16{1049, 1146, 1305, 1356, 1360, 1539}

func comparable(k *schema.Catalogue) map[string]string {
	out := map[string]string{}
	for _, d := range k.All() {
		out[d.String()] = d.Comparable()
	}
	return out
}

func differing(master, slave *schema.Catalogue) map[string]sighting {
	m, s := comparable(master), comparable(slave)
	out := map[string]sighting{}
	for _, names := range []map[string]string{m, s} {
		for name := range names {
			if m[name] != s[name] {
				out[name] = sighting{m[name], s[name]}
			}
		}
	}
	return out
}

// unchanged drops what is no longer on the master as it was seen there: the
// slave may have been read behind that change.
func (v *Verification) unchanged(ctx context.Context, seen map[string]sighting) (map[string]sighting, error) {
	k, err := read(ctx, v.master)
	if err != nil {
		return nil, fmt.Errorf("read the master again: %w", err)
	}
	now := comparable(k)
	maps.DeleteFunc(seen, func(name string, s sighting) bool { return now[name] != s.master })
	return seen, nil
}

// both is what was seen in the same way in all rounds.
func both(before, now map[string]sighting, first bool) map[string]sighting {
	if first {
		return now
	}
	maps.DeleteFunc(now, func(name string, s sighting) bool { return before[name] != s })
	return now
}

// alike are the tables with rows that both have with the same columns.
func alike(master, slave *schema.Catalogue) (out []*schema.Table) {
	there := map[string]*schema.Table{}
	for _, t := range slave.Tables {
		there[t.String()] = t
	}
	for _, t := range master.Tables {
		if s := there[t.String()]; s != nil && t.HasData() && slices.Equal(s.Columns, t.Columns) && slices.Equal(s.Key, t.Key) {
			out = append(out, t)
		}
	}
	return out
}
