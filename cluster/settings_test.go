package cluster

import "testing"

func TestSaysDiskFull(t *testing.T) {
	for _, test := range []struct {
		code, text string
		want       bool
	}{
		{"0", "", false},
		{"1146", "Table 'a.b' doesn't exist", false},
		{"1021", "Disk full (/tmp/x); waiting for someone to free some space...", true},
		{"1114", "The table 't' is full", true},
		{"1026", "Error writing file '/data/binlog' (OS errno 28 - No space left on device)", true},
		{"1026", "Error writing file '/data/binlog' (OS errno 5 - Input/output error)", false},
		{"1030", "Got error 28 \"No space left on device\" from storage engine InnoDB", true},
		{"3", "Error writing file './x' (Errcode: 28)", true},
	} {
		if got := saysDiskFull(test.code, test.text); got != test.want {
			t.Errorf("%s %q: %v", test.code, test.text, got)
		}
	}
	if !waitsForDisk("Waiting for disk space") || waitsForDisk("Waiting for global read lock") {
		t.Error("states")
	}
}
