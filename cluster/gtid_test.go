package cluster

import (
	"errors"
	"testing"
)

const (
	uuidA = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
	uuidB = "4e11fa47-71ca-11e1-9e33-c80aa9429562"
)

func mustGTID(t testing.TB, flavour Flavour, text string) *GTIDSet {
	t.Helper()
	set, err := ParseGTIDSet(flavour, text)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestParseGTIDSet(t *testing.T) {
	tests := []struct {
		flavour    Flavour
		text, want string
		count      uint64
	}{
		{FlavourMySQL, "", "", 0},
		{FlavourMySQL, " \n", "", 0},
		{FlavourMySQL, uuidA + ":1", uuidA + ":1", 1},
		{FlavourMySQL, "3E11FA47-71CA-11E1-9E33-C80AA9429562:1-3:5", uuidA + ":1-3:5", 4},
		{FlavourMySQL, uuidA + ":5:1-3:4", uuidA + ":1-5", 5},
		{FlavourMySQL, uuidB + ":7,\n" + uuidA + ": 1 - 3", uuidA + ":1-3," + uuidB + ":7", 4},
		{FlavourMySQL, uuidA + ":2-4," + uuidA + ":1-2", uuidA + ":1-4", 4},
		{FlavourMySQL, uuidA + ":tag:1-2", uuidA + ":tag:1-2", 2},
		{FlavourMySQL, uuidA + ":1-3:5:Tag_b:1-2:9:a:4", uuidA + ":1-3:5:a:4:tag_b:1-2:9", 8},
		{FlavourMySQL, uuidA + ":tag:1," + uuidA + ":1", uuidA + ":1:tag:1", 2},
		{FlavourMySQL, uuidA + ":1-9223372036854775806", uuidA + ":1-9223372036854775806", gtidMax},
		{FlavourMariaDB, "", "", 0},
		{FlavourMariaDB, "0-1-5", "0-1-5", 5},
		{FlavourMariaDB, "1-2-9, 0-1-5", "0-1-5,1-2-9", 14},
		{FlavourMariaDB, "0-1-5,0-2-9,0-3-7", "0-2-9", 9},
		{FlavourMariaDB, "0-1-0,2-1-18446744073709551615", "2-1-18446744073709551615", 1<<64 - 1},
	}
	for _, test := range tests {
		set := mustGTID(t, test.flavour, test.text)
		if set.String() != test.want || set.Count() != test.count {
			t.Errorf("%q = %q with %d, want %q with %d", test.text, set, set.Count(), test.want, test.count)
		}
		if set.IsEmpty() != (test.want == "") || set.Flavour() != test.flavour {
			t.Errorf("%q: empty %v, flavour %v", test.text, set.IsEmpty(), set.Flavour())
		}
	}
}

func TestParseGTIDSetRefuses(t *testing.T) {
	mysql := []string{
		"x", uuidA, uuidA + ":", uuidA + ":0", uuidA + ":3-1", uuidA + ":1-", uuidA + ":-1", uuidA + ":+1", uuidA + ":1-2-3",
		uuidA + ":9223372036854775807", uuidA + ":99999999999999999999", uuidA + ":tag", uuidA + ":1:tag", uuidA + ":a:b:1",
		uuidA + ":1,", "," + uuidA + ":1", uuidA + ":t-g:1", uuidA + ":abcdefghijklmnopqrstuvwxyzabcdefg:1", "0-1-5",
		"3e11fa4771ca11e19e33c80aa9429562:1", "3e11fa47-71ca-11e1-9e33-c80aa942956g:1",
	}
	for _, text := range mysql {
		if set, err := ParseGTIDSet(FlavourMySQL, text); !errors.Is(err, ErrGTIDSyntax) {
			t.Errorf("MySQL %q = %q, %v", text, set, err)
		}
	}
	mariadb := []string{"x", "0", "0-1", "0-1-", "0-1-2-3", "0-1--2", "0-1-5,", "4294967296-1-1", "0-1-+5", uuidA + ":1"}
	for _, text := range mariadb {
		if set, err := ParseGTIDSet(FlavourMariaDB, text); !errors.Is(err, ErrGTIDSyntax) {
			t.Errorf("MariaDB %q = %q, %v", text, set, err)
		}
	}
	if _, err := ParseGTIDSet(FlavourUnknown, ""); !errors.Is(err, ErrGTIDSyntax) {
		t.Errorf("unknown flavour: %v", err)
	}
}

func TestGTIDSetAlgebra(t *testing.T) {
	tests := []struct {
		flavour           Flavour
		a, b              string
		contains          bool
		union, difference string
		lacks             uint64
	}{
		{FlavourMySQL, uuidA + ":1-5", uuidA + ":2-3", true, uuidA + ":1-5", uuidA + ":1:4-5", 0},
		{FlavourMySQL, uuidA + ":1-5", uuidA + ":5-6", false, uuidA + ":1-6", uuidA + ":1-4", 1},
		{FlavourMySQL, uuidA + ":1-5", "", true, uuidA + ":1-5", uuidA + ":1-5", 0},
		{FlavourMySQL, uuidA + ":1-5", uuidB + ":1", false, uuidA + ":1-5," + uuidB + ":1", uuidA + ":1-5", 1},
		{FlavourMySQL, uuidA + ":1-5", uuidA + ":t:1-2", false, uuidA + ":1-5:t:1-2", uuidA + ":1-5", 2},
		{FlavourMySQL, uuidA + ":1-3:7-9", uuidA + ":3:7", true, uuidA + ":1-3:7-9", uuidA + ":1-2:8-9", 0},
		{FlavourMySQL, uuidA + ":1-3:7-9", uuidA + ":3-7", false, uuidA + ":1-9", uuidA + ":1-2:8-9", 3},
		{FlavourMariaDB, "0-1-5,1-1-3", "0-2-5", true, "0-2-5,1-1-3", "1-1-3", 0},
		{FlavourMariaDB, "0-1-5", "0-1-9,1-1-2", false, "0-1-9,1-1-2", "", 6},
		{FlavourMariaDB, "0-1-9", "0-2-5", true, "0-1-9", "0-1-9", 0},
	}
	for _, test := range tests {
		a, b := mustGTID(t, test.flavour, test.a), mustGTID(t, test.flavour, test.b)
		if got := a.ContainsSet(b); got != test.contains {
			t.Errorf("%q contains %q: %v", a, b, got)
		}
		if got := a.Union(b).String(); got != test.union {
			t.Errorf("%q with %q: %q, want %q", a, b, got, test.union)
		}
		if got := a.Subtract(b).String(); got != test.difference {
			t.Errorf("%q less %q: %q, want %q", a, b, got, test.difference)
		}
		if got := a.Lacks(b); got != test.lacks {
			t.Errorf("%q lacks %d of %q, want %d", a, got, b, test.lacks)
		}
	}
}

func TestGTIDSetUnknown(t *testing.T) {
	var unknown *GTIDSet
	set, other := mustGTID(t, FlavourMySQL, uuidA+":1"), mustGTID(t, FlavourMariaDB, "0-1-5")
	if unknown.ContainsSet(set) || set.ContainsSet(unknown) || unknown.ContainsSet(unknown) || unknown.IsEmpty() {
		t.Error("an unknown set contains or is contained")
	}
	if set.ContainsSet(other) || other.ContainsSet(set) || set.Union(other) != nil || set.Subtract(other) != nil {
		t.Error("two flavours mix")
	}
	if unknown.Union(set) != set || set.Union(nil) != set || set.Subtract(nil) != set || unknown.Subtract(set) != nil {
		t.Error("an unknown set adds or takes something away")
	}
	if unknown.String() != "" || unknown.Count() != 0 || unknown.Lacks(set) != 1 || set.Lacks(unknown) != 0 {
		t.Error("an unknown set counts")
	}
}

func TestContainsSetDoesNotAllocate(t *testing.T) {
	for _, test := range []struct {
		flavour Flavour
		a, b    string
	}{
		{FlavourMySQL, uuidA + ":1-3:7-9:tag:4," + uuidB + ":1-1000", uuidA + ":8:tag:4," + uuidB + ":77"},
		{FlavourMariaDB, "0-1-5,1-1-3", "0-2-5,1-9-1"},
	} {
		a, b := mustGTID(t, test.flavour, test.a), mustGTID(t, test.flavour, test.b)
		if n := testing.AllocsPerRun(100, func() {
			if !a.ContainsSet(b) {
				t.Fatal("not contained")
			}
		}); n != 0 {
			t.Errorf("%v: %v allocations", test.flavour, n)
		}
	}
}
