package upstream

import (
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
)

const uuidB = "00000000-0000-0000-0000-00000000000b"

func TestJudge(t *testing.T) {
	my := func(text string) *cluster.GTIDSet { return mysqlSet(t, text) }
	ma := func(text string) *cluster.GTIDSet { return set(t, cluster.FlavourMariaDB, text) }
	mysql := func(executed, owned, purged string) facts {
		return facts{
			flavour: cluster.FlavourMySQL, identity: "id", gtidMode: "ON",
			executed: my(executed), owned: my(owned), purged: my(purged),
		}
	}
	maria := func(executed string) facts {
		return facts{flavour: cluster.FlavourMariaDB, identity: "id", executed: ma(executed)}
	}
	with := func(f facts, change func(*facts)) facts { change(&f); return f }
	for _, c := range []struct {
		name    string
		facts   facts
		wanted  wanted
		reason  Reason
		missing string
	}{
		{"the same", mysql(uuidA+":1-9", "", ""), wanted{"id", my(uuidA + ":1-9"), true}, 0, ""},
		{"ahead", mysql(uuidA+":1-9", "", ""), wanted{"id", my(uuidA + ":1-3"), false}, 0, ""},
		{"nothing stored", mysql(uuidA+":1-9", "", ""), wanted{"id", my(""), false}, 0, ""},
		{"any identity", mysql(uuidA+":1-9", "", ""), wanted{"", my(""), false}, 0, ""},
		{"another server", mysql(uuidA+":1-9", "", ""), wanted{"other", my(""), false}, ReasonIdentity, ""},
		{"another server, behind too", mysql("", "", ""), wanted{"other", my(uuidA + ":1"), false}, ReasonIdentity, ""},
		{"another flavour", maria("0-1-9"), wanted{"id", my(""), false}, ReasonIdentity, ""},
		{"identity hidden", with(maria("0-1-9"), func(f *facts) { f.identity = "" }), wanted{"id", ma(""), false}, ReasonIdentity, ""},

		{"no GTIDs", with(mysql("", "", ""), func(f *facts) { f.gtidMode = "OFF_PERMISSIVE" }), wanted{"id", my(""), false}, ReasonSettings, ""},
		{"GTIDs on the way", with(mysql("", "", ""), func(f *facts) { f.gtidMode = "ON_PERMISSIVE" }), wanted{"id", my(""), false}, 0, ""},

		{"behind", mysql(uuidA+":1-7", "", ""), wanted{"id", my(uuidA + ":1-9"), false}, ReasonBehind, uuidA + ":8-9"},
		{"behind in a tag", mysql(uuidA+":1-9", "", ""), wanted{"id", my(uuidA + ":1-9:t:1"), false}, ReasonBehind, uuidA + ":t:1"},
		{"waits for our reply", mysql(uuidA+":1-7", uuidA+":8-10", ""), wanted{"id", my(uuidA + ":1-9"), false}, 0, ""},
		{"gives lost GTIDs to others", mysql(uuidA+":1-7", uuidA+":8-10", ""), wanted{"id", my(uuidA + ":1-9"), true}, ReasonBehind, uuidA + ":8-9"},
		{"MariaDB behind", maria("0-1-7,1-1-3"), wanted{"id", ma("0-1-8,1-1-3"), false}, ReasonBehind, "0-1-8"},
		{"MariaDB ahead", maria("0-2-8,1-1-3"), wanted{"id", ma("0-1-8"), false}, 0, ""},

		{"purged", mysql(uuidA+":1-9", "", uuidA+":1-5"), wanted{"id", my(uuidA + ":1-3"), false}, ReasonPurged, uuidA + ":4-5"},
		{"purged, stored", mysql(uuidA+":1-9", "", uuidA+":1-5"), wanted{"id", my(uuidA + ":1-5"), false}, 0, ""},
		{"purged elsewhere", mysql(uuidA+":1-9,"+uuidB+":1", "", uuidB+":1"), wanted{"id", my(uuidA + ":1-9"), false}, ReasonPurged, uuidB + ":1"},
	} {
		r := c.facts.judge(c.wanted)
		switch {
		case r == nil && c.reason != 0:
			t.Errorf("%s: passed, want %s", c.name, c.reason)
		case r != nil && (r.Reason != c.reason || r.Missing.String() != c.missing):
			t.Errorf("%s: %s, missing %q: %v; want %s, %q", c.name, r.Reason, r.Missing, r, c.reason, c.missing)
		case r != nil && !strings.Contains(r.Error(), c.missing):
			t.Errorf("%s: %q does not say what is missing", c.name, r)
		}
	}
}

func TestOwnedIsReadWithoutItsOwners(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "",
		uuidA + ":7#31":                        uuidA + ":7",
		uuidA + ":7#31:8#32" + uuidB + ":1#9":  uuidA + ":7-8," + uuidB + ":1",
		uuidA + ":7#31,\n" + uuidB + ":1#9":    uuidA + ":7," + uuidB + ":1",
		uuidA + ":t:7#31:8#1" + uuidA + ":2#9": uuidA + ":2:t:7-8",
	} {
		if got, err := parseOwned(text); err != nil || got.String() != want {
			t.Errorf("%q: %s, %v, want %s", text, got, err, want)
		}
	}
	if _, err := parseOwned("nonsense"); err == nil {
		t.Error("nonsense passed")
	}
}

func TestReasonsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for r := ReasonUnknown; r <= ReasonSink; r++ {
		if seen[r.String()] {
			t.Errorf("%d: %q is another's", r, r)
		}
		seen[r.String()] = true
	}
	if Reason(200).String() != "unknown" {
		t.Error("a reason that is none has a name")
	}
}
