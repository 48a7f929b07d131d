package downstream

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/bellwether-db/bellwether/replicator/event"
)

// shape is what is done to the stream so that no slave loses events in silence
// or stops over a heartbeat. It is a value; tests take parts of it away.
type shape struct {
	// disguise keeps a slave from ignoring its own former transactions.
	disguise bool
	// exact keeps a MariaDB slave from telling that it has what it does not show.
	exact bool
	// place is where a heartbeat says that the log ends.
	place func(mariaDB bool, at position) uint64
}

// position is how far a slave has come in a file of ours, in three ways of
// counting. It is a value.
type position struct {
	offset  uint64 // in our file
	counted uint64 // where the stream began, and the lengths of what was sent since
	logPos  uint32 // what the last event says of itself, in the master's file
	added   uint64 // what was sent beside the stored events, which logPos does not count
}

// place is the position of a heartbeat. A slave stops when it is told less than
// it has computed: MySQL counts the lengths, MariaDB believes the events. More
// does no harm.
func place(mariaDB bool, at position) uint64 {
	if mariaDB {
		return max(at.offset, uint64(at.logPos)) + at.added
	}
	return max(at.offset, at.counted)
}

// Offsets in an event and in the body of a format description
// (binlog_version 2, server_version 50, created 4).
const (
	serverIDOffset = 5
	sizeOffset     = 9
	logPosOffset   = 13
	flagsOffset    = 17
	createdOffset  = event.HeaderSize + 2 + 50
)

// sealed writes the checksum of an event anew, in place.
func sealed(e event.Event) event.Event {
	body := e[:len(e)-event.ChecksumSize]
	binary.LittleEndian.PutUint32(e[len(body):], crc32.ChecksumIEEE(body))
	return e
}

// openingFormat is the format description that opens a stream, made of the
// stored one as servers do it. partial says that something before the first
// event that follows is left out: then the time at which the master started is
// cleared, or the slave would drop its temporary tables, and so is the
// position, so that the slave does not count what it did not ask for.
func openingFormat(dst []byte, stored event.Event, partial, keepPosition bool) event.Event {
	e := event.Event(append(dst, stored...))
	if len(e) < createdOffset+4+event.ChecksumSize {
		return e
	}
	e[flagsOffset] &^= byte(event.FlagInUse)
	if partial {
		clear(e[createdOffset : createdOffset+4])
		if !keepPosition {
			clear(e[logPosOffset : logPosOffset+4])
		}
	}
	return sealed(e)
}

// disguised is an event under another server id.
func disguised(dst []byte, e event.Event, serverID uint32) event.Event {
	dst = append(slices.Grow(dst, len(e)), e...)
	binary.LittleEndian.PutUint32(dst[serverIDOffset:], serverID)
	return sealed(dst)
}

// cut splits the first event off a run of them that have checksums.
func cut(b []byte) (e event.Event, rest []byte, err error) {
	e, err = event.Next(b)
	if err == nil && len(e) < event.HeaderSize+event.ChecksumSize {
		err = fmt.Errorf("an event of %d bytes: %w", len(e), event.ErrMalformed)
	}
	if err != nil {
		return nil, nil, err
	}
	return e, b[len(e):], nil
}
