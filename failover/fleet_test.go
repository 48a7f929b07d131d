package failover

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// fleet is the stream and the clients of a story, and what must never happen to
// them.
type fleet struct {
	*story
	stored   uint64 // the number of the last transaction that is stored
	direct   bool   // slaves follow the master by themselves
	acked    uint64 // and of the last one that a client was told of
	attached string // the identity of the server that the stream runs from
	since    time.Time
	did      []string // what was asked of the fleet, in order
	stopAt   int      // which order kills the process, 0 for none
	stopOn   string   // the same by its name
	before   bool     // it does so before it takes effect
	stopped  bool
}

var (
	_ Stream  = (*fleet)(nil)
	_ Clients = (*fleet)(nil)
	_ Lock    = (*fleetLockFake)(nil)
)

// errKilled is what an order returns to a process that is no more.
var errKilled = errors.New("killed")

// upTo is the set of the transactions up to a number.
func upTo(n uint64) *cluster.GTIDSet {
	text := ""
	if n > 0 {
		text = fmt.Sprintf("0-1-%d", n)
	}
	set, err := cluster.ParseGTIDSet(cluster.FlavourMariaDB, text)
	if err != nil {
		panic(err)
	}
	return set
}

// order counts an order, and kills the process at the one that is to. What is
// behind the returned error has not happened.
func (s *story) order(name string, effect func() error) error {
	f := s.fleet
	if f == nil {
		return effect()
	}
	if f.stopped {
		return errKilled
	}
	f.did = append(f.did, name)
	kill := f.stopAt == len(f.did) || f.stopOn == name
	if !kill || !f.before {
		if err := effect(); err != nil {
			return err
		}
	}
	if kill {
		f.stopped = true
		return errKilled
	}
	return nil
}

// at is the server of an identity at an address.
func (s *story) at(addr, identity string) (*server, error) {
	n := s.servers[addr]
	switch {
	case n == nil || n.down:
		return nil, errors.New("nobody answers")
	case identity != "" && n.identity != identity:
		return nil, ErrAnotherServer
	}
	return n, nil
}

func (s *story) with(name, addr, identity string, effect func(*server) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.order(name+" "+addr[:3], func() error {
		n, err := s.at(addr, identity)
		if err := errors.Join(err, s.refuse); err != nil {
			return err
		}
		return effect(n)
	})
}

// checkOpening: at most one server that answers is open, and it has all that a
// client was told of.
func (s *story) checkOpening(addr string) {
	if s.fleet == nil {
		return
	}
	for other, n := range s.servers {
		if other != addr && !n.readOnly && !n.down {
			s.Errorf("%s is opened while %s is", addr, other)
		}
	}
	if n := s.servers[addr]; n.has < s.fleet.acked {
		s.Errorf("%s is opened with %d of %d", addr, n.has, s.fleet.acked)
	}
}

// CloseWrites implements Operator.
func (s *story) CloseWrites(_ context.Context, addr, identity string) error {
	return s.with("close", addr, identity, func(n *server) error { n.readOnly = true; return nil })
}

// Fence implements Operator.
func (s *story) Fence(_ context.Context, addr, identity string) error {
	return s.with("fence", addr, identity, func(n *server) error { n.readOnly = true; return nil })
}

// Executed implements Operator.
func (s *story) Executed(_ context.Context, addr, identity string) (set *cluster.GTIDSet, err error) {
	err = s.with("executed", addr, identity, func(n *server) error { set = upTo(n.has); return nil })
	return set, err
}

// Received implements Operator.
func (s *story) Received(ctx context.Context, addr, identity string) (*cluster.GTIDSet, error) {
	set, err := s.Executed(ctx, addr, identity)
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.servers[addr]; err == nil && n.received > n.has {
		set = upTo(n.received)
	}
	return set, err
}

// AwaitApplied implements Operator.
func (s *story) AwaitApplied(ctx context.Context, addr, identity string, set *cluster.GTIDSet) error {
	for {
		done := false
		err := s.with("await", addr, identity, func(n *server) error {
			if !n.stuck && n.slave {
				n.has = max(n.has, s.fleet.stored)
			}
			done = upTo(n.has).ContainsSet(set)
			return nil
		})
		if err != nil || done {
			return err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

type fleetLockFake struct {
	s    *story
	addr string
}

// TakeLock implements Operator.
func (s *story) TakeLock(_ context.Context, addr string) (Lock, error) {
	l := &fleetLockFake{s, addr}
	return l, l.Check(context.Background())
}

// Check implements Lock.
func (l *fleetLockFake) Check(context.Context) error {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if host := l.s.held[l.addr]; host != "" {
		return &HeldError{Holder: host, Connection: 7}
	}
	_, err := l.s.at(l.addr, "")
	if err != nil {
		return fmt.Errorf("take the lock: %w", connRefused)
	}
	return nil
}

// Close implements Lock.
func (l *fleetLockFake) Close() error { return nil }

// View implements Stream: it follows the published master.
func (f *fleet) View() StreamView {
	f.mu.Lock()
	defer f.mu.Unlock()
	connected := f.connected()
	if (f.attached != "") != connected {
		f.attached, f.since = "", time.Now()
		if connected {
			f.attached = f.store.Load().MasterIdentity
		}
	}
	v := StreamView{Known: true, Connected: connected, Since: f.since, End: upTo(f.stored), Whole: true, Stored: f.since, Heard: f.since, Direct: f.direct}
	if connected {
		v.Heard = time.Now()
	}
	return v
}

func (f *fleet) connected() bool {
	m := f.store.Load().MasterNode()
	if m == nil {
		return false
	}
	n := f.servers[m.Addr]
	return !n.down && n.identity == f.store.Load().MasterIdentity && !n.slave
}

// Seal implements Stream.
func (f *fleet) Seal(context.Context) (set *cluster.GTIDSet, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	err = f.order("seal", func() error {
		if f.store.Load().MasterNode() != nil {
			f.Error("sealed while there is a master")
		}
		if !f.direct {
			set = upTo(f.stored)
		}
		return nil
	})
	return set, err
}

// Lose implements Stream: what is stored ends where the slave does.
func (f *fleet) Lose(_ context.Context, n cluster.Node, end *cluster.GTIDSet, dir string) (loss Loss, err error) {
	err = f.with("lose", n.Addr, n.Identity, func(s *server) error {
		if f.store.Load().MasterNode() != nil {
			f.Error("something is given up while there is a master")
		}
		loss = Loss{Set: end.Subtract(upTo(s.has)), End: upTo(s.has)}
		if loss.Set.IsEmpty() {
			return nil
		}
		if f.acked-s.has > f.loss {
			f.Errorf("%d of %d are given up", f.acked-s.has, f.acked)
		}
		loss.Files = []string{dir[strings.LastIndex(dir, "/")+1:] + ".sql"}
		f.stored, f.acked = s.has, s.has
		for _, other := range f.servers {
			other.errant = other.errant || other != s && other.has > s.has
		}
		return nil
	})
	return loss, err
}

// Promote implements Stream.
func (f *fleet) Promote(_ context.Context, n cluster.Node) error {
	return f.with("promote", n.Addr, n.Identity, func(s *server) error {
		if s.has < f.acked {
			f.Errorf("%s is promoted with %d of %d", n.Name, s.has, f.acked)
		}
		s.slave = false
		return nil
	})
}

// Attach implements Stream.
func (f *fleet) Attach(_ context.Context, n cluster.Node) error {
	return f.with("attach", n.Addr, n.Identity, func(*server) error {
		if m := f.store.Load().MasterNode(); m == nil || m.Name != n.Name {
			f.Errorf("%s is attached and not the master", n.Name)
		}
		return nil
	})
}

// Opened implements Stream.
func (f *fleet) Opened(_ context.Context, n cluster.Node) error {
	return f.with("events", n.Addr, n.Identity, func(*server) error { return nil })
}

// Demote implements Stream.
func (f *fleet) Demote(_ context.Context, n cluster.Node) error {
	return f.with("demote", n.Addr, n.Identity, func(s *server) error {
		if !s.readOnly {
			f.Errorf("%s is demoted while it is writable", n.Name)
		}
		if s.errant {
			return &ErrantError{Node: n.Name, Extra: upTo(s.has)}
		}
		s.slave = true
		return nil
	})
}

// Save implements Stream.
func (f *fleet) Save(_ context.Context, n cluster.Node, _ *cluster.GTIDSet, dir string) ([]string, error) {
	return []string{dir + "/errant.sql"}, f.with("save", n.Addr, n.Identity, func(*server) error { return nil })
}

// Copy implements Stream.
func (f *fleet) Copy(_ context.Context, n cluster.Node, _ func(string)) error {
	return f.with("copy", n.Addr, n.Identity, func(s *server) error { s.errant, s.has = false, f.stored; return nil })
}

// Quiet implements Clients.
func (f *fleet) Quiet(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.order("quiet", func() error { return nil })
}

// write is a client's write, where one is taken; it says whether it was.
func (f *fleet) write() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.store.Load()
	m := t.MasterNode()
	if t.Writes != cluster.WritesOpen || m == nil {
		return false
	}
	n := f.servers[m.Addr]
	if n.down || n.readOnly || n.identity != t.MasterIdentity {
		return false
	}
	n.has = f.stored + 1
	f.stored, f.acked = n.has, n.has
	return true
}

// act is tell, with a stream and clients, once writes are open.
func act(t *testing.T, script func(*fleet)) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{story: newStory(t, dir)}
		f.fleet = f
		for _, name := range []string{"db2", "db3"} {
			f.servers[addr(name)].slave = true
		}
		f.start("db1")
		f.look()
		if !f.write() {
			f.Fatal("no write is taken at first")
		}
		script(f)
		if err := f.stop(); err != nil {
			t.Error(err)
		}
	})
}
