package downstream

import (
	"fmt"

	"github.com/bellwether-db/bellwether/wire"
)

// batch is how much is collected before it is written, and the most that is
// written under one deadline, in bytes.
const batch = 64 << 10

// sender frames events and writes them in batches. It belongs to the goroutine
// of its session.
type sender struct {
	conn    *wire.Conn
	allow   func() // renews the deadline before a write
	pending int    // bytes that wait for a flush
	sent    uint64 // bytes written
}

// event sends one event as a packet of the stream: a byte 0 and the event. A
// long one goes over several frames.
func (s *sender) event(e []byte) error {
	head := e[:min(len(e), wire.MaxPiece-1)]
	if err := s.frame(len(head)+1, true, head); err != nil {
		return err
	}
	if len(head) < wire.MaxPiece-1 {
		return nil
	}
	for rest := e[len(head):]; ; {
		piece := rest[:min(len(rest), wire.MaxPiece)]
		rest = rest[len(piece):]
		if err := s.frame(len(piece), false, piece); err != nil || len(piece) < wire.MaxPiece {
			return err
		}
	}
}

// frame sends one frame with the payload of size bytes: the byte 0 that leads a
// packet, if this is its first frame, and b.
func (s *sender) frame(size int, leads bool, b []byte) error {
	seq := s.conn.Next()
	s.conn.Expect(seq + 1)
	header := [wire.HeaderSize + 1]byte{byte(size), byte(size >> 8), byte(size >> 16), seq, 0}
	n := wire.HeaderSize
	if leads {
		n++
	}
	if s.pending+n+len(b) > batch {
		if err := s.flush(); err != nil {
			return err
		}
	}
	if err := s.conn.WriteRaw(header[:n]); err != nil {
		return gone(err)
	}
	s.pending += n
	return s.raw(b)
}

// raw sends framed bytes: what is short waits for a flush, what is long is
// written at once, part by part.
func (s *sender) raw(b []byte) error {
	for s.pending+len(b) > batch {
		if err := s.flush(); err != nil {
			return err
		}
		part := b[:min(len(b), batch)]
		s.allow()
		if err := s.conn.Send(part); err != nil {
			return gone(err)
		}
		s.sent += uint64(len(part))
		b = b[len(part):]
	}
	if err := s.conn.WriteRaw(b); err != nil {
		return gone(err)
	}
	s.pending += len(b)
	return nil
}

// flush writes what waits.
func (s *sender) flush() error {
	if s.pending == 0 {
		return nil
	}
	s.allow()
	if err := s.conn.Flush(); err != nil {
		return gone(err)
	}
	s.sent += uint64(s.pending)
	s.pending = 0
	return nil
}

// gone marks an error of the connection: nobody is there to be told.
func gone(err error) error { return fmt.Errorf("%w: %w", errGone, err) }
