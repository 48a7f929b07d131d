package verify

import (
	"fmt"
	"sync"
)

// Kind says how something differs. The zero value is unknown.
type Kind uint8

// The kinds.
const (
	KindUnknown Kind = iota
	KindMissing      // the master has it, the slave has not
	KindExtra        // the slave has it, the master has not
	KindDifferent
)

// String returns the kind in lower case.
func (k Kind) String() string {
	return [...]string{"unknown", "missing", "extra", "different"}[min(k, KindDifferent)]
}

// Difference is one proven difference. It is a value.
type Difference struct {
	Kind Kind
	// What differs: "table shop.t", "view shop.v", ...
	What string
	// Row names a row of it by its key, "" for a definition and for tables
	// without a key.
	Row string
	// Detail says more, "" where there is no more.
	Detail string
}

// String is a line for people.
func (d Difference) String() string {
	line := d.Kind.String() + ": " + d.What
	if d.Row != "" {
		line += ", row " + d.Row
	}
	if d.Detail != "" {
		line += ": " + d.Detail
	}
	return line
}

// Report is what a verification found. It is a value.
type Report struct {
	Tables, Chunks int
	Rows           uint64
	// Rechecked chunks differed at the first look, Locked ones needed a lock.
	Rechecked, Locked int
	Differences       []Difference
	// Undecided is what could not be settled, with the reason.
	Undecided []string
}

// Equal says whether all was compared and nothing differs.
func (r Report) Equal() bool { return len(r.Differences) == 0 && len(r.Undecided) == 0 }

// Progress is how far a verification is. It is a value.
type Progress struct {
	Tables, TablesDone int
	Rows, RowsExpected uint64 // expected by the master's estimate
	Doing              string // the table, or what is done now
	Differences        int
}

// String is a line for a terminal.
func (p Progress) String() string {
	return fmt.Sprintf("%d of %d tables, %d rows of about %d, %d differences: %s", p.TablesDone, p.Tables, p.Rows, max(p.Rows, p.RowsExpected), p.Differences, p.Doing)
}

// gauge holds the progress. Anyone may use it.
type gauge struct {
	mu       sync.Mutex
	progress Progress
}

func (g *gauge) change(f func(p *Progress)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f(&g.progress)
}

func (g *gauge) get() Progress {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.progress
}
