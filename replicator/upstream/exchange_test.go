package upstream

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/fakemysql"
	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/wire"
)

// Versions that cannot be had here are spoken to as their documentation says.
func TestExchangesOfVersions(t *testing.T) {
	for _, version := range []string{
		"5.7.44-log", "8.0.25", "8.0.41", "8.4.3", "9.7.0", "10.3.39-MariaDB-log", "10.11.6-MariaDB", "11.8.2-MariaDB-ubu2404",
	} {
		t.Run(version, func(t *testing.T) {
			executed, rest := uuidA+":1-9", uuidA+":1-3"
			if strings.Contains(version, "MariaDB") {
				executed, rest = "0-1-9", "0-1-3"
			}
			s := newScript(t, version, executed, func(s *script, c *fakemysql.Conn, _ int) error {
				err := errors.Join(s.opening(c), s.events(c, true, s.transaction(4)...))
				if err == nil {
					err = reply(c, position{"binlog.000009", 1000})
				}
				if err != nil {
					return err
				}
				return fakemysql.Hang()(c)
			})
			m := newMemory(s.flavour)
			m.executed = set(t, s.flavour, rest)
			client, err := s.run(m, 1)
			if err != nil || len(m.durable()) != 1 || m.durable()[0].Number != 4 {
				t.Fatalf("got %v, %v", m.durable(), err)
			}
			if got := client.Status(); !got.SemiSync || got.Version != version || got.File != "binlog.000009" || got.Offset != 1000 {
				t.Errorf("status %+v", got)
			}
			s.checkExchange(rest)
		})
	}
}

func (s *script) checkExchange(stored string) {
	s.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := strings.Join(s.statements, "\n")
	want := []string{
		"@master_heartbeat_period = 100000000", "@source_heartbeat_period = 100000000", "@master_binlog_checksum = 'CRC32'",
		"@rpl_semi_sync_slave = 1", "@rpl_semi_sync_replica = 1",
	}
	dump := appendDumpGTID(nil, 7, set(s.T, s.flavour, stored))
	if s.flavour == cluster.FlavourMariaDB {
		want = append(want, "@mariadb_slave_capability = 4", "@slave_connect_state = '"+stored+"'")
		dump = appendDump(nil, 7)
	} else {
		want = append(want, "@slave_uuid = '"+uuidB+"'", "@replica_uuid = '"+uuidB+"'")
	}
	for _, w := range want {
		if !strings.Contains(all, w) {
			s.Errorf("never said: %s; but\n%s", w, all)
		}
	}
	if string(s.dump) != string(dump) {
		s.Errorf("asked with %x, want %x", s.dump, dump)
	}
	if n := len(s.commands); s.commands[n-2] != wire.ComRegisterSlave {
		s.Errorf("commands %v", s.commands)
	}
}

// Transactions that arrive together share one sync and one reply.
func TestOneReplyForAGroup(t *testing.T) {
	m := newMemory(cluster.FlavourMySQL)
	s := newScript(t, "9.7.0", "", func(s *script, c *fakemysql.Conn, _ int) error {
		if err := s.opening(c); err != nil {
			return err
		}
		for n := uint64(1); n <= 50; n += 5 {
			for i := range uint64(5) { // buffered: they leave together
				for j, e := range s.transaction(n + i) {
					head := []byte{0, semiSyncMagic, 0}
					if j == 2 {
						head[2] = semiSyncWantsReply
					}
					if err := c.WritePacket(append(head, e...)); err != nil {
						return err
					}
				}
			}
			if err := c.Flush(); err != nil {
				return err
			}
			// On a busy machine a group may wait too long in its middle: then it has two replies.
			for len(m.durable()) < int(n)+4 {
				if err := reply(c, position{"binlog.000009", 1000}); err != nil {
					return err
				}
			}
		}
		for { // a second reply of the last group, and the end
			if _, err := c.ReadPacket(); err != nil {
				return nil
			}
		}
	})
	client, err := s.run(m, 50)
	if err != nil {
		t.Fatal(err)
	}
	if got := client.Status(); got.Syncs < 10 || got.Syncs > 20 || got.Transactions != 50 {
		t.Errorf("%d syncs for 10 groups of together %d transactions", got.Syncs, got.Transactions)
	}
}

// A connection that breaks inside a transaction leaves nothing of it, and what
// was whole before it is kept.
func TestBrokenInsideATransaction(t *testing.T) {
	s := newScript(t, "9.7.0", uuidA+":1-2", func(s *script, c *fakemysql.Conn, connection int) error {
		if err := s.opening(c); err != nil {
			return err
		}
		if connection == 1 {
			return s.events(c, false, append(s.transaction(1), s.transaction(2)[:2]...)...)
		}
		return errors.Join(s.events(c, false, s.transaction(2)...), fakemysql.Hang()(c))
	})
	m := newMemory(cluster.FlavourMySQL)
	_, err := s.run(m, 2)
	files, _, aborts, _ := m.counts()
	if err != nil || len(m.durable()) != 2 || aborts != 1 || files != 2 {
		t.Errorf("%v, %d aborts, %d files, %v", m.durable(), aborts, files, err)
	}
}

// Silence is a broken connection; so is a farewell.
func TestReconnects(t *testing.T) {
	s := newScript(t, "10.11.6-MariaDB", "", func(s *script, c *fakemysql.Conn, connection int) error {
		switch connection {
		case 1:
			return fakemysql.Hang()(c)
		case 2:
			return errors.Join(s.opening(c), fakemysql.Hang()(c))
		case 3:
			return c.Send(wire.AppendEOF(nil, wire.EOF{}))
		case 4:
			return c.Error(wire.CodeServerShutdown, "08S01", "Server shutdown in progress")
		case 5:
			return c.PartialPacket(1, 1000, []byte{0, 1, 2, 3})
		}
		return errors.Join(s.opening(c), s.events(c, false, s.transaction(1)...), fakemysql.Hang()(c))
	})
	m := newMemory(s.flavour)
	client, err := s.run(m, 1)
	if err != nil || len(m.durable()) != 1 {
		t.Fatalf("%v, %v", m.durable(), err)
	}
	if got := client.Status(); got.LastError == nil || got.Failures != 0 {
		t.Errorf("status %+v", got)
	}
}

// What the server sends is wrong each time: there is no hope.
func TestHopeless(t *testing.T) {
	broken := madeQuery("BEGIN")
	broken[len(broken)-1]++
	for _, c := range []struct {
		name string
		dump func(*script, *fakemysql.Conn) error
		want error
	}{
		{"1236", func(_ *script, c *fakemysql.Conn) error {
			return c.Error(codeDumpFailed, "HY000", "Cannot replicate because the source purged required binary logs.")
		}, nil},
		{"checksum", func(s *script, c *fakemysql.Conn) error { return s.events(c, false, s.transaction(6)[0], broken) }, errChecksum},
		{"stored already", func(s *script, c *fakemysql.Conn) error { return s.events(c, false, s.transaction(5)...) }, errRepeated},
		{"no GTID", func(s *script, c *fakemysql.Conn) error { return s.events(c, false, s.transaction(6)[1:]...) }, event.ErrStream},
		{"no transaction", func(s *script, c *fakemysql.Conn) error {
			return s.events(c, false, s.transaction(6)[0], s.transaction(7)[0])
		}, event.ErrStream},
		{"a new file inside a transaction", func(s *script, c *fakemysql.Conn) error {
			return s.events(c, false, s.transaction(6)[0], madeFormat(s.version))
		}, event.ErrStream},
		{"no event", func(_ *script, c *fakemysql.Conn) error { return c.Send([]byte{0, 1, 2, 3}) }, event.ErrMalformed},
		{"no packet", func(_ *script, c *fakemysql.Conn) error { return c.Send([]byte{0x55, 1, 2, 3}) }, event.ErrMalformed},
		{"an empty packet", func(_ *script, c *fakemysql.Conn) error { return c.Send(nil) }, event.ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newScript(t, "9.7.0", uuidA+":1-9", func(s *script, conn *fakemysql.Conn, _ int) error {
				err := errors.Join(s.opening(conn), c.dump(s, conn))
				if err == nil {
					err = fakemysql.Hang()(conn)
				}
				return err
			})
			m := newMemory(s.flavour)
			m.executed = mysqlSet(t, uuidA+":1-5")
			_, err := s.run(m, 1)
			var r *Refusal
			if !errors.As(err, &r) || r.Reason != ReasonStream || r.Addr != s.server.Addr() || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("got %v", err)
			}
			if s.asked() != mostStrikes || len(m.durable()) > 0 {
				t.Errorf("%d connections, %v stored", s.asked(), m.durable())
			}
		})
	}
}

// No bytes in the stream hurt: whatever they are, the client goes on or gives up.
func TestGarbage(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	s := newScript(t, "9.7.0", "", func(s *script, c *fakemysql.Conn, connection int) error {
		if err := s.opening(c); err != nil {
			return err
		}
		if connection == 6 {
			return errors.Join(s.events(c, false, s.transaction(1)...), fakemysql.Hang()(c))
		}
		if connection%3 == 0 {
			return nil // so that it never is the fifth in a row
		}
		b := make([]byte, 1+random.IntN(5000))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		b[2] = 0 // a length that may be met
		_, err := c.NetConn().Write(b)
		return err
	})
	m := newMemory(s.flavour)
	begun := time.Now()
	if _, err := s.run(m, 1); err != nil || len(m.durable()) != 1 {
		t.Errorf("%v, %v after %s", m.durable(), err, time.Since(begun))
	}
}

// A master that answers as another server, or has lost what is stored, is not
// asked for anything.
func TestNotAskedWhereItIsWrong(t *testing.T) {
	for name, change := range map[string]func(*script) Reason{
		"identity": func(s *script) Reason { s.answers[askMySQL][0] = uuidB; return ReasonIdentity },
		"behind":   func(s *script) Reason { s.answers[askMySQL][2] = uuidA + ":1-2"; return ReasonBehind },
		"purged":   func(s *script) Reason { s.answers[askMySQL][3] = uuidA + ":1-7"; return ReasonPurged },
		"gtids":    func(s *script) Reason { s.answers[askMySQL][1] = "OFF"; return ReasonSettings },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, "8.4.3", uuidA+":1-9", func(*script, *fakemysql.Conn, int) error { return errors.New("it was asked") })
			s.mu.Lock()
			want := change(s)
			s.mu.Unlock()
			m := newMemory(s.flavour)
			m.executed = mysqlSet(t, uuidA+":1-3")
			_, err := s.run(m, 1)
			var r *Refusal
			if !errors.As(err, &r) || r.Reason != want || s.asked() != 0 {
				t.Errorf("got %v after %d streams", err, s.asked())
			}
		})
	}
}
