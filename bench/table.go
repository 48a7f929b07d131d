package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/bellwether-db/bellwether/bench/stats"
)

// table prints the report for a terminal.
func (r *Report) table(w io.Writer) error {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s on %d processors (%s), Linux %s, %s; load before: %s\n",
		r.Server, r.Machine.Processors, r.Machine.Model, r.Machine.Kernel, r.Machine.Go, r.Machine.Load)
	fmt.Fprintf(&out, "Medians of interleaved rounds of %v; ratios are medians of pairs. cpu: processor time of the proxy for each operation.\n", r.RoundTime)
	for i, c := range r.Cells {
		if i == 0 || c.Workload != r.Cells[i-1].Workload {
			fmt.Fprintf(&out, "\n%s\n", c.Title)
			c.header(&out)
		}
		c.rows(&out)
	}
	r.idleTable(&out)
	_, err := w.Write(out.Bytes())
	return err
}

// bases are the ways that the others' processor time is compared with.
func (c *Cell) bases() []string {
	var names []string
	for _, way := range c.Ways {
		if strings.HasPrefix(way.Name, routeHAProxy.String()) {
			names = append(names, way.Name)
		}
	}
	return names
}

const columnWidth = 12

// line writes one row of a table; the second column is words.
func line(out io.Writer, texts ...string) {
	var row strings.Builder
	for i, t := range texts {
		if i == 1 {
			fmt.Fprintf(&row, "  %-14s", t)
			continue
		}
		fmt.Fprintf(&row, "%*s", columnWidth, t)
	}
	fmt.Fprintln(out, strings.TrimRight(row.String(), " "))
}

func (c *Cell) header(out io.Writer) {
	texts := []string{"clients", "through", "ops/s", "x straight", "p50", "p99", "cpu/op"}
	for _, b := range c.bases() {
		texts = append(texts, "x "+b)
	}
	line(out, texts...)
}

func (c *Cell) rows(out io.Writer) {
	straight := route{kind: routeStraight}.String()
	for _, w := range c.Ways {
		texts := []string{
			fmt.Sprint(c.Clients), w.Name, fmt.Sprintf("%.0f", w.Operations.Median), ratioText(w.Over[straight].Operations),
			timeText(w.P50), timeText(w.P99), timeText(w.CPU),
		}
		for _, b := range c.bases() {
			texts = append(texts, ratioText(w.Over[b].CPU))
		}
		line(out, texts...)
	}
}

// ratioText is empty where nothing could be compared.
func ratioText(s stats.Summary) string {
	if s.N == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", s.Median)
}

// timeText writes microseconds with three digits.
func timeText(s stats.Summary) string {
	switch us := s.Median; {
	case s.N == 0:
		return ""
	case us < 10:
		return fmt.Sprintf("%.2fus", us)
	case us < 100:
		return fmt.Sprintf("%.1fus", us)
	case us < 10000:
		return fmt.Sprintf("%.0fus", us)
	default:
		return fmt.Sprintf("%.1fms", us/1000)
	}
}

func (r *Report) idleTable(out io.Writer) {
	if len(r.Idle) == 0 {
		return
	}
	fmt.Fprintf(out, "\nresident memory of idle clients, each after one statement\n")
	t := tabwriter.NewWriter(out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "through\tclients\tbefore\tafter\tfor each\t")
	for _, i := range r.Idle {
		fmt.Fprintf(t, "%s\t%d\t%.1f MB\t%.1f MB\t%.1f KB\t\n", i.Through, i.Clients,
			megabytes(i.Before.Resident), megabytes(i.After.Resident), i.PerClient()/1024)
	}
	t.Flush()
}

func megabytes(n int64) float64 { return float64(n) / (1 << 20) }
