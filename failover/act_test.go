package failover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// check wants a master other than one, writes open there, and nobody fenced that
// answers.
func (f *fleet) check(old string) {
	f.Helper()
	t := f.store.Load()
	m := t.MasterNode()
	if m == nil || m.Name == old || t.Writes != cluster.WritesOpen || !f.write() {
		f.Fatalf("master %s, writes %v: %s; %v", name(m), t.Writes, t.WritesReason, f.did)
	}
	open := 0
	for _, n := range f.servers {
		if !n.readOnly && !n.down {
			open++
		}
	}
	if s := f.controller.State(); open != 1 || s.Promotion != nil {
		f.Errorf("%d are open, state %+v", open, s)
	}
}

func name(n *cluster.Node) string {
	if n == nil {
		return "nobody"
	}
	return n.Name
}

func (f *fleet) checkBack(name string) {
	f.Helper()
	if s := f.controller.State(); len(s.Fenced) != 0 {
		f.Errorf("fenced %+v", s.Fenced)
	}
	if n := f.servers[addr(name)]; !n.slave || !n.readOnly || n.errant {
		f.Errorf("%s: %+v", name, n)
	}
}

func (f *fleet) kill(name string) { f.change(name, func(n *server) { n.down = true }) }
func (f *fleet) revive(name string) {
	f.change(name, func(n *server) { n.down, n.readOnly = false, true; n.restarts++ })
}

func TestFailover(t *testing.T) {
	act(t, func(f *fleet) {
		f.kill("db1")
		f.check("db1")
		f.revive("db1")
		f.checkBack("db1")
		all := f.controller.Incidents()
		if len(all) != 2 || all[0].Kind != "failover" || all[0].Outcome != OutcomeDone || all[1].Kind != "rejoin" || all[1].Outcome != OutcomeDone {
			f.Errorf("incidents %+v", all)
		}
		f.Log(all[0].Story())
	})
}

// A former master that comes back writable is closed before anything else, and
// what only it has is kept before it is lost.
func TestFormerMasterComesBackWithMore(t *testing.T) {
	act(t, func(f *fleet) {
		f.kill("db1")
		f.change("db1", func(n *server) { n.down, n.readOnly, n.errant, n.restarts = false, false, true, 1 })
		f.check("db1")
		f.look()
		f.checkBack("db1")
		if at := slices.Index(f.did, "save db1"); at < 0 || slices.Index(f.did, "copy db1") < at || !strings.Contains(strings.Join(f.did[:at], " "), "fence db1") {
			f.Errorf("did %v", f.did)
		}
		last := f.controller.Incidents()[1]
		if last.Errant == "" || len(last.Files) != 1 {
			f.Errorf("incident %+v", last)
		}
	})
}

func TestFailoverAfterFailover(t *testing.T) {
	act(t, func(f *fleet) {
		f.kill("db1")
		f.kill(f.store.Load().MasterNode().Name)
		f.check("db1")
		f.revive("db1")
		f.revive("db2")
		f.revive("db3")
		f.checkBack("db1")
	})
}

// Nobody has all that was acknowledged: nobody is promoted, until someone has.
func TestFailoverWaitsForWhoLags(t *testing.T) {
	act(t, func(f *fleet) {
		f.change("db2", func(n *server) { n.stuck = true })
		f.change("db3", func(n *server) { n.stuck = true })
		f.write()
		f.kill("db1")
		if t := f.store.Load(); t.Writes != cluster.WritesHeld {
			f.Errorf("writes %v, master %s", t.Writes, name(t.MasterNode()))
		}
		f.change("db3", func(n *server) { n.stuck = false })
		f.check("db1")
		if m := f.store.Load().MasterNode(); m.Name != "db3" {
			f.Errorf("%s is the master", m.Name)
		}
	})
}

// A master that comes back before another one was recorded is used again.
func TestMasterIsBackInTime(t *testing.T) {
	act(t, func(f *fleet) {
		for _, name := range []string{"db2", "db3"} {
			f.change(name, func(n *server) { n.stuck = true })
		}
		f.write()
		f.kill("db1")
		f.revive("db1")
		f.check("db2")
		f.check("db3")
		if all := f.controller.Incidents(); len(all) != 1 || all[0].Outcome != OutcomeUndone {
			f.Errorf("incidents %+v", all)
		}
	})
}

// Without any slave the master goes on.
func TestSlavesGone(t *testing.T) {
	act(t, func(f *fleet) {
		f.kill("db2")
		f.kill("db3")
		f.check("db2")
		f.kill("db1")
		if t := f.store.Load(); t.Writes != cluster.WritesHeld || !strings.Contains(t.WritesReason, "no slave") {
			f.Errorf("writes %v: %s", t.Writes, t.WritesReason)
		}
		f.revive("db1")
		f.check("db2")
	})
}

func TestSwitchover(t *testing.T) {
	act(t, func(f *fleet) {
		for _, to := range []string{"db2", "db3", "db1"} {
			i, err := f.ask(func(ctx context.Context) (Incident, error) {
				return f.controller.Switchover(ctx, Order{To: to})
			})
			if err != nil || i.Outcome != OutcomeDone || i.To != to {
				f.Errorf("%+v, %v", i, err)
			}
			f.look()
			if m := f.store.Load().MasterNode(); m == nil || m.Name != to {
				f.Errorf("%s is the master, not %s", name(m), to)
			}
			f.check("")
			f.Log(i.Story())
		}
		f.checkBack("db2")
	})
}

// ask waits for an order's answer while the probes go on.
func (f *fleet) ask(order func(context.Context) (Incident, error)) (Incident, error) {
	var i Incident
	var err error
	done := make(chan struct{})
	go func() {
		i, err = order(f.Context())
		close(done)
	}()
	for {
		f.look()
		select {
		case <-done:
			return i, err
		default:
		}
	}
}

// A switchover whose target does not follow is undone, and the master opened.
func TestSwitchoverIsUndone(t *testing.T) {
	act(t, func(f *fleet) {
		f.change("db2", func(n *server) { n.stuck = true })
		f.write()
		i, err := f.ask(func(ctx context.Context) (Incident, error) { return f.controller.Switchover(ctx, Order{To: "db2"}) })
		if err == nil || i.Outcome != OutcomeUndone {
			f.Errorf("%+v, %v", i, err)
		}
		f.check("db2")
		if m := f.store.Load().MasterNode(); m.Name != "db1" {
			f.Errorf("%s is the master", m.Name)
		}
		if _, err := f.ask(func(ctx context.Context) (Incident, error) { return f.controller.Switchover(ctx, Order{To: "db9"}) }); !errors.Is(err, ErrRefused) {
			f.Errorf("switched to nobody: %v", err)
		}
	})
}

// Whatever order the process dies at, and whether that was carried out: what
// runs afterwards finds one master, with all that was acknowledged.
func TestKilledAtEveryStep(t *testing.T) {
	for name, recover := range map[string]func(*fleet){
		"failover":   func(f *fleet) { f.kill("db1") },
		"switchover": func(f *fleet) { f.order1() },
		"second":     func(f *fleet) { f.kill("db1"); f.kill("db2") },
	} {
		for _, before := range []bool{true, false} {
			steps := 1
			for at := 1; at <= steps; at++ {
				t.Run(fmt.Sprintf("%s/%d/%t", name, at, before), func(t *testing.T) {
					act(t, func(f *fleet) {
						first := len(f.did)
						f.stopAt, f.before = first+at, before
						f.write()
						recover(f)
						f.restartIfKilled(&steps, at)
						f.check("nobody")
						for _, name := range []string{"db1", "db2"} {
							if f.servers[addr(name)].down {
								f.revive(name)
							}
						}
						f.restartIfKilled(&steps, at)
						f.check("nobody")
						if s := f.controller.State(); len(s.Fenced) != 0 {
							f.Errorf("fenced %+v", s.Fenced)
						}
					})
				})
			}
		}
	}
}

func (f *fleet) restartIfKilled(steps *int, at int) {
	f.look()
	if f.stopped {
		*steps = max(*steps, at+1)
		f.stopped, f.stopAt = false, 0
		f.restart("db1")
		f.look()
	}
	f.look()
}

// order1 asks for a switchover and does not wait for its end.
func (f *fleet) order1() {
	ctx, cancel := context.WithTimeout(f.Context(), time.Second)
	done := make(chan struct{})
	controller := f.controller
	go func() {
		defer close(done)
		_, _ = controller.Switchover(ctx, Order{To: "db2"})
	}()
	f.look()
	cancel()
	<-done
}

// Another Bellwether that holds the lock keeps this one from acting, and from
// serving writes where it holds it on the master.
func TestAnotherHoldsTheLock(t *testing.T) {
	act(t, func(f *fleet) {
		f.held[addr("db2")] = "10.0.0.9"
		f.look()
		f.check("db2") // it serves on
		f.kill("db1")
		if t := f.store.Load(); t.Writes == cluster.WritesOpen || !strings.Contains(t.WritesReason, "10.0.0.9") {
			f.Errorf("writes %v: %s", t.Writes, t.WritesReason)
		}
		delete(f.held, addr("db2"))
		f.look()
		f.check("db1")
		f.held[addr("db1")], f.held[addr("db2")], f.held[addr("db3")] = "10.0.0.9", "10.0.0.9", "10.0.0.9"
		f.look()
		if t := f.store.Load(); t.Writes != cluster.WritesRefused || t.MasterNode() != nil {
			f.Errorf("writes %v: %s", t.Writes, t.WritesReason)
		}
	})
}
