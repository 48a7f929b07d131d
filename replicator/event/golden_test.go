package event_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/internal/golden"
	"github.com/bellwether-db/bellwether/replicator/event"
)

// The binary logs in testdata were written by MySQL 9.7 and MariaDB 10.11;
// TestLiveBinaryLogs -update writes them anew.
func TestStoredBinaryLogs(t *testing.T) {
	golden.Run(t, "testdata/*.txt", func(t *testing.T, c golden.Case) [][]string {
		answers := make([][]string, len(c.Steps))
		for i, step := range c.Steps {
			story, _ := tell(t, binlog(t, step.Input))
			answers[i] = strings.Split(strings.TrimSpace(story), "\n")
		}
		return answers
	})
}

func binlog(t testing.TB, name string) []byte {
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// split returns the events of a binary log, whose bytes they borrow.
func split(t testing.TB, raw []byte) (out []event.Event) {
	for rest := raw[4:]; len(rest) > 0; rest = rest[len(out[len(out)-1]):] {
		e, err := event.Next(rest)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}
