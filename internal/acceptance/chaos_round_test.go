package acceptance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// fault is something that breaks, and how it is mended.
type fault struct {
	name string
	// strike breaks it; mend makes it whole again, once writes have been
	// acknowledged again. nil: nothing is left to mend.
	strike, mend func(*trial) error
	// after looks at what only this fault leaves, once all is well; may be nil.
	after func(*trial) error
	// promised is the longest time without an acknowledged write that
	// docs/failover.md states, 0 where it states none.
	promised time.Duration
	// tolerated are the errors that clients may be told: a class, or one and a part of
	// the text, as in "1213 an answer differs".
	tolerated []string
	// quiet faults let nobody write until they are mended.
	quiet bool
	// lossy faults may lose what was acknowledged; see docs/failover.md.
	lossy bool
}

// trial is one run of a fault under load.
type trial struct {
	*crowd
	fault  fault
	random *rand.Rand
	master *playground.Node // when the fault began
	slaves []*playground.Node
	struck time.Duration // when it began, since the load did

	gap, back time.Duration
	late      string         // what took longer than promised, in words
	errors    map[string]int // what clients were told, by class
	*judgement
}

const (
	// warm is how many writes are acknowledged before a fault, and again after it.
	warm = 150
	// serveAgain bounds the wait for that, and returnPatience that for the node.
	serveAgain, returnPatience = 45 * time.Second, time.Minute
	// returnPromised is how soon a node is a slave again after it answers.
	returnPromised = 10 * time.Second
)

// play runs a fault once under load, and judges.
func (f *fleet) play(what fault, number int, random *rand.Rand) *trial {
	f.Helper()
	r := &trial{fault: what, random: random, crowd: f.startLoad(number), errors: map[string]int{}, judgement: &judgement{}}
	err := r.happen()
	r.stop()
	r.gap = r.crowd.gap(r.struck)
	if r.fault.promised > 0 && r.gap > r.fault.promised {
		r.late += fmt.Sprintf(" no write for %v, promised are %v", r.gap, r.fault.promised)
	}
	if err != nil { // nothing can be said of nodes that are not there
		r.add("%v", err)
		r.tally()
		return r
	}
	r.judgement = r.judge(what.lossy)
	if what.after != nil {
		if err := what.after(r); err != nil {
			r.add("%v", err)
		}
	}
	r.tally()
	return r
}

// happen is the run itself.
func (r *trial) happen() error {
	if err := r.serves(warm, serveAgain); err != nil {
		return fmt.Errorf("before the fault: %w", err)
	}
	var err error
	if r.master, err = r.crowd.master(); err != nil {
		return err
	}
	r.slaves = slices.DeleteFunc(slices.Clone(r.servers.Nodes), func(n *playground.Node) bool { return n == r.master })
	r.struck = r.now()
	if err := r.fault.strike(r); err != nil {
		return fmt.Errorf("%s: %w", r.fault.name, err)
	}
	if !r.fault.quiet {
		if err := r.serves(warm, serveAgain); err != nil {
			return fmt.Errorf("after the fault: %w", err)
		}
	}
	if r.fault.mend != nil {
		if err := r.fault.mend(r); err != nil {
			return fmt.Errorf("mend %s: %w", r.fault.name, err)
		}
	}
	return r.comesBack()
}

// comesBack waits until every node serves again. On a machine with too much to do a
// slave may never catch up with the load: that is late, and broken is one that does
// not come back when nobody writes any more, either.
func (r *trial) comesBack() error {
	begun := time.Now()
	err := r.whole(returnPatience)
	if err != nil {
		r.late += fmt.Sprintf(" not every node was back under load: %v;", err)
		r.stop()
		if err := r.whole(returnPatience); err != nil {
			return fmt.Errorf("bring back what was broken: %w", err)
		}
	}
	if r.back = time.Since(begun); r.back > returnPromised {
		r.late += fmt.Sprintf(" a node was back only after %v", r.back)
	}
	if err != nil {
		return nil // the load has ended
	}
	return r.serves(warm, serveAgain)
}

// tally counts what clients were told, and says what was not promised.
func (r *trial) tally() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.mishaps {
		r.errors[m.class]++
		if !r.fault.tolerates(m) && len(r.problems) < mostTold {
			r.add("%.3f s after the fault, %s was told: %s", (m.at - r.struck).Seconds(), m.client, m.text)
		}
	}
}

// mostTold bounds the problems to which errors are added.
const mostTold = 5

func (f *fault) tolerates(m mishap) bool {
	return slices.ContainsFunc(f.tolerated, func(one string) bool {
		class, part, _ := strings.Cut(one, " ")
		return one == m.class || class == m.class && strings.Contains(m.text, part)
	})
}

// String is the round in one line.
func (r *trial) String() string {
	var told []string
	for class, n := range r.errors {
		told = append(told, fmt.Sprintf("%d x %s", n, class))
	}
	slices.Sort(told)
	end := "passed"
	if len(r.problems) > 0 {
		end = "FAILED"
	}
	return fmt.Sprintf("%s: %s, gap %v, back %v, %.0f writes/s before, lost %d, twice %d, stale %d, wrong %d, longest answer %v, errors [%s]", r.fault.name, end,
		r.gap.Round(time.Millisecond), r.back.Round(time.Millisecond), r.rate(r.struck), r.lost, r.twice, r.stales, r.wrongs,
		r.longest.Round(time.Millisecond), strings.Join(told, ", "))
}
