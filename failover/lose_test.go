package failover

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// loseTwo kills the master while every slave lacks the last two writes, which may
// be lost.
func (f *fleet) loseTwo() {
	f.loss = 2
	policy := DefaultPolicy()
	policy.MaxLoss = f.loss
	f.controller.Configure(policy)
	f.change("db2", func(n *server) { n.stuck = true })
	f.change("db3", func(n *server) { n.stuck = true })
	f.write()
	f.kill("db1")
}

// lookOn is longer than a drain may take.
func (f *fleet) lookOn() {
	for range 4 {
		f.look()
	}
}

// No slave gets what was acknowledged: when the time for it is up, what the best
// lacks is kept and given up. The other ones are looked at before they serve again.
func TestFailoverLosesWhatItMay(t *testing.T) {
	act(t, func(f *fleet) {
		f.loseTwo()
		if t := f.store.Load(); t.Writes != cluster.WritesHeld || slices.Contains(f.did, "lose db2") {
			f.Errorf("writes %v after a moment: %v", t.Writes, f.did)
		}
		f.lookOn()
		f.check("db1")
		if i := f.controller.Incidents()[0]; i.Lost == "" || len(i.Files) != 1 || !strings.HasPrefix(i.Files[0], "lost/"+i.ID) || !strings.Contains(i.Story(), "LOST: 0-1-") {
			f.Errorf("incident %+v", i)
		} else {
			f.Log(i.Story())
		}
		f.revive("db1")
		f.look()
		f.checkBack("db1")
		f.checkBack("db3")
		if !slices.Contains(f.did, "save db1") || slices.Contains(f.did, "save db3") {
			f.Errorf("did %v", f.did)
		}
	})
}

// More than may be lost: nobody is promoted, and the reason says how much it is.
func TestFailoverLosesNoMore(t *testing.T) {
	act(t, func(f *fleet) {
		f.change("db2", func(n *server) { n.stuck = true })
		f.change("db3", func(n *server) { n.stuck = true })
		f.write()
		f.loseTwo()
		f.lookOn()
		if t := f.store.Load(); t.Writes != cluster.WritesHeld || !strings.Contains(t.WritesReason, "lacks 3 transactions") {
			f.Errorf("writes %v: %s", t.Writes, t.WritesReason)
		}
		f.change("db3", func(n *server) { n.stuck = false })
		f.check("db1")
		if i := f.controller.Incidents()[0]; i.Lost != "" || slices.Contains(f.did, "lose db3") {
			f.Errorf("did %v; incident %+v", f.did, i)
		}
	})
}

// What may be lost is said only while writes wait already: the drain that is under
// way takes no longer than one that began with it. Until then one is told what each
// slave lacks.
func TestLossIsAllowedLater(t *testing.T) {
	act(t, func(f *fleet) {
		f.loss = 2
		for _, name := range []string{"db2", "db3"} {
			f.change(name, func(n *server) { n.stuck, n.lag = true, time.Minute })
		}
		f.write()
		f.kill("db1")
		for range 4 { // a drain takes long where everybody is far behind
			f.lookOn()
		}
		if t := f.store.Load(); t.Writes != cluster.WritesHeld || !strings.Contains(t.WritesReason, "db2 lacks 2 transactions") {
			f.Errorf("writes %v: %s", t.Writes, t.WritesReason)
		}
		policy := DefaultPolicy()
		policy.MaxLoss = f.loss
		f.controller.Configure(policy)
		f.look()
		f.check("db1")
		if i := f.controller.Incidents()[0]; i.Lost == "" {
			f.Errorf("incident %+v", i)
		}
	})
}

// Where slaves follow the master by themselves, what one has received and cannot
// apply is not given up for another one that never got it.
func TestReceivedIsNotGivenUp(t *testing.T) {
	act(t, func(f *fleet) {
		f.direct = true
		has := f.stored
		f.change("db2", func(n *server) { n.stuck = true })
		f.change("db3", func(n *server) { n.stuck, n.received = true, has+2 })
		f.write()
		f.change("db2", func(n *server) { n.stuck, n.alone = false, true })
		f.change("db3", func(n *server) { n.alone = true })
		f.kill("db1")
		f.lookOn()
		if t := f.store.Load(); t.Writes != cluster.WritesHeld || !strings.Contains(t.WritesReason, "db2 lacks") {
			f.Errorf("writes %v: %s; did %v", t.Writes, t.WritesReason, f.did)
		}
		f.change("db3", func(n *server) { n.stuck, n.has = false, n.received })
		f.lookOn()
		if m := f.store.Load().MasterNode(); m == nil || m.Name != "db3" {
			f.Errorf("the master is %s; did %v", name(m), f.did)
		}
	})
}

// Whatever order of it the process dies at: what runs afterwards goes on, and no
// more is lost.
func TestKilledInALoss(t *testing.T) {
	for _, order := range []string{"seal", "executed db2", "lose db2", "promote db2", "attach db2", "events db2"} {
		for _, before := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/%t", order, before), func(t *testing.T) {
				act(t, func(f *fleet) {
					f.stopOn, f.before = order, before
					f.loseTwo()
					f.lookOn()
					if !f.stopped {
						f.Fatalf("not killed: %v", f.did)
					}
					f.stopped, f.stopOn = false, ""
					f.restart("db1")
					f.lookOn()
					f.check("db1")
					f.revive("db1")
					f.look()
					f.checkBack("db1")
					f.checkBack("db3")
				})
			})
		}
	}
}
