package acceptance

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// masterKilled and switchedOver are the two faults that every `make test` plays;
// immutable.
var (
	masterKilled = fault{name: "master killed", strike: killMaster, mend: startMaster, promised: 1500 * time.Millisecond}
	switchedOver = fault{name: "switchover", strike: switchover, promised: 300 * time.Millisecond}
)

func killMaster(r *trial) error  { return r.master.Kill() }
func startMaster(r *trial) error { return r.begin(r.master) }

// begin starts a server that has ended.
func (r *trial) begin(n *playground.Node) error {
	return n.StartServer(r.Context())
}

// switchover gives the order that an operator gives. Where the slaves are too
// far behind it is refused, and given again, as an operator would; and where a step
// has taken too long and all is as it was, which is told as late.
func switchover(r *trial) error {
	var failed error
	refused := r.until(serveAgain, func() error {
		r.struck = r.now()
		out, err := exec.CommandContext(r.Context(), r.binary, "switchover", "--config", r.config).CombinedOutput()
		if err != nil && strings.Contains(string(out), "refused") {
			return fmt.Errorf("%w: %s", err, out)
		}
		if err != nil && r.otherMaster() != nil && strings.Contains(string(out), "failed: ") {
			r.late += " a switchover was undone;"
			return fmt.Errorf("%w: %s", err, out)
		}
		if err != nil {
			failed = fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	if err := errors.Join(refused, failed); err != nil {
		return err
	}
	return r.until(patience, r.otherMaster)
}

// otherMaster is an error while the metrics show the former master; they follow
// the probes.
func (r *trial) otherMaster() error {
	if now, err := r.crowd.master(); err != nil || now == r.master {
		return fmt.Errorf("%s is still the master (%w)", r.master.Name, err)
	}
	return nil
}

// TestFailover kills the master, and switches over, once on each family: nothing
// that was acknowledged is lost or there twice, no client reads what is stale or
// notices more than a pause, and the old master comes back. `make chaos` has the
// other faults, more of each, and measures.
func TestFailover(t *testing.T) {
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) {
			binary, err := suite.binary()
			if err != nil {
				t.Fatal(err)
			}
			f := startFleet(t, flavour, binary, fleetNeeds{})
			for number, what := range []fault{masterKilled, switchedOver} {
				r := f.play(what, number+1, rand.New(rand.NewPCG(1, 1)))
				t.Log(r)
				for _, problem := range r.problems {
					t.Errorf("%s: %s", what.name, problem)
				}
			}
		})
	}
}
