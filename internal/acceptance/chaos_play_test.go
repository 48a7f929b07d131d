//go:build chaos

package acceptance

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// plain builds the product as it is shipped: the race detector would be in the
// figures. BELLWETHER_RACE=1 has it in.
var plain = sync.OnceValues(func() (string, error) {
	if os.Getenv("BELLWETHER_RACE") != "" {
		return suite.binary()
	}
	path := filepath.Join(suite.dir, "bellwether-plain")
	out, err := exec.Command("go", "build", "-o", path, "github.com/bellwether-db/bellwether/cmd/bellwether").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build bellwether: %w\n%s", err, out)
	}
	return path, nil
})

// chosen says whether an expression in the environment matches a name; without
// one every name does.
func chosen(t *testing.T, variable, name string) bool {
	t.Helper()
	expression, err := regexp.Compile(os.Getenv(variable))
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return expression.MatchString(name)
}

// TestChaos plays every fault BELLWETHER_ROUNDS times on both families under
// load, brings back what was broken, and judges from the outside. In the end it
// prints a table. BELLWETHER_FAULTS and BELLWETHER_FLAVOUR are expressions that
// choose; BELLWETHER_SEED decides about random moments, and is printed.
func TestChaos(t *testing.T) {
	seed, rounds := uint64(environment("BELLWETHER_SEED", rand.IntN(1<<30))), environment("BELLWETHER_ROUNDS", 1)
	t.Logf("BELLWETHER_SEED=%d BELLWETHER_ROUNDS=%d", seed, rounds)
	results := newScores()
	t.Cleanup(func() { results.print(t) })
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		for _, place := range []place{placePlain, placeDisks, placeDirect} {
			s := &scene{flavour: flavour, place: place, seed: seed, scores: results}
			t.Run(s.name(), func(t *testing.T) { s.T = t; s.all(rounds) })
		}
	}
}

// scene plays the faults on one family: the fleet lives from run to run, and is
// made anew where one has left it broken.
type scene struct {
	*testing.T
	flavour playground.Flavour
	place   place
	seed    uint64
	scores  *scores

	fleet  *fleet
	played int
}

// place is what kind of fleet a scene needs.
type place uint8

const (
	placePlain  place = iota
	placeDisks        // whose disks can be stopped or filled
	placeDirect       // whose slaves replicate from the master
)

func (s *scene) name() string {
	return s.flavour.String() + [...]string{"", " disks", " direct"}[s.place]
}

func (s *scene) all(rounds int) {
	if !chosen(s.T, "BELLWETHER_FLAVOUR", s.flavour.String()) {
		return
	}
	for turn := range rounds {
		for _, what := range s.faults(turn) {
			if chosen(s.T, "BELLWETHER_FAULTS", what.name) {
				s.once(what, turn)
			}
		}
	}
	if s.fleet != nil {
		s.fleet.close()
	}
}

func (s *scene) faults(turn int) []fault {
	switch s.place {
	case placeDisks:
		return diskFaults
	case placeDirect:
		return directFaults
	}
	return append(slices.Clone(faults), sequence(s.seed, turn))
}

// once plays one fault once.
func (s *scene) once(what fault, turn int) {
	if s.fleet == nil {
		s.build()
	}
	s.played++
	random := rand.New(rand.NewPCG(s.seed+uint64(turn), uint64(len(what.name))<<8+uint64(what.name[0])))
	begun := time.Now()
	r := s.fleet.play(what, s.played, random)
	s.Logf("%s run %d (%.1f s): %v %s", s.name(), turn+1, time.Since(begun).Seconds(), r, r.late)
	s.scores.add(s.flavour.String(), r)
	if r.late != "" {
		s.keep(what, turn)
	}
	if len(r.problems) == 0 {
		return
	}
	for i, problem := range r.problems {
		if i == 12 {
			s.Errorf("%s: and %d more", what.name, len(r.problems)-i)
			break
		}
		s.Errorf("%s: %s", what.name, clipped(problem, 1000))
	}
	s.keep(what, turn)
	s.fleet.close()
	s.fleet = nil
}

func (s *scene) build() {
	binary, err := plain()
	if err != nil {
		s.Fatal(err)
	}
	needs := fleetNeeds{}
	switch s.place {
	case placeDisks:
		needs.prepare, needs.environment = func(state string) { smallDisk(s.T, state) }, []string{"LD_PRELOAD=" + diskShim(s.T)}
	case placeDirect:
		needs.feed = "direct"
	}
	s.fleet = startFleet(s.T, s.flavour, binary, needs)
}

// keep saves what the product and the servers have said of a run that failed.
func (s *scene) keep(what fault, turn int) {
	dir, err := os.MkdirTemp("", "chaos-")
	if err != nil {
		s.Error(err)
		return
	}
	texts := map[string]string{"bellwether.log": s.fleet.proxy.output.String(), "servers.log": s.fleet.servers.Logs()}
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			s.Error(err)
		}
	}
	s.Logf("%s of run %d: logs are in %s", what.name, turn+1, dir)
}
