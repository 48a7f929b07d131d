package failover

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// Diagnose names every problem of this moment, the gravest first. It is pure.
// The nodes of v must have been looked at before its stream, else a slave that
// is quick looks as if it had transactions of its own.
func Diagnose(v View) []Problem {
	s := newSight(v)
	var out []Problem
	for _, rule := range rules {
		out = append(out, rule(s)...)
	}
	slices.SortStableFunc(out, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(b.Kind.Definition().Priority, a.Kind.Definition().Priority),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Node, b.Node))
	})
	return out
}

// rules are what is matched against the view; each speaks of its own kinds.
var rules = [...]func(*sight) []Problem{
	lockRule, mastershipRule, masterRule, unfinishedRule, settingsRule, storeRule, flappingRule,
	slavesRule, candidateRule, writersRule, fencedRule, twinsRule, slaveRules,
}

// sight is the view with what rules ask of it again and again. It belongs to
// one goroutine.
type sight struct {
	View
	master *cluster.Node   // the recorded one, nil if there is none in the configuration
	slaves []*cluster.Node // all others
}

func newSight(v View) *sight {
	s := &sight{View: v}
	for i := range v.Nodes {
		if n := &v.Nodes[i]; v.Record.Master != "" && n.Name == v.Record.Master {
			s.master = n
		} else {
			s.slaves = append(s.slaves, n)
		}
	}
	return s
}

// find returns the node of this name, nil if there is none.
func (s *sight) find(name string) *cluster.Node {
	i := slices.IndexFunc(s.Nodes, func(n cluster.Node) bool { return n.Name == name })
	if i < 0 {
		return nil
	}
	return &s.Nodes[i]
}

// age is how long ago something was, 0 for what lies ahead: clocks are read at
// several places.
func (s *sight) age(then time.Time) time.Duration { return max(0, s.Now.Sub(then)) }

// lasting is how long something has lasted, 0 where it has not begun.
func (s *sight) lasting(begun time.Time) time.Duration {
	if begun.IsZero() {
		return 0
	}
	return s.age(begun)
}

// frozen is the policy's patience.
func (s *sight) frozen() time.Duration {
	if s.Policy.Frozen <= 0 {
		return defaultFrozen
	}
	return s.Policy.Frozen
}

// defaultFrozen is the patience where the policy has none.
const defaultFrozen = 2 * time.Second

// problem makes one; sentences that are "" are left out.
func problem(kind Kind, node string, evidence ...string) Problem {
	return Problem{Kind: kind, Node: node, Evidence: slices.DeleteFunc(evidence, func(e string) bool { return e == "" })}
}

// one is a rule's answer with one problem.
func one(kind Kind, node string, evidence ...string) []Problem {
	return []Problem{problem(kind, node, evidence...)}
}

// say makes a sentence.
func say(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// clock is a time of the day, in UTC.
func clock(t time.Time) string { return t.UTC().Format(time.TimeOnly) }

// brief rounds a duration to what people read.
func brief(d time.Duration) time.Duration {
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second)
	case d >= time.Second:
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(10 * time.Millisecond)
}

// counted is "1 transaction", "2 transactions".
func counted(n uint64) string {
	if n == 1 {
		return "1 transaction"
	}
	return say("%d transactions", n)
}
