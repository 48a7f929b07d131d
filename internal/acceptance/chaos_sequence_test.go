//go:build chaos

package acceptance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// steady are faults of which several may follow one another without a look in
// between; immutable.
var steady = []string{
	"master killed", "master frozen", "network cut", "cut to the master", "cut from the master", "connections reset", "slave killed", "slave frozen",
	"switchover", "candidate dies too", "stream cut", "master flaps", "all slaves killed", "slave opened by hand",
}

// sequence is random faults one after another under one load, the next one
// as soon as the nodes are whole again.
func sequence(seed uint64, turn int) fault {
	random := rand.New(rand.NewPCG(seed, uint64(turn)))
	var names []string
	for range 4 {
		names = append(names, steady[random.IntN(len(steady))])
	}
	return fault{name: "random sequence", strike: func(r *trial) error {
		r.Logf("random sequence: %q", names)
		return r.inTurn(names)
	}}
}

// inTurn plays faults by their names.
func (r *trial) inTurn(names []string) error {
	for _, name := range names {
		next := faults[slices.IndexFunc(faults, func(f fault) bool { return f.name == name })]
		if err := r.again(next); err != nil {
			return fmt.Errorf("%s of %q at %v: %w", name, names, r.now(), err)
		}
		r.pause(r.within(500 * time.Millisecond))
	}
	return nil
}

// again is one more fault in the same round, on whoever is master by now.
func (r *trial) again(next fault) error {
	one := &trial{crowd: r.crowd, fault: next, random: r.random, errors: map[string]int{}, judgement: &judgement{}}
	return one.happen()
}
