package verify

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDiff(t *testing.T) {
	got := diff("table s.t", map[string]string{"a": "1", "b": "2", "c": "3"}, map[string]string{"b": "2", "c": "4", "d": "5"})
	want := []Difference{
		{Kind: KindMissing, What: "table s.t", Row: "a"}, {Kind: KindDifferent, What: "table s.t", Row: "c"}, {Kind: KindExtra, What: "table s.t", Row: "d"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// A definition counts only if it was seen to differ in the same way each time.
func TestBoth(t *testing.T) {
	before := map[string]sighting{"view a": {"1", "2"}, "view b": {"1", ""}, "view c": {"1", "2"}}
	now := map[string]sighting{"view a": {"1", "2"}, "view b": {"3", ""}, "view d": {"", "2"}}
	if d := cmp.Diff(map[string]sighting{"view a": {"1", "2"}}, both(before, now, false), cmp.AllowUnexported(sighting{})); d != "" {
		t.Error(d)
	}
	for _, c := range []struct {
		s    sighting
		kind Kind
	}{{sighting{"x", ""}, KindMissing}, {sighting{"", "x"}, KindExtra}, {sighting{"x", "y"}, KindDifferent}} {
		if got := definitionDifference("view v", c.s).Kind; got != c.kind {
			t.Errorf("%v: %v", c.s, got)
		}
	}
}

func TestAdapt(t *testing.T) {
	v := New(Config{})
	for range 20 {
		v.adapt(1)
	}
	if v.rows != mostRows {
		t.Errorf("chunks that take no time: %d rows", v.rows)
	}
	for range 20 {
		v.adapt(v.config.ChunkTime * 100)
	}
	if v.rows != fewestRows {
		t.Errorf("chunks that take long: %d rows", v.rows)
	}
}
