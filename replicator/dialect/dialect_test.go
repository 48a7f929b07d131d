package dialect

import (
	"errors"
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/golden"
)

// TestDialects holds what each version says against testdata: a step is a
// version, perhaps with "(old semi-sync)". The first of a case says all of its
// words, each further one what it says otherwise.
func TestDialects(t *testing.T) {
	golden.Run(t, "testdata/*.txt", func(_ *testing.T, c golden.Case) (out [][]string) {
		var before *Dialect
		for _, step := range c.Steps {
			d, err := named(step.Input)
			if err != nil {
				out = append(out, []string{err.Error()})
				continue
			}
			out = append(out, differences(before, d))
			before = d
		}
		return out
	})
}

func named(text string) (*Dialect, error) {
	version, old := strings.CutSuffix(text, " (old semi-sync)")
	d, err := For(version)
	if err == nil && old {
		d = d.WithOldSemiSync()
	}
	return d, err
}

func differences(before, d *Dialect) []string {
	lines := []string{d.String()}
	for t := Unknown + 1; t < termCount; t++ {
		switch {
		case before != nil && before.Say(t) == d.Say(t), before == nil && !d.Has(t):
		case !d.Has(t):
			lines = append(lines, t.String()+" is gone")
		default:
			lines = append(lines, t.String()+": "+d.Say(t))
		}
	}
	return lines
}

func TestEveryTermHasARow(t *testing.T) {
	names := map[string]Term{}
	for term := Unknown + 1; term < termCount; term++ {
		e := table[term]
		if e.name == "" || len(e.mysql) == 0 && len(e.mariadb) == 0 {
			t.Errorf("term %d, after %v, has no row", term, term-1)
		}
		if other, ok := names[e.name]; ok {
			t.Errorf("terms %d and %d are both called %s", other, term, e.name)
		}
		names[e.name] = term
	}
	if Unknown.String() != "unknown" || Term(200).String() != "unknown" {
		t.Error("a term that is none has a name")
	}
}

func TestWordingsAreOrdered(t *testing.T) {
	for term, e := range table {
		for _, w := range []wordings{e.mysql, e.mariadb} {
			for i := 1; i < len(w); i++ {
				if !w[i-1].since.less(w[i].since) {
					t.Errorf("%v: %v comes after %v", Term(term), w[i-1].since, w[i].since)
				}
			}
		}
	}
}

// FuzzFor: whatever a server calls itself, For answers with a whole dialect or
// its own error.
func FuzzFor(f *testing.F) {
	for _, seed := range []string{"", "9.7.4", "5.5.5-10.11.6-MariaDB-log", "8.0.36-28.1", "5.5.5-", "8..0", "99999999999999999999.0", "11.4.2-MariaDB"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := For(text)
		if err != nil {
			if !errors.Is(err, ErrVersion) {
				t.Fatal(err)
			}
			return
		}
		if d.Flavour() == cluster.FlavourUnknown || !d.Has(StartSlave) || !d.Has(ColumnReceiver) || d.Say(Term(255)) != "" {
			t.Fatalf("%q: %v", text, d)
		}
	})
}
