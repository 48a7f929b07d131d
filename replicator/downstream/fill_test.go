package downstream

import (
	"encoding/binary"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
)

var sourceUUID = [16]byte{0xa0, 15: 1}

// makeEvent is an event with a checksum.
func makeEvent(kind event.Type, serverID, logPos uint32, body []byte) event.Event {
	e := make(event.Event, event.HeaderSize, event.HeaderSize+len(body)+event.ChecksumSize)
	binary.LittleEndian.PutUint32(e, 1_700_000_000)
	e[4] = byte(kind)
	binary.LittleEndian.PutUint32(e[5:], serverID)
	binary.LittleEndian.PutUint32(e[9:], uint32(cap(e)))
	binary.LittleEndian.PutUint32(e[13:], logPos)
	e = append(append(e, body...), 0, 0, 0, 0)
	return sealed(e)
}

// makeFormat is a format description of a server that has just started.
func makeFormat(flavour cluster.Flavour) event.Event {
	version := "9.7.4"
	if flavour == cluster.FlavourMariaDB {
		version = "10.11.19-MariaDB-log"
	}
	body := append([]byte{4, 0}, version...)
	body = append(body, make([]byte, 2+50-len(body))...)
	body = append(body, 1, 2, 3, 4, event.HeaderSize)
	body = append(append(body, make([]byte, 41)...), 1)
	e := makeEvent(event.FormatDescription, 1, 126, body)
	e[flagsOffset] |= byte(event.FlagInUse)
	return e
}

// makeGTID is number n of a flavour.
func makeGTID(flavour cluster.Flavour, n uint64) cluster.GTID {
	if flavour == cluster.FlavourMariaDB {
		return cluster.MariaDBGTID(0, 1, n)
	}
	return cluster.MySQLGTID(sourceUUID, "", n)
}

// makeTx is a transaction of a GTID event and one of size bytes, by a server.
func makeTx(flavour cluster.Flavour, n uint64, serverID uint32, size int) memTx {
	kind, body := event.GTID, append([]byte{0}, sourceUUID[:]...)
	body = binary.LittleEndian.AppendUint64(body, n)
	if flavour == cluster.FlavourMariaDB {
		kind = event.MariaGTID
		body = append(binary.LittleEndian.AppendUint64(nil, n), 0, 0, 0, 0, 1)
	}
	logPos := uint32(1_000_000 + 1000*n)
	events := append([]byte(nil), makeEvent(kind, serverID, logPos, body)...)
	events = append(events, makeEvent(event.Query, serverID, logPos+500, make([]byte, size))...)
	return memTx{gtid: makeGTID(flavour, n), events: events}
}

// filled is a log with n small transactions in each of files files.
func filled(flavour cluster.Flavour, files, n int) *memLog {
	l := newMemLog(flavour)
	number := uint64(0)
	for range files {
		l.rotate(makeFormat(flavour))
		for range n {
			number++
			l.add(makeTx(flavour, number, 1, 50))
		}
	}
	return l
}
