package replicator

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// What docs/replication.md says of the pause after a refusal is what is done.
func TestDocsOfRefusals(t *testing.T) {
	text, err := os.ReadFile("../docs/replication.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("tries every %.0f s,", refusalPause.Seconds()); !strings.Contains(string(text), want) {
		t.Errorf("docs/replication.md does not say %q", want)
	}
}
