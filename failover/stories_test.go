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
	if count < 60 {
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
	switch words[0] {
	case "diagnose":
		return s.diagnose()
	case "act":
		return s.act()
	case "failover":
		return PlanFailover(s.view, Problem{}, s.order(words[1:], reason)).Text()
	case "switchover":
		return PlanSwitchover(s.view, s.order(words[1:], reason)).Text()
	case "rejoin":
		return PlanRejoin(s.view, words[1]).Text()
	case "reopen":
		return PlanReopen(s.view).Text()
	case "errant":
		return PlanErrant(s.view, words[1], s.set(words[2])).Text()
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
			out.WriteString(plan.Text())
		}
	}
	if out.Len() == 0 {
		return "nothing is done"
	}
	return out.String()
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
	if refusal != "" {
		return strings.Join(append([]string{"REFUSED: " + refusal}, lines...), "\n")
	}
	return strings.Join(append([]string{c.String()}, lines...), "\n")
}
