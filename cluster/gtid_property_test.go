package cluster

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// twin is a GTID set as dumb as can be: every single GTID in a map.
type twin map[string]bool

func (a twin) contains(b twin) bool {
	for gtid := range b {
		if !a[gtid] {
			return false
		}
	}
	return true
}

func (a twin) union(b twin) twin {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

func (a twin) subtract(b twin) twin {
	out := maps.Clone(a)
	for gtid := range b {
		delete(out, gtid)
	}
	return out
}

// text writes the twin one GTID at a time, in any order.
func (a twin) text() string { return strings.Join(slices.Collect(maps.Keys(a)), ",") }

// drawMySQL draws a set of a few sources, tags and small numbers, so that
// intervals touch, overlap and nest often.
func drawMySQL(t *rapid.T, name string) twin {
	sources := []string{uuidA, uuidB, uuidA + ":x", uuidA + ":y"}
	out := twin{}
	for range rapid.IntRange(0, 6).Draw(t, name) {
		source := rapid.SampledFrom(sources).Draw(t, "source")
		first := rapid.IntRange(1, 20).Draw(t, "first")
		for n := first; n < first+rapid.IntRange(1, 6).Draw(t, "length"); n++ {
			out[fmt.Sprintf("%s:%d", source, n)] = true
		}
	}
	return out
}

// drawMariaDB draws a position; the twin holds every sequence before it too.
func drawMariaDB(t *rapid.T, name string) twin {
	out := twin{}
	for domain := range rapid.IntRange(0, 3).Draw(t, name) {
		for n := 1; n <= rapid.IntRange(0, 9).Draw(t, "sequence"); n++ {
			out[fmt.Sprintf("%d-1-%d", domain, n)] = true
		}
	}
	return out
}

func TestGTIDSetAgainstTwin(t *testing.T) {
	draws := map[Flavour]func(*rapid.T, string) twin{FlavourMySQL: drawMySQL, FlavourMariaDB: drawMariaDB}
	for flavour, draw := range draws {
		t.Run(flavour.String(), rapid.MakeCheck(func(t *rapid.T) {
			ta, tb := draw(t, "a"), draw(t, "b")
			a, b := mustDraw(t, flavour, ta), mustDraw(t, flavour, tb)
			if a.ContainsSet(b) != ta.contains(tb) {
				t.Fatalf("%q contains %q: %v", a, b, a.ContainsSet(b))
			}
			if got, want := a.Union(b), mustDraw(t, flavour, ta.union(tb)); got.String() != want.String() {
				t.Fatalf("union %q, want %q", got, want)
			}
			if got, want := a.Intersect(b), mustDraw(t, flavour, ta.subtract(ta.subtract(tb))); got.String() != want.String() {
				t.Fatalf("intersection %q, want %q", got, want)
			}
			if a.Count() != uint64(len(ta)) || a.Lacks(b) != uint64(len(tb.subtract(ta))) {
				t.Fatalf("%q: count %d, lacks %d of %q", a, a.Count(), a.Lacks(b), b)
			}
			if flavour == FlavourMySQL {
				if got, want := a.Subtract(b), mustDraw(t, flavour, ta.subtract(tb)); got.String() != want.String() {
					t.Fatalf("difference %q, want %q", got, want)
				}
			}
			if again := mustDraw(t, flavour, ta); !again.Equal(a) || again.String() != a.String() {
				t.Fatalf("an operation changed its operand: %q, %q", a, again)
			}
		}))
	}
}

func mustDraw(t *rapid.T, flavour Flavour, from twin) *GTIDSet {
	set, err := ParseGTIDSet(flavour, from.text())
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func FuzzParseGTIDSet(f *testing.F) {
	for _, seed := range []string{"", uuidA + ":1-3:5:tag:1-2,\n" + uuidB + ":7", "0-1-5,1-2-9", uuidA + ":9223372036854775806"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, flavour := range []Flavour{FlavourMySQL, FlavourMariaDB} {
			set, err := ParseGTIDSet(flavour, text)
			if err != nil {
				continue
			}
			again, err := ParseGTIDSet(flavour, set.String())
			if err != nil || !again.Equal(set) || again.String() != set.String() {
				t.Fatalf("%q became %q, then %q, %v", text, set, again, err)
			}
			if !set.Subtract(set).IsEmpty() || set.Lacks(again) != 0 || !set.Union(again).Equal(set) {
				t.Fatalf("%q: no algebra", text)
			}
		}
	})
}
