//go:build soak

package acceptance

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// spans are how long things took; any number of goroutines, the zero value is none.
type spans struct {
	mu  sync.Mutex
	all []time.Duration
}

func (s *spans) since(begun time.Time) {
	took := time.Since(begun)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, took)
}

// String tells the median and the tail.
func (s *spans) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) == 0 {
		return "no read"
	}
	slices.Sort(s.all)
	at := func(part float64) time.Duration {
		return s.all[min(int(part*float64(len(s.all))), len(s.all)-1)].Round(10 * time.Microsecond)
	}
	return fmt.Sprintf("p50 %v, p90 %v, p99 %v, p99.9 %v", at(.5), at(.9), at(.99), at(.999))
}

var wayCount = regexp.MustCompile(`(?m)^bellwether_reads_total\{consistency="([^"]*)",way="([^"]*)"\} (\S+)`)

// ways are the reads so far, by consistency and way.
func (f *fed) ways() map[string]float64 {
	f.Helper()
	metrics, err := f.proxy.metrics()
	f.must(err)
	ways := map[string]float64{}
	for _, line := range wayCount.FindAllStringSubmatch(metrics, -1) {
		n, err := strconv.ParseFloat(line[3], 64)
		f.must(err)
		ways[line[1]+" "+line[2]] = n
	}
	return ways
}

// since is what came in between two looks.
func since(before, after map[string]float64) string {
	var b []string
	for _, way := range slices.Sorted(maps.Keys(after)) {
		if n := after[way] - before[way]; n > 0 {
			b = append(b, fmt.Sprintf("%s %.0f", way, n))
		}
	}
	return strings.Join(b, ", ")
}
