//go:build chaos

package acceptance

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// TestSwitchovers switches over BELLWETHER_SWITCHOVERS times in a row under one
// load (100 unless told), and wants no error at any client, no transaction that
// one node alone has, and a short pause each time.
func TestSwitchovers(t *testing.T) {
	count := environment("BELLWETHER_SWITCHOVERS", 100)
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) {
			if !chosen(t, "BELLWETHER_FLAVOUR", flavour.String()) {
				return
			}
			binary, err := plain()
			if err != nil {
				t.Fatal(err)
			}
			f, pauses := startFleet(t, flavour, binary, fleetNeeds{}), []time.Duration(nil)
			r := f.play(fault{name: "switchovers in a row", strike: func(r *trial) error {
				var err error
				pauses, err = r.switchAgain(count)
				return err
			}}, 1, rand.New(rand.NewPCG(1, 1)))
			t.Log(r)
			for i, problem := range r.problems {
				if i < 20 {
					t.Error(problem)
				}
			}
			if len(pauses) > 0 {
				t.Logf("%d switchovers at %.0f writes/s: pause %v in the median, %v at worst", len(pauses), r.rate(r.now()), median(pauses), worst(pauses))
			}
		})
	}
}

// switchAgain gives one order after another, each once all nodes serve again,
// and returns the pause that each made.
func (r *trial) switchAgain(count int) (pauses []time.Duration, err error) {
	for n := range count {
		one := &trial{crowd: r.crowd, fault: switchedOver, random: r.random, errors: map[string]int{}, judgement: &judgement{}}
		if err := one.happen(); err != nil {
			return pauses, fmt.Errorf("switchover %d: %w", n+1, err)
		}
		pauses = append(pauses, r.crowd.gap(one.struck))
	}
	return pauses, nil
}
