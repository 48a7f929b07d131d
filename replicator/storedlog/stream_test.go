package storedlog

import (
	"encoding/binary"
	"hash/crc32"
	"log/slog"
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
)

var (
	uuid    = [16]byte{0x3e, 0x11, 0xfa, 0x47, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	flavour = cluster.FlavourMySQL
)

// made is an event of a type with a body and a checksum.
func made(kind event.Type, server uint32, body []byte) event.Event {
	e := make(event.Event, event.HeaderSize, event.HeaderSize+len(body)+4)
	e[4] = byte(kind)
	binary.LittleEndian.PutUint32(e[5:], server)
	binary.LittleEndian.PutUint32(e[9:], uint32(cap(e)))
	e = append(e, body...)
	return binary.LittleEndian.AppendUint32(e, crc32.ChecksumIEEE(e))
}

// formatOf is a format description of a server of that version.
func formatOf(version string, created uint32) event.Event {
	body := make([]byte, 57+40+1)
	body[0], body[56], body[len(body)-1] = 4, event.HeaderSize, 1
	copy(body[2:], version)
	binary.LittleEndian.PutUint32(body[52:], created)
	return made(event.FormatDescription, 1, body)
}

var mysqlFormat = formatOf("9.7.4", 0)

// transaction is the nth of a MySQL server, with about size bytes of rows.
func transaction(n uint64, size int) []event.Event {
	gtid := binary.LittleEndian.AppendUint64(append([]byte{0}, uuid[:]...), n)
	rows := []byte(strings.Repeat(string(rune('a'+n%26)), size))
	return []event.Event{
		made(event.GTID, 1, append(gtid, make([]byte, 17)...)),
		made(event.Query, 1, append(make([]byte, 14), "BEGIN"...)),
		made(event.TableMap, 1, []byte("table")),
		made(event.WriteRows, 1, rows),
		made(event.XID, 1, make([]byte, 8)),
	}
}

// mariaTransaction is one statement of a MariaDB server.
func mariaTransaction(domain, server uint32, sequence uint64, size int) []event.Event {
	gtid := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint64(nil, sequence), domain)
	text := append(make([]byte, 14), strings.Repeat("x", size)...)
	return []event.Event{
		made(event.MariaGTID, server, append(gtid, 1, 0, 0, 0, 0, 0, 0)),
		made(event.Query, server, text),
	}
}

func sizeOf(events []event.Event) (n int64) {
	for _, e := range events {
		n += int64(len(e))
	}
	return n
}

// set is a MySQL set of the test's server: "1-5:7".
func set(t testing.TB, numbers string) *cluster.GTIDSet {
	t.Helper()
	if numbers == "" {
		return cluster.EmptyGTIDSet(flavour)
	}
	s, err := cluster.ParseGTIDSet(flavour, "3e11fa47-0102-0304-0506-0708090a0b0c:"+numbers)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// opened opens a log of a test on its own folder.
func opened(t testing.TB, c Config) *Log {
	t.Helper()
	if c.Flavour == 0 {
		c.Flavour = flavour
	}
	l, err := Open(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// appendAll appends the events of transactions.
func appendAll(l *Log, events []event.Event) error {
	tracker := event.NewTracker(event.Format{Checksum: true})
	for _, e := range events {
		m, err := tracker.Next(e)
		if err == nil {
			err = l.Append(e, m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// write appends the transactions from first to last, syncs and says so.
func write(t testing.TB, l *Log, first, last uint64, size int) {
	t.Helper()
	for n := first; n <= last; n++ {
		if err := appendAll(l, transaction(n, size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Sync(); err != nil {
		t.Fatal(err)
	}
}

func rotate(t testing.TB, l *Log) {
	t.Helper()
	if err := l.Rotate(mysqlFormat); err != nil {
		t.Fatal(err)
	}
}
