package control

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/replicator/dialect"
)

// TestDocs holds the tables of docs/replication.md against those of the code;
// go test -update writes them.
func TestDocs(t *testing.T) {
	const path = "../../docs/replication.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	for name, table := range map[string]string{"requirements": requirementTable(), "failures": failureTable()} {
		begin, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->"
		head, rest, ok := strings.Cut(page, begin)
		have, tail, closed := strings.Cut(rest, end)
		if !ok || !closed {
			t.Fatalf("%s has no place for the table of %s", path, name)
		}
		if have != table && flag.Lookup("update").Value.String() != "true" {
			t.Errorf("%s: the table of %s is not that of the code; go test -update writes it", path, name)
		}
		page = head + begin + table + end + tail
	}
	if page == string(text) || flag.Lookup("update").Value.String() != "true" {
		return
	}
	if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
}

func requirementTable() string {
	var b strings.Builder
	b.WriteString("| what | right | how it is set | without it |\n|---|---|---|---|\n")
	for _, r := range requirements {
		right := "`" + r.right[0] + "`"
		switch {
		case r.right[0] == "ACTIVE":
			right = "installed"
		case r.right[0] == "THERE":
			right = "there"
		case r.right[0] == forever:
			right = "the longest"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", namesOf(&r), right, waysOf[r.remedy], r.breaks)
	}
	return b.String()
}

// namesOf are the newest name of each family, once if they are one.
func namesOf(r *requirement) string {
	if r.name != "" {
		return r.name
	}
	var names []string
	for _, version := range []string{"9.7.4", "10.11.19-MariaDB"} {
		d, err := dialect.For(version)
		if err != nil {
			panic(err)
		}
		if name := d.Say(r.term); name != "" && (len(names) == 0 || names[0] != name) {
			names = append(names, name)
		}
	}
	return "`" + strings.Join(names, "`, `") + "`"
}

var waysOf = map[remedy]string{
	remedySet: "set", remedySetPaused: "set; on a slave of MySQL its applier is stopped for that", remedyInstall: "installed",
	remedyAtStart: "`SET PERSIST_ONLY`; told on MariaDB", remedyGrant: "made on an open master", remedyByHand: "told only", remedyNone: "told only",
}

func failureTable() string {
	var b strings.Builder
	b.WriteString("| failure | thread | errors | Bellwether | you |\n|---|---|---|---|---|\n")
	for _, f := range failures {
		fmt.Fprintf(&b, "| %s | %v | %s | %s | %s |\n", f.Name, f.Side, errorsOf(&f), actsOn(&f), f.Hint)
	}
	return b.String()
}

// errorsOf names a few numbers; the code has all.
func errorsOf(f *Failure) string {
	const few = 8
	if f.Numbers == nil {
		return "any other"
	}
	if f.Numbers[0] == 0 {
		return "none"
	}
	text := strings.Trim(strings.ReplaceAll(fmt.Sprint(f.Numbers[:min(few, len(f.Numbers))]), " ", ", "), "[]")
	if more := len(f.Numbers) - few; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	if len(f.Texts) > 0 {
		text += ` with "` + strings.Join(f.Texts, `", "`) + `"`
	}
	return text
}

func actsOn(f *Failure) string {
	switch {
	case f.again():
		return fmt.Sprintf("sets the source anew at once, then every %v", short(f.First))
	case !f.Passes:
		return "leaves it as it is"
	}
	text := fmt.Sprintf("starts it at once, then after %v, doubling up to %v", short(f.First), short(f.Most))
	if f.Tries > 0 {
		return text + fmt.Sprintf("; %d starts without getting further, and it counts as broken", f.Tries)
	}
	return text + ", for ever"
}

func short(d time.Duration) string {
	if d == time.Minute {
		return "1m"
	}
	return d.String()
}
