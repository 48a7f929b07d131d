package replicator

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// What docs/replication.md says of pauses is what is done.
func TestDocsOfRefusals(t *testing.T) {
	text, err := os.ReadFile("../docs/replication.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		fmt.Sprintf("tries every %.0f s,", refusalPause.Seconds()), fmt.Sprintf("the disk is tried every %v s,", diskPause.Seconds()),
		fmt.Sprintf("to store them | every %v, for ever |", orderPause), fmt.Sprintf("looks every %v, too, whether commits still wait", vigil), fmt.Sprintf("be master one day | every %v, for ever |", readyInterval),
		fmt.Sprintf("cannot be deleted | every %v, for ever |", retainInterval), fmt.Sprintf("cannot be read | every %v, for ever |", eventsInterval),
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("docs/replication.md does not say %q", want)
		}
	}
}
