package acceptance

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	programLength   = 60
	programsDefault = 500
	workers         = 8
	// enoughFailures ends the run: more of them tell nothing new.
	enoughFailures = 12
)

// TestDifferential plays random session programs straight and through the
// proxy. BELLWETHER_SEED names the first program, BELLWETHER_PROGRAMS how many,
// BELLWETHER_FEED what slaves replicate from, BELLWETHER_WITHOUT an expression for
// the lines of testdata/themes.txt to leave out, for looking past a difference
// that is known.
//
// MariaDB's slaves apply in parallel, and the programs use XA and roll back where
// they have made temporary tables: natively fed, such slaves say too early that
// they have a write (docs/consistency.md), so the product feeds them.
func TestDifferential(t *testing.T) {
	for _, c := range []struct{ flavour, feed string }{{"mysql", "direct"}, {"mariadb", "relay"}} {
		t.Run(c.flavour, func(t *testing.T) {
			w := worldFedBy(t, c.flavour, cmp.Or(os.Getenv("BELLWETHER_FEED"), c.feed))
			contestOf(t, w.arena(), "accd").run(environment("BELLWETHER_SEED", 1), environment("BELLWETHER_PROGRAMS", programsDefault))
		})
	}
}

// environment returns a number from the environment.
func environment(name string, otherwise int) int {
	n, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		return otherwise
	}
	return n
}

// contest plays many programs in one arena.
type contest struct {
	t      *testing.T
	arena  *arena
	prefix string
	themes []theme

	mu       sync.Mutex
	failures int
	logins   int // programs of which only the login differed
}

// run plays programs first, first+1, ... Each worker has its own schema, and
// all share the proxy's pools: a state that leaks shows in another's program.
func (c *contest) run(first, count int) {
	c.t.Helper()
	seeds := make(chan uint64, count)
	for i := range count {
		seeds <- uint64(first + i)
	}
	close(seeds)
	started := time.Now()
	var group errgroup.Group
	for w := range min(workers, count) {
		group.Go(func() error { return c.work(fmt.Sprintf("%s%d", c.prefix, w), seeds) })
	}
	if err := group.Wait(); err != nil {
		c.t.Fatal(err)
	}
	if differ := c.failures + c.logins; differ > 0 {
		c.t.Errorf("%d of %d programs differ", differ, count)
	}
	c.t.Logf("%d programs of %d statements in %v, %d differ, and %d in their login alone",
		count, programLength, time.Since(started).Round(time.Second), c.failures, c.logins)
}

func (c *contest) work(schema string, seeds <-chan uint64) error {
	s, err := newStage(c.arena, schema)
	if err != nil {
		return fmt.Errorf("prepare %s: %w", schema, err)
	}
	for seed := range seeds {
		if c.enough() {
			break
		}
		p := generate(seed, c.arena.flavour, c.themes, programLength)
		v, err := s.play(p)
		if err != nil {
			return fmt.Errorf("play program %d: %w", seed, err)
		}
		if v.at != equal {
			c.report(p, v, s)
		}
	}
	return s.close()
}

func (c *contest) enough() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failures >= enoughFailures
}

func (c *contest) report(p program, v verdict, s *stage) {
	c.mu.Lock()
	again := v.at == 0 && c.logins > 0
	if v.at == 0 {
		c.logins++
	} else {
		c.failures++
	}
	c.mu.Unlock()
	if again {
		return // one of them is enough to see it
	}
	small, sv, alone := s.shrink(p, v)
	c.t.Logf("seed %d differs at statement %d: %s\n%s\n  smallest that differs alone (%v), at %d:\n%s%s",
		p.seed, v.at, clipped(string(p.at(v)), 200), v.problem, alone, sv.at, small, sv.problem)
}

// at returns the step at which a verdict was found.
func (p program) at(v verdict) step {
	if v.at < 1 || v.at > len(p.steps) {
		return "(login)"
	}
	return p.steps[v.at-1]
}

func contestOf(t *testing.T, a *arena, prefix string) *contest {
	t.Helper()
	themes, err := readThemes("testdata/themes.txt", a.flavour)
	if err != nil {
		t.Fatal(err)
	}
	if without := os.Getenv("BELLWETHER_WITHOUT"); without != "" {
		themes = leaveOut(themes, regexp.MustCompile(without))
	}
	return &contest{t: t, arena: a, prefix: prefix, themes: themes}
}
