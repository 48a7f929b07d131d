package cluster

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Severity says what a finding asks for.
type Severity uint8

// The severities.
const (
	SeverityUnknown Severity = iota
	SeverityOK               // nothing to do
	SeverityAdvice           // works, with less safety or speed
	SeverityMust             // must be changed before Bellwether can do its work
)

// String returns the severity in lower case.
func (s Severity) String() string { return [...]string{"unknown", "ok", "advice", "must"}[min(s, 3)] }

// Finding is one thing that was looked at on one node. It is a value.
type Finding struct {
	Node     string
	Name     string // what was looked at: a variable, a privilege, ...
	Severity Severity
	Have     string
	Want     string // "" where nothing has to change
	SQL      string // what to run on the node to change it, "" if SQL cannot
}

// Report is what Inspect found, node by node. It is a value.
type Report struct{ Findings []Finding }

// MustChange says whether anything has to be changed.
func (r Report) MustChange() bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Severity == SeverityMust })
}

// String returns what WriteTo writes.
func (r Report) String() string {
	var out strings.Builder
	_, _ = r.WriteTo(&out) // a Builder has no errors
	return out.String()
}

// WriteTo writes a table of all findings, and then the SQL that changes what
// should be changed, for each node.
func (r Report) WriteTo(w io.Writer) (int64, error) {
	counter := &countingWriter{to: w}
	table := tabwriter.NewWriter(counter, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "NODE\tCHECK\tVERDICT\tHAVE\tWANT")
	for _, f := range r.Findings {
		fmt.Fprintf(table, "%s\t%s\t%v\t%s\t%s\n", f.Node, f.Name, f.Severity, f.Have, f.Want)
	}
	if err := table.Flush(); err != nil {
		return counter.n, err
	}
	var node string
	for _, f := range r.Findings {
		if f.SQL == "" || f.Severity < SeverityAdvice {
			continue
		}
		if f.Node != node {
			node = f.Node
			fmt.Fprintf(counter, "\nOn %s:\n", node)
		}
		fmt.Fprintf(counter, "  %s  -- %v: %s\n", f.SQL, f.Severity, f.Name)
	}
	return counter.n, counter.err
}

// countingWriter counts, and keeps the first error.
type countingWriter struct {
	to  io.Writer
	n   int64
	err error
}

// Write implements io.Writer.
func (w *countingWriter) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.to.Write(p)
	w.n, w.err = w.n+int64(n), err
	return n, err
}
