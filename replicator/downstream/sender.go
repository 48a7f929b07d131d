package downstream

import (
	"fmt"
	"sync"

	"github.com/bellwether-db/bellwether/wire"
)

// batch is how much is collected before it is written, and the most that is
// written under one deadline, in bytes.
const batch = 64 << 10

// leader is what stands before an event in its first frame: the frame's header
// and a byte 0.
const leader = wire.HeaderSize + 1

// buffers lends batches to the streams that have something to send.
type buffers struct{ pool sync.Pool }

func (b *buffers) take() []byte {
	if p, ok := b.pool.Get().(*[batch]byte); ok {
		return p[:0]
	}
	return make([]byte, 0, batch)
}

func (b *buffers) give(buf []byte) { b.pool.Put((*[batch]byte)(buf[:batch])) }

// sender frames events and writes them in batches. It belongs to the goroutine
// of its session.
type sender struct {
	conn    *wire.Conn
	allow   func() // renews the deadline before a write
	buffers *buffers

	seq  byte   // of the next frame
	buf  []byte // framed and not written; nil while there is nothing
	sent uint64 // bytes written
}

// newSender goes on behind a command that was read.
func newSender(conn *wire.Conn, buffers *buffers, allow func()) sender {
	return sender{conn: conn, allow: allow, buffers: buffers, seq: conn.Next()}
}

// event sends one event as a packet of the stream. Short ones, which nearly all
// are, wait for a batch to be full.
func (s *sender) event(e []byte) error {
	if leader+len(e) > batch {
		return s.long(e)
	}
	if len(s.buf)+leader+len(e) > batch {
		if err := s.flush(); err != nil {
			return err
		}
	}
	if s.buf == nil {
		s.buf = s.buffers.take()
	}
	n := len(e) + 1
	s.buf = append(s.buf, byte(n), byte(n>>8), byte(n>>16), s.seq, 0)
	s.buf = append(s.buf, e...)
	s.seq++
	return nil
}

// long sends an event that fills a batch or more, which may take several frames.
func (s *sender) long(e []byte) error {
	if err := s.flush(); err != nil {
		return err
	}
	first := e[:min(len(e), wire.MaxPiece-1)]
	if err := s.frame([]byte{0}, first); err != nil {
		return err
	}
	for full, rest := len(first) == wire.MaxPiece-1, e[len(first):]; full; {
		piece := rest[:min(len(rest), wire.MaxPiece)]
		if err := s.frame(nil, piece); err != nil {
			return err
		}
		full, rest = len(piece) == wire.MaxPiece, rest[len(piece):]
	}
	return nil
}

// frame writes one frame whose payload is lead and b.
func (s *sender) frame(lead, b []byte) error {
	n := len(lead) + len(b)
	header := append([]byte{byte(n), byte(n >> 8), byte(n >> 16), s.seq}, lead...)
	s.seq++
	if err := s.write(header); err != nil {
		return err
	}
	for len(b) > 0 {
		part := b[:min(len(b), batch)]
		if err := s.write(part); err != nil {
			return err
		}
		b = b[len(part):]
	}
	return nil
}

// flush writes what waits, and gives the buffer back.
func (s *sender) flush() error {
	if s.buf == nil {
		return nil
	}
	err := s.write(s.buf)
	s.buffers.give(s.buf)
	s.buf = nil
	return err
}

// write writes framed bytes. An error means that nobody is there to be told.
func (s *sender) write(b []byte) error {
	s.allow()
	s.conn.Expect(s.seq) // for an error packet behind it
	if err := s.conn.Send(b); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	s.sent += uint64(len(b))
	return nil
}
