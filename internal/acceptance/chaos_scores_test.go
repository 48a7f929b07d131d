//go:build chaos

package acceptance

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// scores gather what every run of every fault gave, for the table at the end.
type scores struct {
	order []string
	rows  map[string]*score
}

// score is one fault on one family.
type score struct {
	fault, server             string
	runs, passed, lost, twice int
	stale, wrong              int
	errors                    map[string]int
	gaps, waits, backs        []time.Duration
	promised                  time.Duration
}

func newScores() *scores { return &scores{rows: map[string]*score{}} }

func (s *scores) add(server string, r *trial) {
	key := r.fault.name + "|" + server
	row := s.rows[key]
	if row == nil {
		row = &score{fault: r.fault.name, server: server, errors: map[string]int{}, promised: r.fault.promised}
		s.rows[key] = row
		s.order = append(s.order, key)
	}
	row.runs++
	if len(r.problems) == 0 {
		row.passed++
	}
	row.lost += r.lost
	row.twice += r.twice
	row.stale += r.stales
	row.wrong += r.wrongs
	for class, n := range r.errors {
		row.errors[class] += n
	}
	row.gaps, row.waits, row.backs = append(row.gaps, r.gap), append(row.waits, r.longest), append(row.backs, r.back)
}

// print writes the table, one line a fault and family.
func (s *scores) print(t *testing.T) {
	t.Helper()
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "fault\tserver\truns\tpassed\tlost\ttwice\tstale\twrong\tclient errors\tgap: median\tworst\tpromised\twait: worst\tback: median\tworst")
	total := 0
	for _, key := range s.order {
		r := s.rows[key]
		total += r.runs
		promised := "-"
		if r.promised > 0 {
			promised = r.promised.String()
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.fault, r.server, r.runs, r.passed, r.lost, r.twice, r.stale, r.wrong, r.told(),
			seconds(median(r.gaps)), seconds(worst(r.gaps)), promised, seconds(worst(r.waits)), seconds(median(r.backs)), seconds(worst(r.backs)))
	}
	_ = w.Flush() // into memory
	t.Logf("%d runs\n%s", total, b.String())
}

// told says how often clients got which error.
func (r *score) told() string {
	if len(r.errors) == 0 {
		return "0"
	}
	var parts []string
	for _, class := range slices.Sorted(maps.Keys(r.errors)) {
		parts = append(parts, fmt.Sprintf("%d x %s", r.errors[class], class))
	}
	return strings.Join(parts, ", ")
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

func worst(all []time.Duration) time.Duration { return slices.Max(all) }
