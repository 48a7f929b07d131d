package backend

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/fakemysql"
	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/bellwether-db/bellwether/wire"
)

// stage is running pools over a master and a slave.
type stage struct {
	*testing.T
	store   *cluster.Store
	pools   *Pools
	account *Account
}

// newStage runs pools over two addresses until the test ends.
func newStage(t *testing.T, config Config, master, slave, user, password string) *stage {
	t.Helper()
	s := &stage{T: t, store: cluster.NewStore(&cluster.Topology{Master: -1})}
	if _, err := s.store.Register(func(d *cluster.RegisterDraft) error {
		d.Put(cluster.Registration{Name: "node1", Addr: master, Weight: 1})
		d.Put(cluster.Registration{Name: "node2", Addr: slave, Weight: 1})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	s.advance(func(d *cluster.RoleDraft) error { return d.SetMaster("node1", "") })
	s.pools = New(config, s.store, nil, slog.New(slog.NewTextHandler(io.Discard, nil)))
	s.account = s.pools.Account(user, wire.PasswordSecret(password))
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = s.pools.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	return s
}

// newFakeStage is newStage over a scripted server that both nodes are.
func newFakeStage(t *testing.T, config Config, handle func(*fakemysql.Conn) error) *stage {
	server := fakemysql.Serve(t, handle)
	slave := fakemysql.Serve(t, handle)
	return newStage(t, config, server.Addr(), slave.Addr(), fakemysql.User, fakemysql.Password)
}

func (s *stage) advance(change func(*cluster.RoleDraft) error) {
	s.Helper()
	if _, err := s.store.Advance(s.store.Load().Generation, change); err != nil {
		s.Fatal(err)
	}
}

// clear takes the master's role away, and returns when.
func (s *stage) clear() time.Time {
	s.advance(func(d *cluster.RoleDraft) error { d.ClearMaster(); return nil })
	return time.Now()
}

func (s *stage) want(owner Owner) *Want {
	return &Want{
		Account: s.account, Capabilities: wire.ClientDeprecateEOF, Collation: 45, Owner: owner,
		State: Charset("utf8mb4", "utf8mb4_general_ci"),
	}
}

// lease leases a connection to a node of the present topology.
func (s *stage) lease(node int, owner Owner) (*Conn, error) {
	return s.pools.Lease(s.Context(), &s.store.Load().Nodes[node], s.want(owner))
}

func (s *stage) mustLease(node int, owner Owner) *Conn {
	s.Helper()
	c, err := s.lease(node, owner)
	if err != nil {
		s.Fatal(err)
	}
	return c
}

// asked runs a statement in the background and tells how it ended.
func asked(c *Conn, sql string) <-chan error {
	ended := make(chan error, 1)
	go func() { _, err := c.Query(sql); ended <- err }()
	return ended
}

// within waits for what must come.
func within[T any](t *testing.T, d time.Duration, what string, from <-chan T) (value T) {
	t.Helper()
	select {
	case value = <-from:
	case <-time.After(d):
		t.Fatalf("%s: not within %v", what, d)
	}
	return value
}

// promptly is how soon what hangs on a former master has ended.
const promptly = 50 * time.Millisecond

// TestPausedMasterIsLetGo: a session that waits for a frozen server's answer is
// told as soon as that is the master no longer. The slave's sessions notice nothing.
func TestPausedMasterIsLetGo(t *testing.T) {
	nodes := playground.ForTest(t, playground.Options{Flavour: playground.MariaDB, Slaves: 1, Relaxed: true})
	master, slave := nodes.Node("node1"), nodes.Node("node2")
	s := newStage(t, Defaults(), master.Addr(), slave.Addr(), nodes.Operator.User, nodes.Operator.Password)
	hangs, reads := s.mustLease(0, 1), s.mustLease(1, 2)
	if err := master.Pause(); err != nil {
		t.Fatal(err)
	}
	ended := asked(hangs, "SELECT 1")
	dial := make(chan error, 1)
	go func() { _, err := s.lease(0, 3); dial <- err }()
	select {
	case err := <-ended:
		t.Fatalf("the frozen master answered: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	begun := s.clear()
	if err := within(t, time.Second, "the answer's end", ended); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the answer ended with %v", err)
	}
	if err := within(t, time.Second, "the dial's end", dial); !errors.Is(err, errMoved) {
		t.Errorf("the dial ended with %v", err)
	}
	if took := time.Since(begun); took > promptly {
		t.Errorf("let go after %v", took)
	}
	if err := reads.Ping(); err != nil || !reads.Fresh(s.store.Load().Nodes[1].Epoch) {
		t.Errorf("the slave's connection: %v", err)
	}
	if err := master.Resume(); err != nil {
		t.Fatal(err)
	}
}

// silent is a server that hangs in one statement.
func silent(c *fakemysql.Conn) error {
	for {
		_, text, err := c.Command()
		if err != nil {
			return err
		}
		if string(text) == "hang" {
			_, _, err := c.Command() // the end of the connection
			return err
		}
		if string(text) == "SELECT LAST_INSERT_ID()" {
			err = c.Rows([]string{"id"}, []string{"77"})
		} else {
			err = c.OK(wire.OK{})
		}
		if err != nil {
			return err
		}
	}
}

// TestCutEndsWhatWasBegun: leased, idle, parked, and a place in the queue.
func TestCutEndsWhatWasBegun(t *testing.T) {
	config := Defaults()
	config.MaxPerNode = 4
	s := newFakeStage(t, config, silent)
	leased, idle, parked, owing := s.mustLease(0, 1), s.mustLease(0, 2), s.mustLease(0, 3), s.mustLease(0, 4)
	slaves := s.mustLease(1, 6)
	slaves.Return()
	ended := asked(leased, "hang")
	owing.InsertID = NewCarry()
	carry := owing.InsertID
	parked.Park()
	queued := make(chan error, 1)
	full := s.mustLease(0, 5) // takes the parked one
	go func() { _, err := s.lease(0, 7); queued <- err }()
	s.await("a session queues", func() bool { return s.pools.node(&s.store.Load().Nodes[0]).queued() })
	owing.hold.Store(Owner(4).hold(holdParked)) // as Park, were nobody waiting
	begun := s.clear()
	if err := within(t, time.Second, "the answer's end", ended); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the answer ended with %v", err)
	}
	if err := within(t, time.Second, "the wait's end", queued); !errors.Is(err, errMoved) {
		t.Errorf("the wait ended with %v", err)
	}
	if took := time.Since(begun); took > promptly {
		t.Errorf("let go after %v", took)
	}
	within(t, time.Second, "the LAST_INSERT_ID()", carry.Known())
	if owing.Retake(4) || carry.Value() != "77" {
		t.Errorf("carried %q; a parked connection was taken back", carry.Value())
	}
	leased.Discard()
	full.Discard()
	idle.Return()
	if c := s.mustLease(0, 8); c == idle || c.Epoch != s.store.Load().Nodes[0].Epoch {
		t.Error("a connection of another epoch was leased")
	}
	if c := s.mustLease(1, 9); c != slaves {
		t.Error("a slave that stayed one lost its connections")
	}
}

// await waits for a state of the pools.
func (s *stage) await(what string, is func() bool) {
	s.Helper()
	for begun := time.Now(); !is(); time.Sleep(time.Millisecond) { // bounded by a minute
		if time.Since(begun) > time.Minute {
			s.Fatalf("%s: not within a minute", what)
		}
	}
}

// TestCutRaces: sessions lease, ask, park and retake while roles change. Nobody
// may go on with a connection of an older epoch than the topology that it looks at.
func TestCutRaces(t *testing.T) {
	s := newFakeStage(t, Defaults(), silent)
	stop := make(chan struct{})
	var sessions sync.WaitGroup
	for owner := range Owner(6) {
		sessions.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					s.session(owner + 1)
				}
			}
		})
	}
	for range 200 {
		s.clear()
		s.advance(func(d *cluster.RoleDraft) error { return d.SetMaster("node1", "") })
		time.Sleep(time.Millisecond) // gives sessions a chance to get anywhere
	}
	last := s.store.Load().Nodes[0].Epoch
	close(stop)
	sessions.Wait()
	s.await("older connections are closed", func() bool {
		n := s.pools.node(&s.store.Load().Nodes[0])
		n.mu.Lock()
		defer n.mu.Unlock()
		for _, p := range n.byKey {
			for _, c := range p.conns {
				if c.Epoch != last {
					return false
				}
			}
		}
		return true
	})
}

// session is one round of a session's.
func (s *stage) session(owner Owner) {
	before := s.store.Load()
	c, err := s.pools.Lease(s.Context(), &before.Nodes[0], s.want(owner))
	if err != nil {
		return
	}
	if c.Epoch != before.Nodes[0].Epoch {
		s.Errorf("leased epoch %d for %d", c.Epoch, before.Nodes[0].Epoch)
	}
	if _, err := c.Query("SELECT 1"); err != nil {
		c.Discard()
		return
	}
	c.Park()
	if c.Retake(owner) {
		if c.Fresh(s.store.Load().Nodes[0].Epoch) {
			c.Return()
		} else {
			c.Discard()
		}
	}
}
