package failover

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// server is a node as the fake operator and the fake probes see it.
type server struct {
	identity string
	readOnly bool
	down     bool
	restarts int
	has      uint64 // the number of the last transaction that it has executed
	stuck    bool   // it applies nothing
	lag      time.Duration
	alone    bool   // its source is not there
	received uint64 // the number of the last transaction that it has got, where that is more
	errant   bool   // it has a transaction of its own
	slave    bool   // it follows the stream
	failing  time.Time
}

// story is a cluster of fake servers, with a controller that may be restarted.
type story struct {
	*testing.T
	dir   string
	store *cluster.Store

	mu      sync.Mutex
	servers map[string]*server // by address
	opened  []string           // the identities that OpenWrites made writable
	refuse  error              // what every order answers
	unfit   error              // what opening answers
	held    map[string]string  // who else holds the lock, by address
	fleet   *fleet             // nil: nobody can be promoted
	loss    uint64             // how many transactions may be lost, from the next start on

	controller *Controller
	stop       func() error // ends the controller
}

var _ Operator = (*story)(nil)

// ReadIdentity implements Operator.
func (s *story) ReadIdentity(_ context.Context, addr string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.servers[addr].identity, s.refuse
}

// ReadOnly implements Operator.
func (s *story) ReadOnly(_ context.Context, addr string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.servers[addr].readOnly, s.refuse
}

// OpenWrites implements Operator.
func (s *story) OpenWrites(_ context.Context, addr, identity string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := errors.Join(s.refuse, s.unfit); err != nil {
		return err
	}
	if s.servers[addr].identity != identity {
		return ErrAnotherServer
	}
	s.checkOpening(addr)
	s.servers[addr].readOnly = false
	s.opened = append(s.opened, identity)
	return nil
}

// tell runs a story of three read-only servers, db1 configured as the first
// master, in fake time.
func tell(t *testing.T, script func(*story)) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t, dir)
		s.start("db1")
		script(s)
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
}

func newStory(t *testing.T, dir string) *story {
	s := &story{T: t, dir: dir, servers: map[string]*server{}, held: map[string]string{}}
	for _, name := range []string{"db1", "db2", "db3"} {
		s.servers[addr(name)] = &server{identity: "id-" + name, readOnly: true}
	}
	return s
}

// connRefused is the error of a machine where no server runs.
var connRefused = syscall.ECONNREFUSED

func addr(name string) string { return name + ":3306" }

// start begins a process: a new store, and a controller over the same directory.
func (s *story) start(master string) {
	s.store = cluster.NewStore(&cluster.Topology{})
	if _, err := s.store.Register(func(d *cluster.RegisterDraft) error {
		for _, name := range []string{"db1", "db2", "db3"} {
			d.Put(cluster.Registration{Name: name, Addr: addr(name), Weight: 1})
		}
		return nil
	}); err != nil {
		s.Fatal(err)
	}
	c := Default()
	c.StateDir, c.Master, c.Policy.MaxLoss = s.dir, master, s.loss
	parts := Parts{Operator: s, Log: slog.New(slog.NewTextHandler(s.Output(), nil))}
	if s.fleet != nil {
		parts.Stream, parts.Clients = s.fleet, s.fleet
	}
	controller := NewController(s.store, c, parts)
	s.controller = controller
	ctx, cancel := context.WithCancel(s.Context())
	ended := make(chan error, 1)
	go func() { ended <- controller.Run(ctx) }()
	s.stop = func() error { cancel(); return <-ended }
}

// restart ends the process and begins another one.
func (s *story) restart(master string) {
	s.Helper()
	if err := s.stop(); err != nil {
		s.Fatal(err)
	}
	s.start(master)
}

// change changes a server, and lets the probes see everything for a while.
func (s *story) change(name string, change func(*server)) {
	s.mu.Lock()
	change(s.servers[addr(name)])
	s.mu.Unlock()
	s.look()
}

// look is some seconds of probes every 100 ms.
func (s *story) look() {
	for range 50 {
		s.mu.Lock()
		s.store.Report(func(d *cluster.ReportDraft) {
			for address, server := range s.servers {
				d.SetCondition(address[:3], address, server.condition())
			}
		})
		s.mu.Unlock()
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
	}
}

func (s *server) condition() cluster.Condition {
	c := cluster.Condition{
		Health: cluster.HealthUp, Identity: s.identity, ReadOnly: s.readOnly, Seen: time.Now(), Asked: time.Now(),
		Flavour: cluster.FlavourMariaDB, Version: "11.8.3-MariaDB", Applied: upTo(s.has), Replication: cluster.ReplicationNone,
	}
	c.Outcome = cluster.OutcomeAnswered
	if s.slave {
		c.Replication, c.LagKnown, c.Lag = cluster.ReplicationRunning, true, s.lag
		if s.alone {
			c.Replication = cluster.ReplicationConnecting
		}
	}
	if !s.down {
		s.failing = time.Time{}
	} else if c.Health, c.Outcome = cluster.HealthDown, cluster.OutcomeRefused; s.failing.IsZero() {
		s.failing = time.Now()
	}
	c.Failing = s.failing
	c.Since = time.Unix(int64(s.restarts), 0)
	return c
}

// want compares what is published.
func (s *story) want(master string, writes cluster.Writes, reason string) {
	s.Helper()
	t, name := s.store.Load(), ""
	if n := t.MasterNode(); n != nil {
		name = n.Name
	}
	if name != master || t.Writes != writes || t.WritesReason != reason {
		s.Errorf("master %q, writes %v: %q\nwant   %q, writes %v: %q", name, t.Writes, t.WritesReason, master, writes, reason)
	}
}

// wantOpened compares which servers were made writable, in order.
func (s *story) wantOpened(identities ...string) {
	s.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.opened, identities) {
		s.Errorf("opened %q, want %q", s.opened, identities)
	}
}
