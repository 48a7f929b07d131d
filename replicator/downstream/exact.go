package downstream

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/bellwether-db/bellwether/replicator/event"
)

// Of MariaDB's GTID event: where its flags stand, behind sequence and domain,
// and the commit id, if it has one; and the flags that matter here.
const (
	mariaFlagsOffset    = event.HeaderSize + 12
	mariaCommitIDOffset = mariaFlagsOffset + 1
	mariaHasCommitID    = 0x02
	mariaDDL            = 0x20
	mariaEndsXA         = 0x80
)

// exact sends an event to a MariaDB slave so that its position never tells more
// than it shows. A slave that applies in parallel commits in order, and each
// transaction moves the position when it is visible. Two kinds of transaction do
// not keep to that:
//
//   - One that ends with ROLLBACK, which a master logs of a transaction that made
//     a temporary table. It commits nothing, so it waits for nobody, and moves the
//     position over all those before it that are still being committed. It is sent
//     as one that rolls back and then commits nothing: that waits.
//   - XA COMMIT. Those after it go on once it is in the slave's binary log, and
//     only then the engine commits it. It is sent as DDL, before whose end nothing
//     is begun; and in a spelling that the slave does not take for the end of a
//     transaction, or it would count as ended from its beginning.
//
// Source: sql/rpl_parallel.cc (is_group_ending, do_event), sql/log_event_server.cc
// and sql/rpl_gtid.cc (record_and_update_gtid), sql/handler.cc
// (ha_commit_or_rollback_by_xid).
func (f *feed) exact(e event.Event) error {
	switch e.Type() {
	case event.MariaGTID:
		if f.endsXA = len(e) > mariaFlagsOffset && e[mariaFlagsOffset]&mariaEndsXA != 0; f.endsXA {
			return f.make(alone(f.scratch[:0], e))
		}
	case event.Query:
		switch {
		case says(e, "ROLLBACK"):
			if err := f.make(saying(f.scratch[:0], e, "ROLLBACK AND CHAIN")); err != nil {
				return err
			}
			commit := saying(f.scratch[:0], e, "COMMIT")
			f.at.added += uint64(len(" AND CHAIN") + len(commit))
			return f.make(commit)
		case f.endsXA:
			return f.make(respelled(f.scratch[:0], e))
		}
	}
	return f.send(e)
}

// alone is a GTID event that begins a transaction beside which no other runs:
// DDL, and not one of those that the master has committed together.
func alone(dst []byte, e event.Event) event.Event {
	dst = append(slices.Grow(dst, len(e)), e...)
	dst[mariaFlagsOffset] |= mariaDDL
	if id := dst[mariaCommitIDOffset:]; dst[mariaFlagsOffset]&mariaHasCommitID != 0 && len(id) >= 8+event.ChecksumSize {
		binary.LittleEndian.PutUint64(id, binary.LittleEndian.Uint64(id)^1<<63)
	}
	return sealed(dst)
}

// says reports whether the text of a query is this.
func says(e event.Event, text string) bool {
	return bytes.HasSuffix(e[:len(e)-event.ChecksumSize], []byte("\x00"+text)) && textOf(e) == text
}

// textOf is the text of a query, "" if there is none.
func textOf(e event.Event) string {
	q, err := event.ParseQuery(e, true)
	if err != nil {
		return ""
	}
	return q.Text
}

// saying is a query with another text.
func saying(dst []byte, e event.Event, text string) event.Event {
	before := e[:len(e)-event.ChecksumSize-len(textOf(e))]
	dst = append(append(slices.Grow(dst, len(before)+len(text)+event.ChecksumSize), before...), text...)
	dst = append(dst, 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(dst[sizeOffset:], uint32(len(dst))) //nolint:gosec // a short text
	return sealed(dst)
}

// respelled is XA COMMIT as the server that reads it still understands it.
func respelled(dst []byte, e event.Event) event.Event {
	text := textOf(e)
	if rest, is := strings.CutPrefix(text, "XA COMMIT"); is {
		text = "XA Commit" + rest
	}
	return saying(dst, e, text)
}
