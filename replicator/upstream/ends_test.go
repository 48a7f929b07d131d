package upstream

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/fakemysql"
)

// Run ends at once with its context, whatever it waits for, and leaves only
// whole transactions behind, which are durable.
func TestRunEndsWithItsContext(t *testing.T) {
	for _, c := range []struct {
		name string
		dump func(*script, *fakemysql.Conn) error
		kept int
	}{
		{"a stream that is silent", func(s *script, conn *fakemysql.Conn) error { return s.opening(conn) }, 0},
		{"an open transaction", func(s *script, conn *fakemysql.Conn) error {
			return errors.Join(s.opening(conn), s.events(conn, false, append(s.transaction(1), s.transaction(2)[:1]...)...))
		}, 1},
		{"half a packet", func(s *script, conn *fakemysql.Conn) error {
			return errors.Join(s.opening(conn), conn.PartialPacket(9, 100, []byte{0, 1, 2}))
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			reached := make(chan struct{}, 1)
			s := newScript(t, "9.7.0", uuidA+":1-2", func(s *script, conn *fakemysql.Conn, _ int) error {
				err := c.dump(s, conn)
				reached <- struct{}{}
				return errors.Join(err, fakemysql.Hang()(conn))
			})
			m := newMemory(cluster.FlavourMySQL)
			config := s.config()
			config.Heartbeat = time.Minute
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- New(config, m, slog.New(slog.DiscardHandler)).Run(ctx) }()
			<-reached
			cancel()
			select {
			case err := <-done:
				if err != nil || len(m.durable()) > c.kept || !m.open.IsZero() {
					t.Errorf("%v, %v", m.durable(), err)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("Run goes on")
			}
		})
	}
}

// A server that cannot be reached, or does not let anybody in, is tried for as
// long as it takes.
func TestNobodyAnswers(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	for _, addr := range []string{listener.Addr().String(), closed.Addr().String()} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		client := New(Config{Addr: addr}, newMemory(cluster.FlavourMySQL), slog.New(slog.DiscardHandler))
		if err := client.Run(ctx); err != nil {
			t.Errorf("%s: %v", addr, err)
		}
		cancel()
		if s := client.Status(); s.Connected || addr != listener.Addr().String() && s.Failures == 0 {
			t.Errorf("status %+v", s)
		}
	}
}

// Who watches is told when the stream begins and when it ends.
func TestChanged(t *testing.T) {
	leave := make(chan struct{})
	s := newScript(t, "9.7.0", "", func(s *script, c *fakemysql.Conn, connection int) error {
		err := s.opening(c)
		if connection == 1 {
			<-leave
			return err
		}
		return errors.Join(err, fakemysql.Hang()(c))
	})
	client := New(s.config(), newMemory(s.flavour), slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	changed := client.Changed()
	go func() { done <- client.Run(ctx) }()
	for i, want := range []bool{true, false, true} {
		select {
		case <-changed:
		case <-time.After(10 * time.Second):
			t.Fatal("not told")
		}
		changed = client.Changed()
		if got := client.Status(); got.Connected != want {
			t.Errorf("change %d: %+v", i, got)
		}
		if i == 0 {
			close(leave)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Every way that a sink can fail ends Run, and nothing is acknowledged.
func TestTheSinkFails(t *testing.T) {
	full := errors.New("no space left")
	for name, change := range map[string]func(*memory){
		"append": func(m *memory) { m.write = func() error { return full } },
		"sync":   func(m *memory) { m.sync = func() error { return full } },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, "9.7.0", "", func(s *script, c *fakemysql.Conn, _ int) error {
				if err := errors.Join(s.opening(c), s.events(c, true, s.transaction(1)...)); err != nil {
					return err
				}
				c.ResetSequence()
				if p, err := c.ReadPacket(); err == nil {
					t.Errorf("a reply: %x", p)
				}
				return nil
			})
			m := newMemory(s.flavour)
			change(m)
			client, err := s.run(m, 1)
			var r *Refusal
			if !errors.As(err, &r) || r.Reason != ReasonSink || !errors.Is(err, full) {
				t.Errorf("got %v", err)
			}
			if got := client.Status(); got.Connected || got.Acknowledged > 0 {
				t.Errorf("status %+v", got)
			}
		})
	}
}

// A transaction that comes twice on one connection is stored once.
func TestTwiceOnAConnection(t *testing.T) {
	s := newScript(t, "9.7.0", uuidA+":1-9", func(s *script, c *fakemysql.Conn, _ int) error {
		return errors.Join(s.opening(c), s.events(c, false, append(s.transaction(6), s.transaction(6)...)...), fakemysql.Hang()(c))
	})
	m := newMemory(s.flavour)
	_, err := s.run(m, 2)
	var r *Refusal
	if !errors.As(err, &r) || r.Reason != ReasonStream || !errors.Is(err, errRepeated) || len(m.durable()) != 1 {
		t.Errorf("%v, %v", m.durable(), err)
	}
}

// Of a master that was started again nothing that it owns can be what is stored: it gives
// what it has lost to others.
func TestRestartedMasterOwnsWhatItLost(t *testing.T) {
	s := newScript(t, "9.7.0", uuidA+":1-5", func(s *script, c *fakemysql.Conn, _ int) error {
		err := errors.Join(s.opening(c), s.events(c, true, s.transaction(6)...), reply(c, position{"binlog.000009", 1000}))
		<-time.After(1100 * time.Millisecond) // uptimes are in whole seconds
		s.mu.Lock()
		defer s.mu.Unlock()
		s.answers[askOwned], s.answers[askUptime] = []string{uuidA + ":6#9"}, []string{"Uptime", "0"}
		return err
	})
	c, m := s.config(), newMemory(s.flavour)
	c.Heartbeat, m.executed = time.Second, mysqlSet(t, uuidA+":1-5")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var r *Refusal
	if err := New(c, m, slog.New(slog.DiscardHandler)).Run(ctx); !errors.As(err, &r) || r.Reason != ReasonBehind || r.Missing.String() != uuidA+":6" {
		t.Errorf("got %v after %d streams", err, s.asked())
	}
}

// Whoever asks for a reply, and where: none is given inside a transaction.
func TestNoReplyInsideATransaction(t *testing.T) {
	s := newScript(t, "9.7.0", "", func(s *script, c *fakemysql.Conn, _ int) error {
		events := s.transaction(1)
		if err := errors.Join(s.opening(c), s.events(c, true, events[:2]...), c.NetConn().SetReadDeadline(time.Now().Add(100*time.Millisecond))); err != nil {
			return err
		}
		c.ResetSequence()
		if p, err := c.ReadPacket(); err == nil {
			t.Errorf("a reply: %x", p)
		}
		err := errors.Join(c.NetConn().SetReadDeadline(time.Time{}), s.events(c, false, events[2:]...), reply(c, position{"binlog.000009", 1000}))
		if err != nil {
			t.Error(err)
		}
		return fakemysql.Hang()(c)
	})
	if _, err := s.run(newMemory(s.flavour), 1); err != nil {
		t.Error(err)
	}
}

func TestRestartIsNoticed(t *testing.T) {
	c := New(Config{}, nil, slog.New(slog.DiscardHandler))
	if c.restarted(facts{}) {
		t.Error("without any contact")
	}
	c.contact = time.Now().Add(-10 * time.Second)
	for uptime, want := range map[time.Duration]bool{5: true, 8: true, 10: false, 100: false} {
		if got := c.restarted(facts{uptime: uptime * time.Second}); got != want {
			t.Errorf("up for %ds, heard of 10 s ago: %t", uptime, got)
		}
	}
}
