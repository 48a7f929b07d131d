package upstream

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/fakemysql"
	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/wire"
)

// script is a fake master: what it says of itself, and what it does when it is
// asked for its binary log. Its fields are set before it serves.
type script struct {
	*testing.T
	version    string
	answers    map[string][]string // query to row; a missing one is an empty set
	onDump     func(s *script, c *fakemysql.Conn, connection int) error
	flavour    cluster.Flavour
	server     *fakemysql.Server
	identity   string
	mu         sync.Mutex
	dumps      int
	statements []string
	commands   []wire.Command
	dump       []byte // the last dump command
}

// newScript is a master of a version that has executed a set.
func newScript(t *testing.T, version, executed string, onDump func(*script, *fakemysql.Conn, int) error) *script {
	s := &script{T: t, version: version, onDump: onDump, flavour: cluster.FlavourMySQL, identity: uuidA, answers: map[string][]string{
		askOwned: {""}, askMySQL: {uuidA, "ON", executed, ""}, askUptime: {"Uptime", "100"},
	}}
	semiSync := askSemiSync[1]
	switch {
	case strings.Contains(version, "MariaDB"):
		s.flavour, s.identity = cluster.FlavourMariaDB, "1@1700000000"
		s.answers[cluster.IdentityMariaDB], s.answers[askMariaDB] = []string{s.identity}, []string{executed}
		delete(s.answers, askMySQL)
	case version >= "8.0.26":
		semiSync = askSemiSync[0]
	}
	s.answers[semiSync] = []string{"1"}
	s.server = fakemysql.New(t, s.serve)
	s.server.Version = version
	if s.flavour == cluster.FlavourMariaDB {
		s.server.Version = "5.5.5-" + version
	}
	s.server.Start()
	return s
}

func (s *script) serve(c *fakemysql.Conn) error {
	for {
		command, content, err := c.Command()
		if err != nil {
			return err
		}
		s.note(command, string(content))
		switch {
		case command == wire.ComBinlogDump || command == wire.ComBinlogDumpGTID:
			return s.onDump(s, c, s.count())
		case command != wire.ComQuery, strings.HasPrefix(string(content), "SET ") && !strings.HasPrefix(string(content), "SET STATEMENT "):
			err = c.OK(wire.OK{})
		default:
			err = s.answer(c, string(content))
		}
		if err != nil {
			return err
		}
	}
}

func (s *script) answer(c *fakemysql.Conn, query string) error {
	s.mu.Lock()
	row := s.answers[query]
	s.mu.Unlock()
	switch {
	case row == nil && slices.Contains(askSemiSync[:], query):
		return c.Error(unknownVariable, "HY000", "Unknown system variable")
	case row == nil:
		return c.Rows([]string{"a", "b"})
	}
	return c.Rows(make([]string, len(row)), row)
}

func (s *script) note(command wire.Command, content string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands = append(s.commands, command)
	switch command {
	case wire.ComQuery:
		s.statements = append(s.statements, content)
	case wire.ComBinlogDump, wire.ComBinlogDumpGTID:
		s.dump = append([]byte{byte(command)}, content...)
	}
}

// count counts the streams that were asked for, from 1.
func (s *script) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dumps++
	return s.dumps
}

// asked is how often that was.
func (s *script) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dumps
}

func (s *script) config() Config {
	return Config{
		Addr: s.server.Addr(), User: fakemysql.User, Secret: wire.PasswordSecret(fakemysql.Password), TLS: wire.TLSOff,
		Identity: s.identity, ServerID: 7, UUID: uuidB, Heartbeat: 100 * time.Millisecond, SemiSync: true,
	}
}

// run runs a client until the sink has n transactions, or it gives up.
func (s *script) run(m *memory, n int) (*Client, error) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 20*time.Second)
	defer cancel()
	client := New(s.config(), m, slog.New(slog.DiscardHandler))
	var watch sync.WaitGroup
	watch.Go(func() {
		for ; ctx.Err() == nil && len(m.durable()) < n; time.Sleep(time.Millisecond) {
		}
		cancel()
	})
	err := client.Run(ctx)
	cancel()
	watch.Wait()
	return client, err
}

// The events of a stream, as a test makes them up.

func made(kind event.Type, flags uint16, body []byte) []byte {
	e := make([]byte, event.HeaderSize, event.HeaderSize+len(body)+event.ChecksumSize)
	size := len(e) + len(body) + event.ChecksumSize
	e[4], e[5] = byte(kind), 1
	binary.LittleEndian.PutUint32(e[9:], uint32(size))
	binary.LittleEndian.PutUint32(e[13:], 1000)
	binary.LittleEndian.PutUint16(e[17:], flags)
	e = append(e, body...)
	return binary.LittleEndian.AppendUint32(e, crc32.ChecksumIEEE(e))
}

func madeFormat(version string) []byte {
	body := make([]byte, 2+50+4)
	body[0] = 4
	copy(body[2:52], version)
	body = append(body, event.HeaderSize)
	body = append(body, make([]byte, 42)...) // lengths of the events' own headers
	return made(event.FormatDescription, 0, append(body, 1))
}

func madeRotate(file string) []byte {
	body := binary.LittleEndian.AppendUint64(nil, 4)
	return made(event.Rotate, event.FlagArtificial, append(body, file...))
}

func madeQuery(text string) []byte {
	return made(event.Query, 0, append(make([]byte, 4+4+1+2+2+1), text...))
}

// transaction is the n-th of the fake master.
func (s *script) transaction(n uint64) [][]byte {
	xid := made(event.XID, 0, make([]byte, 8))
	if s.flavour == cluster.FlavourMariaDB {
		body := binary.LittleEndian.AppendUint64(nil, n)
		return [][]byte{made(event.MariaGTID, 0, append(body, make([]byte, 11)...)), xid}
	}
	body := make([]byte, 1+16+8+1+16)
	body[16] = 0xa
	binary.LittleEndian.PutUint64(body[17:], n)
	body[25] = 2
	return [][]byte{made(event.GTID, 0, body), madeQuery("BEGIN"), xid}
}

// opening is what each stream begins with.
func (s *script) opening(c *fakemysql.Conn) error {
	return s.events(c, false, madeRotate("binlog.000009"), madeFormat(s.version))
}

// events sends events with semi-synchronous headers; the last wants a reply,
// or not.
func (s *script) events(c *fakemysql.Conn, reply bool, events ...[]byte) error {
	for i, e := range events {
		head := []byte{wire.HeaderOK, semiSyncMagic, 0}
		if reply && i == len(events)-1 {
			head[2] = semiSyncWantsReply
		}
		if err := c.WritePacket(append(head, e...)); err != nil {
			return err
		}
	}
	return c.Flush()
}

// reply reads a reply and compares it.
func reply(c *fakemysql.Conn, want position) error {
	c.ResetSequence()
	p, err := c.ReadPacket()
	if err != nil {
		return err
	}
	if wanted := appendReply(nil, want)[wire.HeaderSize:]; string(p) != string(wanted) {
		return fmt.Errorf("got reply %x, want %x", p, wanted)
	}
	return nil
}
