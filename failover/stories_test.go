package failover

import (
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/golden"
)

// A story is a cluster and what was observed of it, then what Diagnose, the
// plans and Choose make of that. Its lines:
//
//	@mariadb                         the servers are MariaDB, not MySQL
//	@node NAME [WORD ...] [| ...]    the first is the master; see told.node
//	@stream WORD ... [| failing ...] see told.stream
//	@policy KEY=VALUE ...            see told.policy
//	@writes, @last, @lock, @record   the rest of the view
//	diagnose                         the problems
//	act                              what follows from them without an order
//	failover, switchover [NODE] [force] [: reason]
//	rejoin NODE, reopen
//	errant NODE SET                  after a demotion found them
//	choose [NODE] SET NODE=SET ...   after the drain
//	finish                           what was interrupted
//	print failover ...               the plan as an operator reads it, not abridged
//	then node ..., then stream ...   something changes
//
// A server's uuid is written as one letter: a is that of the first node. MariaDB
// numbers its servers likewise.
func TestStories(t *testing.T) {
	golden.Run(t, "testdata/stories/*.txt", func(t *testing.T, c golden.Case) [][]string {
		story := hear(t, c)
		var out [][]string
		for _, step := range c.Steps {
			text := strings.TrimSuffix(shortened(story.answer(step.Input)), "\n")
			out = append(out, strings.Split(text, "\n"))
			if text == "" {
				out[len(out)-1] = nil
			}
		}
		return out
	})
}

// There is a story for every problem, and enough of them.
func TestStoriesAreComplete(t *testing.T) {
	seen, count := map[string]bool{}, 0
	for _, c := range stories(t) {
		count++
		for _, step := range c.Steps {
			for _, line := range step.Want {
				word, _, _ := strings.Cut(line, " ")
				seen[word] = true
			}
		}
	}
	for _, kind := range Kinds() {
		if !seen[kind.String()] {
			t.Errorf("no story has the problem %v", kind)
		}
	}
	if count < 100 {
		t.Errorf("there are %d stories", count)
	}
}

// answer carries out one line of a story.
func (s *told) answer(line string) string {
	if change, ok := strings.CutPrefix(line, "then "); ok {
		word, rest, _ := strings.Cut(change, " ")
		s.option(golden.Option{Word: word, Rest: rest})
		return ""
	}
	line, reason, _ := strings.Cut(line, ": ")
	words := strings.Fields(line)
	if words[0] == "print" {
		s.print, words = true, words[1:]
	}
	switch words[0] {
	case "diagnose":
		return s.diagnose()
	case "act":
		return s.act()
	case "failover":
		return s.told(PlanFailover(s.view, Problem{}, s.order(words[1:], reason)))
	case "switchover":
		return s.told(PlanSwitchover(s.view, s.order(words[1:], reason)))
	case "rejoin":
		return s.told(PlanRejoin(s.view, words[1]))
	case "reopen":
		return s.told(PlanReopen(s.view))
	case "finish":
		return s.told(PlanFinish(s.view))
	case "errant":
		return s.told(PlanErrant(s.view, words[1], s.set(words[2])))
	case "choose":
		return s.choose(words[1:])
	}
	s.Fatalf("no such line: %s", line)
	return ""
}

func (s *told) diagnose() string {
	var out []string
	for _, p := range Diagnose(s.view) {
		out = append(out, p.String())
	}
	if len(out) == 0 {
		return "all is well"
	}
	return strings.Join(out, "\n")
}

// act is what the controller would do by itself.
func (s *told) act() string {
	var out strings.Builder
	for _, p := range Diagnose(s.view) {
		if plan := PlanFor(s.view, p); plan.Kind != RecoveryNone {
			out.WriteString(s.told(plan))
		}
	}
	if out.Len() == 0 {
		return "nothing is done"
	}
	return out.String()
}

// told is a plan with its steps on one line: "?" is behind those that it can do
// without.
func (s *told) told(p Plan) string {
	if s.print {
		return p.Text()
	}
	var names []string
	for _, step := range p.Steps {
		name := strings.TrimSpace(step.Kind.String() + " " + step.Node)
		if step.Kind == StepDrain {
			name += " " + bound(step.Deadline)
		}
		if step.Optional {
			name += "?"
		}
		names = append(names, name)
	}
	p.Steps = nil
	text := p.Text()
	if len(names) > 0 {
		text += "  steps: " + strings.Join(names, ", ") + "\n"
	}
	return text
}

func (s *told) order(words []string, reason string) Order {
	o := Order{Given: true, Reason: reason}
	for _, word := range words {
		switch word {
		case "force":
			o.Force = true
		default:
			o.To = word
		}
	}
	return o
}

// choose reads [NODE] SET NODE=SET ...
func (s *told) choose(words []string) string {
	var o Order
	var end *cluster.GTIDSet
	applied := map[string]*cluster.GTIDSet{}
	for _, word := range words {
		name, set, both := strings.Cut(word, "=")
		switch {
		case both:
			applied[name] = s.set(set)
		case word == "unknown" || strings.ContainsAny(word, ":-"):
			end = s.set(word)
		default:
			o = Order{Given: true, To: word}
		}
	}
	c, refusal := Choose(s.view, o, end, applied)
	lines := make([]string, 0, len(c.Candidates)+1)
	for _, candidate := range c.Candidates {
		lines = append(lines, "  candidate "+candidate.String())
	}
	if rather := Rather(s.view, o, end, applied); rather != "" {
		lines = append(lines, "  rather "+rather+", if it gets there")
	}
	if refusal != "" {
		return strings.Join(append([]string{"REFUSED: " + refusal}, lines...), "\n")
	}
	return strings.Join(append([]string{c.String()}, lines...), "\n")
}
