package downstream

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/wire"
)

func TestParseDump(t *testing.T) {
	d, err := parseDump([]byte("\x04\x00\x00\x00\x02\x00\x07\x00\x00\x00binlog.000003"))
	if err != nil || d.position != 4 || d.flags != flagAnnotate || d.serverID != 7 || d.file != "binlog.000003" || d.have != nil {
		t.Errorf("%+v, %v", d, err)
	}
	have := set(cluster.FlavourMySQL, 3)
	body := have.AppendBinary(nil)
	packet := append([]byte("\x02\x00\x07\x00\x00\x00\x01\x00\x00\x00f\x04\x00\x00\x00\x00\x00\x00\x00"), byte(len(body)), 0, 0, 0)
	d, err = parseDumpGTID(append(packet, body...))
	if err != nil || d.position != 4 || d.flags != flagHeartbeatV2 || d.serverID != 7 || d.file != "f" || !d.have.Equal(have) {
		t.Errorf("%+v, %v", d, err)
	}
	for n := range packet {
		if _, err := parseDumpGTID(packet[:n]); err == nil {
			t.Errorf("%d bytes are taken for a command", n)
		}
	}
}

func FuzzPackets(f *testing.F) {
	f.Add([]byte("\x04\x00\x00\x00\x02\x00\x07\x00\x00\x00binlog.000003"))
	f.Add([]byte("\x07\x00\x00\x00\x04host\x00\x00\x39\x30\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add(append([]byte("\x02\x00\x07\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x30\x00\x00\x00"), set(cluster.FlavourMySQL, 3).AppendBinary(nil)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = parseRegistration(b)
		if d, err := parseDump(b); err == nil && (d.have != nil || len(d.file) > maxFileNameBytes) {
			t.Errorf("%+v", d)
		}
		if d, err := parseDumpGTID(b); err == nil && d.have == nil {
			t.Errorf("%+v without a set", d)
		}
	})
}

// FuzzPieces gives the shell of a stream whatever a damaged log could hold.
func FuzzPieces(f *testing.F) {
	f.Add([]byte(makeTx(cluster.FlavourMySQL, 1, 1, 20).events))
	f.Add([]byte(makeFormat(cluster.FlavourMySQL)))
	f.Fuzz(func(t *testing.T, b []byte) {
		for rest := b; len(rest) > 0; {
			e, after, err := cut(rest)
			if err != nil {
				return
			}
			if len(e)+len(after) != len(rest) {
				t.Fatalf("%d and %d of %d bytes", len(e), len(after), len(rest))
			}
			if d := disguised(nil, e, 9); d.ServerID() != 9 || !d.ChecksumOK() {
				t.Error("a disguised event is not sound")
			}
			openingFormat(nil, e, true, false)
			rest = after
		}
	})
}

// What a heartbeat says is never below what the slave counts.
func TestPlace(t *testing.T) {
	at := position{offset: 100, counted: 120, logPos: 110}
	if got := place(false, at); got != 120 {
		t.Errorf("MySQL: %d", got)
	}
	if got := place(true, at); got != 110 {
		t.Errorf("MariaDB: %d", got)
	}
	if got := place(true, position{offset: 1 << 33, logPos: 5}); got != 1<<33 {
		t.Errorf("MariaDB: %d", got)
	}
}

// Whatever comes in costs that connection at most.
func TestGarbage(t *testing.T) {
	t.Parallel()
	config := testConfig(cluster.FlavourMySQL)
	config.HandshakeTimeout = 2 * time.Second
	s := serve(t, config, filled(cluster.FlavourMySQL, 1, 2))
	other := dial(t, s)
	random := rand.New(rand.NewPCG(3, 4))
	for n := range 60 {
		junk := make([]byte, 1+random.IntN(400))
		for i := range junk {
			junk[i] = byte(random.Uint32())
		}
		if n%2 == 0 { // a frame of a login
			junk = append(binary.LittleEndian.AppendUint32(nil, uint32(len(junk))|1<<24), junk...)
		}
		throw(t, s, junk)
	}
	throw(t, s, nil) // one that says nothing
	for _, junk := range [][]byte{{}, {0x63}, {0x15}, {0x15, 1, 0, 0, 0, 200, 'x'}, {0x12}, {0x1e, 0, 0}, {0x1e, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff},
		{0x17, 1}, {0x11, 'a'}, {3}, {3, 0xff, 0xfe}, {0x1b}, bytes.Repeat([]byte{0x1e, 0xff}, 4000)} {
		c := dial(t, s)
		c.conn.ResetSequence()
		if err := c.conn.WritePacket(junk); err != nil {
			t.Fatal(err)
		}
		if err := c.conn.Flush(); err != nil {
			t.Fatal(err)
		}
		_ = c.conn.NetConn().(*net.TCPConn).CloseWrite()
		if _, err := io.Copy(io.Discard, c.conn.NetConn()); err != nil {
			t.Errorf("after %.10q: %v", junk, err)
		}
		if got := other.must("SELECT 1"); got != "1" {
			t.Fatalf("another client has %q", got)
		}
	}
}

// throw sends bytes in place of a login and wants to be hung up on.
func throw(t *testing.T, s *Server, junk []byte) {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if len(junk) > 0 { // who says nothing at all also does not hang up
		_, _ = c.Write(junk)
		_ = c.(*net.TCPConn).CloseWrite()
	}
	if _, err := io.Copy(io.Discard, c); err != nil {
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() { //nolint:errorlint // net returns it bare
			t.Errorf("%.10q: not hung up on", junk)
		}
	}
}

func TestLogins(t *testing.T) {
	t.Parallel()
	s := serve(t, testConfig(cluster.FlavourMySQL), filled(cluster.FlavourMySQL, 1, 1))
	for _, login := range []wire.DialConfig{
		{User: testUser, Secret: wire.PasswordSecret("wrong")}, {User: testUser}, {User: "nobody", Secret: wire.PasswordSecret(testPassword)},
		{User: testUser, Secret: wire.PasswordSecret("")},
	} {
		login.Addr, login.Timeout = s.Addr().String(), 5*time.Second
		if c, _, err := wire.Dial(t.Context(), &login); err == nil {
			c.Close()
			t.Errorf("%q is let in with a wrong password", login.User)
		}
	}
}

// A guest is let in with the password of the moment, and is nobody else.
func TestGuest(t *testing.T) {
	t.Parallel()
	config := testConfig(cluster.FlavourMySQL)
	var guest atomic.Pointer[Account]
	config.Guest = func() Account { return *guest.Load() }
	s := serve(t, config, filled(cluster.FlavourMySQL, 1, 1))
	for _, c := range []struct {
		guest    Account
		user, by string
		in       bool
	}{
		{Account{}, "", "", false}, {Account{}, "guest", "one", false}, {Account{}, testUser, testPassword, true},
		{Account{"guest", wire.PasswordSecret("one")}, "guest", "one", true}, {Account{"guest", wire.PasswordSecret("one")}, "guest", "two", false},
		{Account{"guest", wire.PasswordSecret("two")}, "guest", "one", false}, {Account{"guest", wire.PasswordSecret("two")}, "other", "two", false},
		{Account{testUser, wire.PasswordSecret("two")}, testUser, "two", false}, {Account{testUser, wire.PasswordSecret("two")}, testUser, testPassword, true},
	} {
		guest.Store(&c.guest)
		login := wire.DialConfig{User: c.user, Secret: wire.PasswordSecret(c.by), Addr: s.Addr().String(), Timeout: 5 * time.Second}
		conn, _, err := wire.Dial(t.Context(), &login)
		if err == nil {
			conn.Close()
		}
		if (err == nil) != c.in {
			t.Errorf("%q with %q while the guest is %q: %v", c.user, c.by, c.guest.Name, err)
		}
	}
}

func TestConnectionLimit(t *testing.T) {
	t.Parallel()
	config := testConfig(cluster.FlavourMySQL)
	config.MaxConnections = 2
	s := serve(t, config, filled(cluster.FlavourMySQL, 1, 1))
	first := dial(t, s)
	second := dial(t, s)
	if _, _, err := wire.Dial(t.Context(), &wire.DialConfig{Addr: s.Addr().String(), User: testUser, Timeout: 5 * time.Second}); err == nil {
		t.Error("a third one is let in where two are allowed")
	}
	if _, refusal := first.ask("KILL " + second.must("SELECT CONNECTION_ID()")); refusal != nil {
		t.Error(refusal)
	}
	if _, err := second.conn.ReadPacket(); err == nil {
		t.Error("a killed connection goes on")
	}
	if _, refusal := first.ask("KILL 99"); refusal == nil || refusal.Code != 1094 {
		t.Errorf("KILL of nobody: %v", refusal)
	}
}

// The format of a file that says less than servers do is left as it is.
func TestOpeningFormat(t *testing.T) {
	short := makeEvent(event.FormatDescription, 1, 40, []byte{4, 0})
	if got := openingFormat(nil, short, true, false); !bytes.Equal(got, short) {
		t.Errorf("% x", got)
	}
	whole := makeFormat(cluster.FlavourMySQL)
	if got := openingFormat(nil, whole, false, true); got.Flags() != 0 || !got.ChecksumOK() || !bytes.Equal(got[createdOffset:len(got)-4], whole[createdOffset:len(whole)-4]) {
		t.Errorf("% x", got)
	}
}
