package fullcopy

import (
	"fmt"
	"sync"
	"time"
)

// Phase is what a copy does now. The zero value is unknown.
type Phase uint8

// The phases, in order.
const (
	PhaseUnknown  Phase = iota
	PhaseConnect        // looks at both nodes; nothing has been changed
	PhaseSnapshot       // reads the source's definitions and opens the snapshots
	PhaseMark           // the target becomes an unfinished copy
	PhaseDefine         // databases, sequences and tables
	PhaseRows           // the rows
	PhaseObjects        // views, routines, triggers, events, accounts
	PhaseRestart        // MethodClone only: the target starts again on the new data
	PhasePosition       // the target gets its position
	PhaseDone           // the target is a copy
)

// String returns the phase in lower case.
func (p Phase) String() string {
	return [...]string{"unknown", "connect", "snapshot", "mark", "define", "rows", "objects", "restart", "position", "done"}[min(p, PhaseDone)]
}

// Progress is how far a copy is. It is a value.
type Progress struct {
	Phase Phase
	// Doing is what it does now, for people.
	Doing   string
	Attempt int // from 1
	// Tables that have rows of their own, and those that are complete.
	Tables, TablesDone int
	// Rows on the target so far, RowsExpected by the source's estimate, and
	// Reused those of Rows that were found equal there.
	Rows, RowsExpected, Reused uint64
	// Bytes read from the source, and of MethodClone how many there are to be.
	Bytes, BytesExpected uint64
	// Begun is when the copy began, Rate its bytes per second since the first
	// rows.
	Begun time.Time
	Rate  float64
}

// String is a line for a terminal.
func (p Progress) String() string {
	line := fmt.Sprintf("%s: %s, %.1f MB/s", p.Phase, p.amount(), p.Rate/1e6)
	if p.Attempt > 1 {
		line += fmt.Sprintf(", attempt %d", p.Attempt)
	}
	if p.Doing != "" {
		line += ": " + p.Doing
	}
	return line
}

// amount is how much has arrived.
func (p Progress) amount() string {
	if p.BytesExpected > 0 {
		return fmt.Sprintf("%.1f of about %.1f MB", float64(p.Bytes)/1e6, float64(max(p.BytesExpected, p.Bytes))/1e6)
	}
	line := fmt.Sprintf("%d of %d tables, %d rows", p.TablesDone, p.Tables, p.Rows)
	if p.RowsExpected > 0 {
		line += fmt.Sprintf(" of about %d", max(p.RowsExpected, p.Rows))
	}
	if p.Reused > 0 {
		line += fmt.Sprintf(" (%d found there)", p.Reused)
	}
	return line + fmt.Sprintf(", %.1f MB", float64(p.Bytes)/1e6)
}

// gauge holds the progress. Anyone may use it.
type gauge struct {
	mu       sync.Mutex
	progress Progress
	rows     time.Time // when the rows began
}

func (g *gauge) change(f func(p *Progress)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	before := g.progress.Phase
	f(&g.progress)
	if g.progress.Phase == PhaseRows && before != PhaseRows {
		g.rows = time.Now()
	}
	if spent := time.Since(g.rows).Seconds(); g.progress.Phase == PhaseRows && spent > 0 {
		g.progress.Rate = float64(g.progress.Bytes) / spent
	}
}

func (g *gauge) enter(phase Phase, doing string) {
	g.change(func(p *Progress) { p.Phase, p.Doing = phase, doing })
}

func (g *gauge) get() Progress {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.progress
}
