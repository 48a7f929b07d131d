package upstream

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	_ "github.com/bellwether-db/bellwether/internal/golden" // the flag -update
	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/wire"
)

// documented is one row of the table of docs/replication.md: a failure in words,
// and errors that it comes with, from which the rest of the row follows.
type documented struct {
	failure string
	errors  []error
	you     string // "" for the refusal's hint
}

func documentedFailures() []documented {
	mysql := func(change func(*facts)) error {
		f := facts{
			flavour: cluster.FlavourMySQL, identity: "its own", gtidMode: "ON",
			executed: cluster.EmptyGTIDSet(cluster.FlavourMySQL), owned: cluster.EmptyGTIDSet(cluster.FlavourMySQL),
		}
		change(&f)
		return f.judge(wanted{identity: "its own", stored: cluster.EmptyGTIDSet(cluster.FlavourMySQL)})
	}
	some, err := cluster.ParseGTIDSet(cluster.FlavourMySQL, uuidA+":1-5")
	if err != nil {
		panic(err)
	}
	lacking := facts{flavour: cluster.FlavourMySQL, gtidMode: "ON", executed: cluster.EmptyGTIDSet(cluster.FlavourMySQL)}
	return []documented{
		{"connection refused, lost, reset or timed out; nothing for three heartbeats, and after that for twice as long each time, up to a minute",
			[]error{syscall.ECONNREFUSED, io.EOF, syscall.ECONNRESET, os.ErrDeadlineExceeded, errSilent}, "Bring the master back."},
		{"the master ends the stream, as when it shuts down", []error{errEnded}, "Nothing if it was short."},
		{"a login, or a question to the server, that is refused", []error{&wire.ServerError{Code: 1045}, &wire.ServerError{Code: 1227}, errNotAnswered},
			"Compare the operator account; `bellwether check` names what it lacks."},
		{"lost inside a transaction: that is cut off and fetched again, no slave has seen it", []error{io.ErrUnexpectedEOF}, ""},
		{"an event damaged on the way, a stream that breaks the grammar, a transaction sent twice, an event of more than 1 GB, error 1236 (MariaDB: also when it has deleted what is not stored yet)",
			[]error{errChecksum, event.ErrStream, event.ErrMalformed, errRepeated, wire.ErrPacketTooLarge, &wire.ServerError{Code: codeDumpFailed}},
			"Look at the master's binary log and error log. Where it has deleted what is not stored: begin a new stored log at a full copy."},
		{"another server at the address, or one of another family", []error{mysql(func(f *facts) { f.identity = "another" }), mysql(func(f *facts) { f.flavour = cluster.FlavourMariaDB })},
			"It is no master of this cluster."},
		{"the master lacks what is stored: it lost its tail in a crash, or its binary log was reset, also while it is read", []error{lacking.judge(wanted{stored: some})}, ""},
		{"the master has deleted what is not stored yet (MySQL)", []error{mysql(func(f *facts) { f.purged = some })}, ""},
		{"`gtid_mode` is not ON", []error{mysql(func(f *facts) { f.gtidMode = "OFF" })}, "Set it (`bellwether check` has the SQL)."},
		{"the stored log cannot be written: disk full or failing; it is recovered before it is tried again", []error{sinkRefusal("sync", errors.New("disk full"))},
			"Make room, or replace the disk. Nothing is acknowledged until then."},
	}
}

// retried says what becomes of an error, as Client.Run decides it.
func retried(err error) string {
	if refused := (*Refusal)(nil); errors.As(err, &refused) {
		if refused.Reason == ReasonBehind {
			return "refusal `behind`, with the GTIDs; kept on disk, never tried again"
		}
		text := fmt.Sprintf("refusal `%s`", refused.Reason)
		if refused.Reason == ReasonSink {
			return text + "; the disk is tried every 0.5 s, and once it takes a megabyte the master is read on"
		}
		if refused.Missing != nil {
			text += ", with the GTIDs"
		}
		return text + "; tried again every 5 s"
	}
	var b backoff
	for n := 1; n <= 1000; n++ {
		if !b.failed(err) {
			return fmt.Sprintf("as above, %d times in a row; then %s", n, retried(hopeless(err)))
		}
	}
	b = backoff{attempts: 1}
	first := b.ceiling()
	b.attempts = 1000
	return fmt.Sprintf("again after up to %v, doubling up to %v, with full jitter, for ever", first, b.ceiling())
}

// TestDocs holds the table of docs/replication.md against the code; go test
// -update writes it.
func TestDocs(t *testing.T) {
	const path = "../../docs/replication.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- upstream -->\n", "<!-- end of upstream -->"
	head, rest, ok := strings.Cut(string(text), begin)
	have, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place for the table of upstream", path)
	}
	table := "| failure | how often, how long | you |\n|---|---|---|\n"
	for _, d := range documentedFailures() {
		table += d.row(t)
	}
	if have == table {
		return
	}
	if flag.Lookup("update").Value.String() != "true" {
		t.Fatalf("%s: the table of upstream is not that of the code; go test -update writes it", path)
	}
	if err := os.WriteFile(path, []byte(head+begin+table+end+tail), 0o644); err != nil {
		t.Fatal(err)
	}
}

// row is the row in the table. All errors of it must end alike.
func (d documented) row(t *testing.T) string {
	how, you := retried(d.errors[0]), d.you
	for _, err := range d.errors {
		if other := retried(err); other != how {
			t.Errorf("%s: %v is treated as %q, and %v as %q", d.failure, d.errors[0], how, err, other)
		}
	}
	if refused := (*Refusal)(nil); you == "" && errors.As(d.errors[0], &refused) {
		you = strings.ToUpper(refused.Hint[:1]) + refused.Hint[1:] + "."
	}
	return fmt.Sprintf("| %s | %s | %s |\n", d.failure, how, you)
}
