package upstream

import (
	"encoding/binary"
	"fmt"

	"github.com/bellwether-db/bellwether/replicator/event"
)

// position is a place in the master's binary log. It is a value.
type position struct {
	file   string
	offset uint64
}

// String is "file:offset".
func (p position) String() string { return fmt.Sprintf("%s:%d", p.file, p.offset) }

// after is the position behind e. Headers have the low 32 bits only; a file
// grows past 4 GiB where a single transaction does.
func (p position) after(e event.Event) position {
	low := uint64(e.LogPos())
	if low == 0 || e.Flags()&event.FlagArtificial != 0 {
		return p
	}
	next := p.offset&^(1<<32-1) | low
	if next < p.offset {
		next += 1 << 32
	}
	return position{p.file, next}
}

// parseRotate reads where a ROTATE event leads.
func parseRotate(e event.Event) (position, error) {
	body := bodyOf(e)
	if len(body) <= 8 {
		return position{}, fmt.Errorf("read rotate event of %d bytes: %w", len(e), event.ErrMalformed)
	}
	return position{string(body[8:]), binary.LittleEndian.Uint64(body)}, nil
}

// parseHeartbeat reads up to where the master has sent everything. In a file of
// more than 4 GiB that is too low, which does no harm to a reply.
func parseHeartbeat(e event.Event) (position, error) {
	body := bodyOf(e)
	if len(body) == 0 {
		return position{}, fmt.Errorf("read heartbeat of %d bytes: %w", len(e), event.ErrMalformed)
	}
	return position{string(body), uint64(e.LogPos())}, nil
}

// bodyOf returns what is between header and checksum. Events that are in no file
// may come before the format, so that only their bytes say whether they have a
// checksum.
func bodyOf(e event.Event) []byte {
	if e.ChecksumOK() {
		e = e[:len(e)-event.ChecksumSize]
	}
	return e[event.HeaderSize:]
}
