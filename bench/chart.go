package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/bellwether-db/bellwether/bench/stats"
	"github.com/bellwether-db/bellwether/bench/svg"
)

// The plot is a grid: a column for each workload, a row for each measure, and
// in each panel the ways side by side at each number of clients. A dot is the
// median of the paired rounds, its line goes from the lower to the upper
// quartile.
const (
	panelWidth, panelHeight = 212.0, 150.0
	gapX, gapY              = 34.0, 62.0
	marginLeft, marginTop   = 64.0, 96.0
	marginRight             = 24.0
	idleRowHeight           = 22.0

	ink, faint, ground = "#1f2933", "#6b7785", "#e4e8ec"
)

// colours are told apart also by the colour-blind (after Okabe and Ito).
var colours = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"}

// measureRow is one row of panels.
type measureRow struct {
	title string
	value func(Way) stats.Summary
	equal float64 // the line of what is as good as the other; 0 for none
	goal  float64 // a line to stay under; 0 for none
}

// wantedCPU is the project's goal for a point select, over HAProxy.
const wantedCPU = 1.5

func (r *Report) measureRows(haproxy string) []measureRow {
	straight := routeStraight.String()
	rows := []measureRow{
		{"operations per second, times straight", func(w Way) stats.Summary { return w.Over[straight].Operations }, 1, 0},
		{"median latency, times straight", func(w Way) stats.Summary { return w.Over[straight].P50 }, 1, 0},
		{"99th percentile of latency, times straight", func(w Way) stats.Summary { return w.Over[straight].P99 }, 1, 0},
		{"processor time of the proxy for each operation, microseconds", func(w Way) stats.Summary { return w.CPU }, 0, 0},
	}
	if haproxy != "" {
		title := "processor time of the proxy for each operation, times " + haproxy
		rows = append(rows, measureRow{title, func(w Way) stats.Summary { return w.Over[haproxy].CPU }, 1, wantedCPU})
	}
	return rows
}

// chart draws the report.
func (r *Report) chart() []byte {
	columns := r.columns()
	ways := r.proxies()
	haproxy := ""
	if len(r.Cells) > 0 && len(r.Cells[0].bases()) > 0 {
		haproxy = r.Cells[0].bases()[0]
	}
	rows := r.measureRows(haproxy)
	width := marginLeft + marginRight + float64(max(len(columns), 3))*(panelWidth+gapX) - gapX
	gridEnd := marginTop + float64(len(rows))*(panelHeight+gapY)
	c := svg.New(width, gridEnd+30+idleRowHeight*float64(len(r.Idle)+1))
	r.heading(c, ways)
	for i, row := range rows {
		top := marginTop + float64(i)*(panelHeight+gapY) + 18
		c.Text(marginLeft, top-24, svg.Font{Size: 12, Color: ink, Bold: true}, row.title)
		for j, cells := range columns {
			p := &panel{c: c, x: marginLeft + float64(j)*(panelWidth+gapX), y: top, row: row, ways: ways}
			p.draw(cells)
		}
	}
	r.idleBars(c, ways, gridEnd+10)
	return c.Bytes()
}

// columns groups the cells by workload.
func (r *Report) columns() (columns [][]*Cell) {
	for i, cell := range r.Cells {
		if i == 0 || cell.Workload != r.Cells[i-1].Workload {
			columns = append(columns, nil)
		}
		columns[len(columns)-1] = append(columns[len(columns)-1], cell)
	}
	return columns
}

// proxies gives each way but the straight one its colour.
func (r *Report) proxies() map[string]string {
	ways := map[string]string{}
	if len(r.Cells) == 0 {
		return ways
	}
	for _, w := range r.Cells[0].Ways {
		if w.Name != routeStraight.String() {
			ways[w.Name] = colours[len(ways)%len(colours)]
		}
	}
	return ways
}

func (r *Report) heading(c *svg.Canvas, ways map[string]string) {
	c.Text(marginLeft, 28, svg.Font{Size: 16, Color: ink, Bold: true}, "Bellwether's benchmark: "+r.Server)
	c.Text(marginLeft, 46, svg.Font{Size: 11, Color: faint}, fmt.Sprintf("%d processors (%s), Linux %s, %s, %s; rounds of %v",
		r.Machine.Processors, r.Machine.Model, r.Machine.Kernel, r.Machine.Go, r.Started.Format("2006-01-02"), r.RoundTime))
	x := marginLeft
	for _, name := range r.order(ways) {
		c.Dot(x+4, 60, 4, ways[name])
		c.Text(x+13, 64, svg.Font{Size: 12, Color: ink}, name)
		x += 34 + 7*float64(len(name))
	}
}

// order is that of the ways in the report.
func (r *Report) order(ways map[string]string) (names []string) {
	if len(r.Cells) == 0 {
		return nil
	}
	for _, w := range r.Cells[0].Ways {
		if ways[w.Name] != "" {
			names = append(names, w.Name)
		}
	}
	return names
}

// panel is one measure of one workload.
type panel struct {
	c    *svg.Canvas
	x, y float64
	top  float64 // the value at its upper edge
	row  measureRow
	ways map[string]string
}

func (p *panel) draw(cells []*Cell) {
	p.top = niceTop(p.highest(cells))
	p.c.Text(p.x, p.y-6, svg.Font{Size: 11, Color: faint}, cells[0].Title)
	const steps = 4
	for i := range steps + 1 {
		v := p.top * float64(i) / steps
		p.c.Line(p.x, p.at(v), p.x+panelWidth, p.at(v), ground, 1, "")
		p.c.Text(p.x-5, p.at(v)+3.5, svg.Font{Size: 10, Color: faint, Align: svg.End}, label(v))
	}
	if p.row.equal > 0 {
		p.c.Line(p.x, p.at(p.row.equal), p.x+panelWidth, p.at(p.row.equal), faint, 1, "")
	}
	if p.row.goal > 0 {
		p.c.Line(p.x, p.at(p.row.goal), p.x+panelWidth, p.at(p.row.goal), faint, 1, "4 3")
	}
	for i, cell := range cells {
		p.group(cell, i, len(cells))
	}
}

// group draws the ways at one number of clients.
func (p *panel) group(cell *Cell, i, of int) {
	width := panelWidth / float64(of)
	middle := p.x + width*(float64(i)+0.5)
	p.c.Text(middle, p.y+panelHeight+13, svg.Font{Size: 10, Color: faint, Align: svg.Middle}, clientsText(cell.Clients))
	step := min(width*0.8/float64(len(p.ways)), 14)
	x := middle - step*float64(len(p.ways)-1)/2
	for _, w := range cell.Ways {
		colour := p.ways[w.Name]
		if colour == "" {
			continue
		}
		if s := p.row.value(w); s.N > 0 {
			p.c.Line(x, p.at(s.Low), x, p.at(s.High), colour, 2, "")
			p.c.Dot(x, p.at(s.Median), 3.5, colour)
		}
		x += step
	}
}

func clientsText(n int) string {
	if n == 1 {
		return "1 client"
	}
	return fmt.Sprint(n, " clients")
}

// at is where a value stands; what is beyond the panel stands on its edge.
func (p *panel) at(v float64) float64 {
	return p.y + panelHeight*(1-math.Min(math.Max(v/p.top, 0), 1))
}

func (p *panel) highest(cells []*Cell) float64 {
	high := max(p.row.equal, p.row.goal)
	for _, cell := range cells {
		for _, w := range cell.Ways {
			if p.ways[w.Name] != "" {
				high = max(high, p.row.value(w).High)
			}
		}
	}
	return high
}

// niceTop is a round number not below v that divides well by four.
func niceTop(v float64) float64 {
	if v <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8} {
		if v <= m*unit {
			return m * unit
		}
	}
	return 10 * unit
}

func label(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", v), "0"), ".")
}

// idleBars draws the memory of idle clients.
func (r *Report) idleBars(c *svg.Canvas, ways map[string]string, y float64) {
	if len(r.Idle) == 0 {
		return
	}
	c.Text(marginLeft, y, svg.Font{Size: 12, Color: ink, Bold: true}, "resident memory for each idle client, KB")
	most := 0.0
	for _, i := range r.Idle {
		most = max(most, i.PerClient())
	}
	const nameWidth, barWidth = 110.0, 400.0
	for n, i := range r.Idle {
		line := y + idleRowHeight*float64(n+1)
		c.Text(marginLeft+nameWidth-8, line, svg.Font{Size: 11, Color: ink, Align: svg.End}, i.Through)
		length := max(1, barWidth*i.PerClient()/max(most, 1))
		c.Box(marginLeft+nameWidth, line-10, length, 12, ways[i.Through])
		c.Text(marginLeft+nameWidth+length+6, line, svg.Font{Size: 11, Color: faint}, fmt.Sprintf("%.1f", i.PerClient()/1024))
	}
}
