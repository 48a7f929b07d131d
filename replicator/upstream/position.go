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

// parseRotate reads where a ROTATE event leads. The one that opens a stream
// comes before the format, so that only its bytes say whether a checksum
// follows.
func parseRotate(e event.Event) (position, error) {
	if e.ChecksumOK() {
		e = e[:len(e)-event.ChecksumSize]
	}
	body := e[event.HeaderSize:]
	if len(body) <= 8 {
		return position{}, fmt.Errorf("read rotate event of %d bytes: %w", len(e), event.ErrMalformed)
	}
	return position{string(body[8:]), binary.LittleEndian.Uint64(body)}, nil
}
