package downstream

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/wire"
)

const (
	testUser, testPassword = "repl", "secret"
	testUUID               = "b0000000-0000-4000-8000-00000000beef"
	testServerID           = 4000
)

// testConfig serves slaves of a flavour on a free port.
func testConfig(flavour cluster.Flavour) Config {
	version := "9.7.4"
	if flavour == cluster.FlavourMariaDB {
		version = "10.11.19-MariaDB"
	}
	return Config{
		Listen: "127.0.0.1:0", Flavour: flavour, Version: version, ServerID: testServerID, UUID: testUUID,
		Accounts: []Account{{Name: testUser, Secret: wire.PasswordSecret(testPassword)}}, AheadGrace: 50 * time.Millisecond,
	}
}

// serve runs a server until the test ends.
func serve(t testing.TB, c Config, log Log, change ...func(*Server)) *Server {
	t.Helper()
	s, err := New(c, log, slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(s)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(time.Minute):
			t.Error("the server does not end")
		}
		if n := len(s.sessions) + len(s.streams); n > 0 {
			t.Errorf("%d sessions and streams are left", n)
		}
	})
	return s
}

// client is the other side of the protocol, by hand.
type client struct {
	t    testing.TB
	conn *wire.Conn
	caps wire.Capability
}

func dial(t testing.TB, s *Server) *client {
	t.Helper()
	conn, hello, err := wire.Dial(t.Context(), &wire.DialConfig{
		Addr: s.Addr().String(), User: testUser, Secret: wire.PasswordSecret(testPassword),
		Capabilities: wire.ClientDeprecateEOF, Collation: 45, Timeout: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	return &client{t, conn, hello.Capabilities}
}

func (c *client) command(command wire.Command, content []byte) {
	c.t.Helper()
	c.conn.ResetSequence()
	if err := c.conn.WritePacket(append([]byte{byte(command)}, content...)); err != nil {
		c.t.Fatal(err)
	}
	if err := c.conn.Flush(); err != nil {
		c.t.Fatal(err)
	}
}

// ask sends a query and returns its rows, or its error.
func (c *client) ask(query string) ([][]string, *wire.ServerError) {
	c.t.Helper()
	c.command(wire.ComQuery, []byte(query))
	p := c.packet()
	switch {
	case wire.IsError(p):
		e, err := wire.ParseError(p)
		if err != nil {
			c.t.Fatal(err)
		}
		return nil, e
	case p[0] == wire.HeaderOK:
		return nil, nil
	}
	for range p[0] {
		c.packet()
	}
	var rows [][]string
	for {
		p := c.packet()
		if wire.IsEOF(p, c.caps) {
			return rows, nil
		}
		values, err := wire.ParseTextRow(nil, p)
		if err != nil {
			c.t.Fatal(err)
		}
		row := make([]string, len(values))
		for i, v := range values {
			row[i] = string(v)
		}
		rows = append(rows, row)
	}
}

// must asks what may not be refused, and returns the first value.
func (c *client) must(query string) string {
	c.t.Helper()
	rows, refusal := c.ask(query)
	if refusal != nil {
		c.t.Fatalf("%s: %v", query, refusal)
	}
	if len(rows) == 0 || len(rows[0]) == 0 {
		return ""
	}
	return rows[0][0]
}

func (c *client) packet() []byte {
	c.t.Helper()
	p, err := c.conn.ReadPacket()
	if err != nil {
		c.t.Fatal(err)
	}
	return p
}

// register says who the slave is.
func (c *client) register(serverID uint32) {
	c.t.Helper()
	b := binary.LittleEndian.AppendUint32(nil, serverID)
	b = append(append(b, 4), "host"...)
	b = append(b, 0, 0, 0x39, 0x30, 0, 0, 0, 0, 0, 0, 0, 0)
	c.command(wire.ComRegisterSlave, b)
	if p := c.packet(); p[0] != wire.HeaderOK {
		c.t.Fatalf("register: %q", p)
	}
}

// dumpGTID asks a MySQL source for what a set lacks.
func (c *client) dumpGTID(flags uint16, serverID uint32, have *cluster.GTIDSet) {
	c.t.Helper()
	set := have.AppendBinary(nil)
	b := binary.LittleEndian.AppendUint16(nil, flags)
	b = binary.LittleEndian.AppendUint32(b, serverID)
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint64(b, 4)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(set)))
	c.command(wire.ComBinlogDumpGTID, append(b, set...))
}

// dump asks by file and position, or a MariaDB source by its variables.
func (c *client) dump(flags uint16, serverID uint32, file string, position uint32) {
	c.t.Helper()
	b := binary.LittleEndian.AppendUint32(nil, position)
	b = binary.LittleEndian.AppendUint16(b, flags)
	b = binary.LittleEndian.AppendUint32(b, serverID)
	c.command(wire.ComBinlogDump, append(b, file...))
}

// event reads the next event, borrowed; the end of the stream is io.EOF, a
// refusal a *wire.ServerError.
func (c *client) event() (event.Event, error) {
	c.t.Helper()
	p, err := c.conn.ReadPacket()
	switch {
	case err != nil:
		return nil, err
	case wire.IsError(p):
		refusal, err := wire.ParseError(p)
		return nil, errors.Join(refusal, err)
	case p[0] == wire.HeaderEOF && len(p) < 9:
		return nil, io.EOF
	}
	return event.Check(p[1:])
}

// events reads events until the stream ends or want have come.
func (c *client) events(want int) (out []event.Event, err error) {
	c.t.Helper()
	for len(out) < want {
		e, err := c.event()
		if err != nil {
			return out, err
		}
		out = append(out, append(event.Event(nil), e...))
	}
	return out, nil
}
