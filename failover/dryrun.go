package failover

import (
	"fmt"
	"strings"
	"time"
)

// Text is the plan as an operator reads it before it is carried out: why, who
// may be master and who may not, and each step with its bound.
func (p Plan) Text() string {
	var b strings.Builder
	p.writeTitle(&b)
	if p.Reason != "" {
		fmt.Fprintf(&b, "  why: %s\n", p.Reason)
	}
	if p.Refusal != "" {
		fmt.Fprintf(&b, "  REFUSED: %s\n", p.Refusal)
	}
	for _, note := range p.Notes {
		fmt.Fprintf(&b, "  note: %s\n", note)
	}
	for _, c := range p.Candidates {
		fmt.Fprintf(&b, "  candidate %v\n", c)
	}
	for i, step := range p.Steps {
		fmt.Fprintf(&b, "  %2d. %v\n", i+1, step)
	}
	return b.String()
}

// String is the first line of Text.
func (p Plan) String() string {
	var b strings.Builder
	p.writeTitle(&b)
	return strings.TrimSuffix(b.String(), "\n")
}

func (p Plan) writeTitle(b *strings.Builder) {
	b.WriteString(p.Kind.String())
	if p.From != "" {
		fmt.Fprintf(b, " %s", p.From)
	}
	if p.To != "" && p.To != p.From {
		fmt.Fprintf(b, " -> %s", p.To)
	}
	b.WriteByte('\n')
}

// String is one line.
func (s Step) String() string {
	line := s.Kind.String()
	if s.Node != "" {
		line += " " + s.Node
	}
	line = fmt.Sprintf("%-15s %s (within %s", line, s.Says, bound(s.Deadline))
	if s.Optional {
		line += ", else without"
	}
	return line + ")"
}

// bound is a duration without zero seconds and minutes.
func bound(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// String is "db2: yes, ..." or "db2: no, ...".
func (c Candidate) String() string {
	if c.Fit {
		return fmt.Sprintf("%s: yes, %s", c.Node, c.Says)
	}
	return fmt.Sprintf("%s: no, it %s", c.Node, c.Says)
}

// String is who and why, and what is lost.
func (c Choice) String() string {
	line := fmt.Sprintf("%s: %s", c.Node, c.Reason)
	if c.Lost != nil {
		line += "; LOST: " + c.LostRange
	}
	return line
}
