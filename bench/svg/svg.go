// Package svg writes small drawings: lines, boxes, dots and words.
package svg

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
)

// Canvas is a drawing in the making, in pixels from the top left corner. Only
// one goroutine at a time may use it.
type Canvas struct {
	width, height float64
	body          bytes.Buffer
}

// New begins a drawing on a white ground.
func New(width, height float64) *Canvas {
	c := &Canvas{width: width, height: height}
	c.Box(0, 0, width, height, "#ffffff")
	return c
}

// Align says on which side of its point a text stands. The zero value is Start.
type Align uint8

// Start puts the text to the right of its point, Middle around it, End to its
// left.
const (
	Start Align = iota
	Middle
	End
)

// String is SVG's word for it.
func (a Align) String() string { return [...]string{"start", "middle", "end"}[a] }

// Font is how a text looks.
type Font struct {
	Size  float64
	Color string
	Align Align
	Bold  bool
}

// Text writes s with its base line at y.
func (c *Canvas) Text(x, y float64, f Font, s string) {
	weight := ""
	if f.Bold {
		weight = ` font-weight="600"`
	}
	fmt.Fprintf(&c.body, `<text x="%s" y="%s" font-size="%s" fill="%s" text-anchor="%s"%s>`,
		num(x), num(y), num(f.Size), f.Color, f.Align, weight)
	_ = xml.EscapeText(&c.body, []byte(s)) // a Buffer takes all
	c.body.WriteString("</text>\n")
}

// Line draws a line; dash, such as "4 3", breaks it and may be empty.
func (c *Canvas) Line(x1, y1, x2, y2 float64, color string, width float64, dash string) {
	if dash != "" {
		dash = fmt.Sprintf(` stroke-dasharray="%s"`, dash)
	}
	fmt.Fprintf(&c.body, `<line x1="%s" y1="%s" x2="%s" y2="%s" stroke="%s" stroke-width="%s"%s/>`+"\n",
		num(x1), num(y1), num(x2), num(y2), color, num(width), dash)
}

// Box fills a rectangle.
func (c *Canvas) Box(x, y, width, height float64, color string) {
	fmt.Fprintf(&c.body, `<rect x="%s" y="%s" width="%s" height="%s" fill="%s"/>`+"\n",
		num(x), num(y), num(width), num(height), color)
}

// Dot fills a circle.
func (c *Canvas) Dot(x, y, radius float64, color string) {
	fmt.Fprintf(&c.body, `<circle cx="%s" cy="%s" r="%s" fill="%s"/>`+"\n", num(x), num(y), num(radius), color)
}

// Bytes is the drawing as a file.
func (c *Canvas) Bytes() []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" viewBox="0 0 %s %s" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif">`+"\n",
		num(c.width), num(c.height), num(c.width), num(c.height))
	out.Write(c.body.Bytes())
	out.WriteString("</svg>\n")
	return out.Bytes()
}

// num writes a tenth of a pixel at most.
func num(v float64) string {
	s := strconv.FormatFloat(v, 'f', 1, 64)
	return strings.TrimSuffix(s, ".0")
}
