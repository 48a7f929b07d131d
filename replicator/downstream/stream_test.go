package downstream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/wire"
)

var flavours = []cluster.Flavour{cluster.FlavourMySQL, cluster.FlavourMariaDB}

// reads is a client that has said all a slave says before its dump.
func reads(t testing.TB, s *Server, flavour cluster.Flavour, have *cluster.GTIDSet) *client {
	t.Helper()
	c := dial(t, s)
	c.must("SET @master_binlog_checksum = @@global.binlog_checksum, @source_binlog_checksum = @@global.binlog_checksum")
	if flavour == cluster.FlavourMariaDB {
		c.must("SET @mariadb_slave_capability=4")
		c.must(fmt.Sprintf("SET @slave_connect_state='%s'", have))
	}
	return c
}

// asks registers and dumps.
func (c *client) asks(flavour cluster.Flavour, flags uint16, serverID uint32, have *cluster.GTIDSet) {
	c.t.Helper()
	c.register(serverID)
	if flavour == cluster.FlavourMariaDB {
		c.dump(flags, serverID, "", 4)
		return
	}
	c.dumpGTID(flags, serverID, have)
}

// set is numbers 1 to n of the log that filled makes.
func set(flavour cluster.Flavour, n uint64) *cluster.GTIDSet {
	out := cluster.EmptyGTIDSet(flavour)
	for i := uint64(1); i <= n; i++ {
		out = out.With(makeGTID(flavour, i))
	}
	return out
}

func types(events []event.Event) (out []event.Type) {
	for _, e := range events {
		out = append(out, e.Type())
	}
	return out
}

func TestStream(t *testing.T) {
	for _, flavour := range flavours {
		t.Run(flavour.String(), func(t *testing.T) {
			log := filled(flavour, 2, 2)
			s := serve(t, testConfig(flavour), log)
			c := reads(t, s, flavour, set(flavour, 1))
			c.asks(flavour, flagNonBlocking, 7, set(flavour, 1))
			got, err := c.events(1000)
			if !errors.Is(err, io.EOF) {
				t.Fatalf("the stream ends with %v", err)
			}
			gtid, list := event.GTID, event.PreviousGTIDs
			if flavour == cluster.FlavourMariaDB {
				gtid, list = event.MariaGTID, event.MariaGTIDList
			}
			want := []event.Type{
				event.Rotate, event.FormatDescription, list, gtid, event.Query,
				event.Rotate, event.FormatDescription, list, gtid, event.Query, gtid, event.Query,
			}
			if !slices.Equal(types(got), want) {
				t.Fatalf("got %v, want %v", types(got), want)
			}
			for i, e := range got {
				if !e.ChecksumOK() {
					t.Errorf("event %d, %v: its checksum is wrong", i, e.Type())
				}
			}
			stored := log.files[0].txs[1].events
			if sent := slices.Concat(got[3], got[4]); !bytes.Equal(sent, stored) {
				t.Errorf("the transaction is not as stored:\n%x\n%x", sent, stored)
			}
			checkOpening(t, flavour, got)
		})
	}
}

// checkOpening looks at what stands before the first transaction of each file.
func checkOpening(t *testing.T, flavour cluster.Flavour, got []event.Event) {
	t.Helper()
	for i, name := range []string{"stored.000001", "stored.000002"} {
		rotate, format, list := got[5*i], got[5*i+1], got[5*i+2]
		if rotate.LogPos() != 0 || rotate.Flags() != event.FlagArtificial || rotate.ServerID() != testServerID ||
			binary.LittleEndian.Uint64(rotate[event.HeaderSize:]) != 4 || !bytes.Contains(rotate, []byte(name)) {
			t.Errorf("file %d: rotate is % x", i, rotate)
		}
		if format.Flags()&event.FlagInUse != 0 {
			t.Errorf("file %d: the format says that the file is in use", i)
		}
		started := binary.LittleEndian.Uint32(format[createdOffset:])
		if partial := i == 0; partial != (started == 0) {
			t.Errorf("file %d: the format says that the master started at %d", i, started)
		}
		if wantPos := uint32(4 + len(format) + len(list)); list.LogPos() != wantPos {
			t.Errorf("file %d: the list ends at %d, want %d", i, list.LogPos(), wantPos)
		}
		if mariaDB := flavour == cluster.FlavourMariaDB; i == 0 && mariaDB != (format.LogPos() == 0) {
			t.Errorf("file %d: the format has position %d", i, format.LogPos())
		}
	}
}

// A slave that waits gets what comes, at once.
func TestStreamGoesOn(t *testing.T) {
	for _, flavour := range flavours {
		t.Run(flavour.String(), func(t *testing.T) {
			log := filled(flavour, 1, 1)
			s := serve(t, testConfig(flavour), log)
			c := reads(t, s, flavour, set(flavour, 1))
			c.asks(flavour, 0, 7, set(flavour, 1))
			if _, err := c.events(3); err != nil {
				t.Fatal(err)
			}
			for n := uint64(2); n < 20; n++ {
				log.add(makeTx(flavour, n, 1, 10))
				got, err := c.events(2)
				if err != nil || !bytes.Equal(slices.Concat(got[0], got[1]), log.files[0].txs[n-1].events) {
					t.Fatalf("transaction %d: %v, %v", n, types(got), err)
				}
			}
			slaves := s.Slaves()
			if len(slaves) != 1 || slaves[0].ServerID != 7 || slaves[0].Host != "host" || slaves[0].Port != 12345 || !slaves[0].Registered {
				t.Errorf("slaves: %+v", slaves)
			}
		})
	}
}

// Events of any length arrive whole, also around the edges of frames.
func TestLongEvents(t *testing.T) {
	t.Parallel()
	flavour := cluster.FlavourMySQL
	log := newMemLog(flavour)
	log.rotate(makeFormat(flavour))
	const overhead = event.HeaderSize + event.ChecksumSize + 1
	sizes := []int{0, batch - overhead - 60, batch, 3 * batch, wire.MaxPiece - overhead,
		wire.MaxPiece - overhead + 1, 2*wire.MaxPiece - overhead}
	for i, size := range sizes {
		log.add(makeTx(flavour, uint64(i+1), 1, size))
	}
	s := serve(t, testConfig(flavour), log)
	c := reads(t, s, flavour, nil)
	c.asks(flavour, flagNonBlocking, 7, cluster.EmptyGTIDSet(flavour))
	c.conn.SetMaxPacket(64 << 20)
	if _, err := c.events(3); err != nil {
		t.Fatal(err)
	}
	for i, tx := range log.files[0].txs {
		got, err := c.events(2)
		if err != nil || !bytes.Equal(slices.Concat(got[0], got[1]), tx.events) {
			t.Fatalf("event of %d bytes: %v, %v", sizes[i], types(got), err)
		}
	}
	if _, err := c.event(); !errors.Is(err, io.EOF) {
		t.Errorf("the stream ends with %v", err)
	}
}

// What cannot be served is said, with an error that stops the slave.
func TestRefusals(t *testing.T) {
	mysql, mariaDB := cluster.FlavourMySQL, cluster.FlavourMariaDB
	errant, _ := cluster.ParseGTIDSet(mysql, "a0000000-0000-0000-0000-000000000001:1-99,c0000000-0000-0000-0000-000000000001:7")
	for _, tc := range []struct {
		name string
		ask  func(*client)
		on   cluster.Flavour
		want string
	}{
		{"purged", func(c *client) { c.asks(mysql, 0, 7, set(mysql, 1)) }, mysql, "/sync"},
		{"errant", func(c *client) { c.asks(mysql, 0, 7, errant) }, mysql, "c0000000-0000-0000-0000-000000000001:7"},
		{"errant MariaDB", func(c *client) {
			c.must("SET @slave_connect_state='0-1-99'")
			c.asks(mariaDB, 0, 7, nil)
		}, mariaDB, "0-1-99"},
		{"MySQL slave by position", func(c *client) { c.register(7); c.dump(0, 7, "", 4) }, mysql, "SOURCE_AUTO_POSITION"},
		{"old MariaDB slave", func(c *client) { c.must("SET @mariadb_slave_capability=2"); c.asks(mariaDB, 0, 7, nil) }, mariaDB, "GTIDs"},
		{"until", func(c *client) { c.must("SET @slave_until_gtid='0-1-4'"); c.asks(mariaDB, 0, 7, nil) }, mariaDB, "UNTIL"},
		{"state that is none", func(c *client) { c.must("SET @slave_connect_state='x'"); c.asks(mariaDB, 0, 7, nil) }, mariaDB, "position"},
		{"knows no checksums", func(c *client) {
			c.command(wire.ComResetConnection, nil)
			c.packet()
			c.asks(mysql, 0, 7, set(mysql, 5))
		}, mysql, "checksum"},
		{"file that is not there", func(c *client) { c.dump(0, 7, "other.000009", 4) }, mysql, "log file name"},
		{"position behind the end", func(c *client) { c.dump(0, 7, "stored.000001", 1<<30) }, mysql, "file size"},
		{"position inside an event", func(c *client) { c.dump(0, 7, "stored.000001", 500) }, mysql, "impossible position"},
		{"short command", func(c *client) { c.command(wire.ComBinlogDump, []byte{1}) }, mysql, "dump command"},
		{"short GTID command", func(c *client) { c.command(wire.ComBinlogDumpGTID, []byte{1}) }, mysql, "dump command"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			log := filled(tc.on, 1, 5)
			log.before = set(tc.on, 0)
			if tc.name == "purged" {
				log.before = set(tc.on, 3)
			}
			s := serve(t, testConfig(tc.on), log)
			c := reads(t, s, tc.on, cluster.EmptyGTIDSet(tc.on))
			tc.ask(c)
			_, err := c.events(100)
			var refusal *wire.ServerError
			if !errors.As(err, &refusal) || refusal.Code != codeFatal || !strings.Contains(refusal.Message, tc.want) || len(refusal.Message) > 511 {
				t.Errorf("got %v, want error %d with %q", err, codeFatal, tc.want)
			}
		})
	}
}

// A slave that is ahead of the log is served once the log has what it has.
func TestAheadForAMoment(t *testing.T) {
	flavour := cluster.FlavourMySQL
	log := filled(flavour, 1, 2)
	config := testConfig(flavour)
	config.AheadGrace = 20 * time.Second
	s := serve(t, config, log)
	c := reads(t, s, flavour, nil)
	c.asks(flavour, 0, 7, set(flavour, 4))
	for n := uint64(3); n <= 5; n++ {
		pause(t.Context(), 10*time.Millisecond)
		log.add(makeTx(flavour, n, 1, 10))
	}
	got, err := c.events(5)
	if err != nil || !bytes.Equal(slices.Concat(got[3], got[4]), log.files[0].txs[4].events) {
		t.Errorf("got %v, %v", types(got), err)
	}
}
