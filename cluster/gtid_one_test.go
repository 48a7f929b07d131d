package cluster

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseGTID(t *testing.T) {
	for text, flavour := range map[string]Flavour{
		uuidA + ":5": FlavourMySQL, uuidA + ":tag:5": FlavourMySQL, "3-2-9": FlavourMariaDB,
	} {
		g, err := ParseGTID(flavour, text)
		if err != nil || g.String() != text || g.IsZero() || g.Flavour != flavour {
			t.Errorf("%q: %v, %v", text, g, err)
		}
	}
	for text, flavour := range map[string]Flavour{
		"": FlavourMySQL, uuidA + ":1-2": FlavourMySQL, uuidA + ":1,": FlavourMySQL, "0-1-2,1-1-2": FlavourMariaDB, "0-1-0": FlavourMariaDB,
	} {
		if g, err := ParseGTID(flavour, text); !errors.Is(err, ErrGTIDSyntax) || !g.IsZero() {
			t.Errorf("%q: %v, %v", text, g, err)
		}
	}
	if none := (GTID{}); none.String() != "" || !none.IsZero() {
		t.Error("the zero GTID is one")
	}
}

// gtidsOf lists a twin's GTIDs in the order of a map: none.
func gtidsOf(t *rapid.T, flavour Flavour, from twin) (out []GTID) {
	for text := range from {
		g, err := ParseGTID(flavour, text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, g)
	}
	return out
}

func TestGTIDSetWithAgainstTwin(t *testing.T) {
	draws := map[Flavour]func(*rapid.T, string) twin{FlavourMySQL: drawMySQL, FlavourMariaDB: drawMariaDB}
	for flavour, draw := range draws {
		t.Run(flavour.String(), rapid.MakeCheck(func(t *rapid.T) {
			have, more := draw(t, "have"), draw(t, "more")
			set, before := mustDraw(t, flavour, have), mustDraw(t, flavour, have)
			for _, g := range gtidsOf(t, flavour, more) {
				if set.Contains(g) != set.ContainsSet(mustDraw(t, flavour, twin{g.String(): true})) {
					t.Fatalf("%s contains %s: %v", set, g, set.Contains(g))
				}
				next := set.With(g)
				if !next.Contains(g) || !next.ContainsSet(set) {
					t.Fatalf("%s with %s is %s", set, g, next)
				}
				set = next
			}
			if want := mustDraw(t, flavour, have.union(more)); set.String() != want.String() {
				t.Fatalf("%s with %v is %s, want %s", before, more, set, want)
			}
			if again := mustDraw(t, flavour, have); before.String() != again.String() {
				t.Fatalf("With changed its operand: %s", before)
			}
		}))
	}
}

func TestGTIDSetWithUnknown(t *testing.T) {
	var unknown *GTIDSet
	g := MariaDBGTID(0, 1, 5)
	if unknown.With(g) != nil || EmptyGTIDSet(FlavourMySQL).With(g) != nil || EmptyGTIDSet(FlavourUnknown) != nil {
		t.Error("what is unknown became known")
	}
	if unknown.Contains(g) || EmptyGTIDSet(FlavourMySQL).Contains(g) || EmptyGTIDSet(FlavourMariaDB).Contains(GTID{}) {
		t.Error("a GTID is in a set that does not hold it")
	}
}

func TestGTIDSetDomains(t *testing.T) {
	set := mustGTID(t, FlavourMariaDB, "2-1-9,0-3-5")
	if got := fmt.Sprint(set.Domains()); got != "[0-3-5 2-1-9]" {
		t.Error(got)
	}
	if mustGTID(t, FlavourMySQL, uuidA+":1").Domains() != nil {
		t.Error("a MySQL set has domains")
	}
}

// A set that grows at its end, as a server's own does, costs two allocations a
// transaction however many sources there are.
func TestGTIDSetWithAllocates(t *testing.T) {
	set := mustGTID(t, FlavourMySQL, uuidA+":1-100,"+uuidB+":1-5:9-12")
	n := uint64(13)
	allocs := testing.AllocsPerRun(100, func() {
		set = set.With(MySQLGTID([16]byte{0x4e, 0x11, 0xfa, 0x47, 0x71, 0xca, 0x11, 0xe1, 0x9e, 0x33, 0xc8, 0x0a, 0xa9, 0x42, 0x95, 0x62}, "", n))
		n++
	})
	if allocs > 3 || !strings.HasSuffix(set.String(), fmt.Sprintf(":1-5:9-%d", n-1)) {
		t.Errorf("%v allocations, %s", allocs, set)
	}
}

// Nodes apply in one order, MariaDB in one for each domain.
func TestFollows(t *testing.T) {
	for _, c := range []struct {
		flavour    Flavour
		set, other string
		want       bool
	}{
		{FlavourMySQL, uuidA + ":7", uuidB + ":1-9", true},
		{FlavourMariaDB, "0-1-7", "", true},
		{FlavourMariaDB, "0-1-7", "0-2-6", true},
		{FlavourMariaDB, "0-1-7", "0-2-6,5-1-1", false},
		{FlavourMariaDB, "0-1-7,5-1-2", "5-1-1", true},
		{FlavourMariaDB, "5-1-2", "0-1-1", false},
	} {
		if got := mustGTID(t, c.flavour, c.set).Follows(mustGTID(t, c.flavour, c.other)); got != c.want {
			t.Errorf("%s follows %s: %t", c.set, c.other, got)
		}
	}
	var nothing *GTIDSet
	if !mustGTID(t, FlavourMariaDB, "0-1-7").Follows(nil) || nothing.Follows(mustGTID(t, FlavourMySQL, uuidA+":1")) || !nothing.Follows(nil) {
		t.Error("nothing is followed by all, and follows nothing else")
	}
}
