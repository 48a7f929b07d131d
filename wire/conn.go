package wire

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

// MaxPiece is the longest payload of one frame; a packet of that size or more
// goes on in the next frame.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html
const MaxPiece = 1<<24 - 1

// HeaderSize is the length of a frame's header: payload length (3), sequence (1).
const HeaderSize = 4

// DefaultMaxPacket bounds one logical packet unless SetMaxPacket says otherwise.
const DefaultMaxPacket = 64 << 20

var (
	// ErrPacketTooLarge says that a packet exceeds SetMaxPacket.
	ErrPacketTooLarge = errors.New("packet larger than the limit")
	// ErrSequence says that frames were lost or mixed up.
	ErrSequence = errors.New("packets out of order")
)

// Conn is the framing of one MySQL connection, on either side. It is used by
// one goroutine at a time; only Close, SetDeadline and Peer may be called from
// another.
//
// It holds a pooled buffer only from the first byte of a packet until
// everything buffered was consumed, so that an idle connection costs none.
type Conn struct {
	nc  net.Conn
	raw syscall.RawConn // nil where the transport is not a plain socket

	in   []byte // in[r:w] is read and not consumed; nil while idle
	r, w int
	out  []byte // written and not flushed; nil while idle

	seq    uint8
	max    int
	joined []byte // a packet of several frames, until the next read
	// interrupted: see Interrupted.
	interrupted bool

	io socketIO
	// head takes the first bytes of a packet on transports that are not
	// sockets, so that waiting there needs no buffer either.
	head [HeaderSize]byte
}

// NewConn frames nc. It starts nothing and reads nothing.
func NewConn(nc net.Conn) *Conn {
	c := &Conn{max: DefaultMaxPacket}
	c.setTransport(nc)
	return c
}

func (c *Conn) setTransport(nc net.Conn) {
	c.nc = nc
	c.raw = rawSocket(nc)
	c.io.init(c)
}

// NetConn returns the transport, a *tls.Conn after Upgrade to one.
func (c *Conn) NetConn() net.Conn { return c.nc }

// Upgrade goes on over another transport, as TLS does after the SSLRequest.
// Bytes that were read ahead belong to it: take them first with TakeBuffered.
func (c *Conn) Upgrade(nc net.Conn) { c.setTransport(nc) }

// TakeBuffered returns a copy of the bytes that were read but not consumed,
// and forgets them.
func (c *Conn) TakeBuffered() []byte {
	b := append([]byte(nil), c.in[c.r:c.w]...)
	c.r = c.w
	c.Release()
	return b
}

// Buffered reports how many bytes were read but not consumed.
func (c *Conn) Buffered() int { return c.w - c.r }

// SetMaxPacket bounds the logical packets that ReadPacket accepts, in bytes.
func (c *Conn) SetMaxPacket(n int) { c.max = n }

// SetDeadline bounds reads and writes; the zero time lifts the bound.
func (c *Conn) SetDeadline(t time.Time) error { return c.nc.SetDeadline(t) }

// Close closes the transport; a goroutine that waits in a read is woken.
func (c *Conn) Close() error { return c.nc.Close() }

// Abandon closes the connection for good and drops its buffers, whatever is in
// them, and its transport, so that who still points to it keeps no more than its
// shell. The buffers are not used again, because an answer that was borrowed from
// them may be on its way to a client. Others must not call Close meanwhile.
func (c *Conn) Abandon() {
	_ = c.nc.Close()
	c.in, c.out, c.joined, c.r, c.w = nil, nil, nil, 0, 0
	c.Upgrade(gone{})
}

// ResetSequence begins a new command: its first frame has the number 0.
func (c *Conn) ResetSequence() { c.seq = 0 }

// Expect makes seq the number of the next frame, read or written.
func (c *Conn) Expect(seq uint8) { c.seq = seq }

// Next returns the number of the next frame.
func (c *Conn) Next() uint8 { return c.seq }

// ExpectAnswer makes 1 the number of the next frame, that of an answer to a
// command of one frame.
func (c *Conn) ExpectAnswer() { c.seq = 1 }

// Release gives the buffers back to their pools where nothing in them is
// still wanted. What ReadPacket returned is invalid afterwards.
func (c *Conn) Release() {
	if c.r == c.w && c.in != nil {
		giveBuffer(c.in)
		c.in, c.r, c.w = nil, 0, 0
	}
	if len(c.out) == 0 && c.out != nil {
		giveBuffer(c.out)
		c.out = nil
	}
	c.joined = nil
}

// ReadPacket returns the payload of the next logical packet, its frames
// joined. The bytes are borrowed until the next read. It fails with
// ErrPacketTooLarge, ErrSequence, or the transport's error.
func (c *Conn) ReadPacket() ([]byte, error) {
	c.joined = nil
	p, err := c.readFrame()
	if err != nil || len(p) < MaxPiece {
		return p, err
	}
	c.joined = append([]byte(nil), p...)
	for len(p) == MaxPiece {
		if p, err = c.readFrame(); err != nil {
			return nil, err
		}
		if len(c.joined)+len(p) > c.max {
			return nil, ErrPacketTooLarge
		}
		c.joined = append(c.joined, p...)
	}
	return c.joined, nil
}

// ReadCommand is ReadPacket for a new command, whose first frame has the
// number 0. It returns the frame as well, header included, so that it can be
// passed on as it is; frame is nil where the packet came in several.
func (c *Conn) ReadCommand() (frame, payload []byte, err error) {
	c.seq = 0
	payload, err = c.ReadPacket()
	c.interrupted = err != nil && c.joined == nil && errors.Is(err, os.ErrDeadlineExceeded)
	if err != nil || c.joined != nil {
		return nil, payload, err
	}
	return c.in[c.r-HeaderSize-len(payload) : c.r], payload, nil
}

// Interrupted reports whether the last ReadCommand ended by the deadline and
// may be called again: nothing of the command is lost that had come already.
func (c *Conn) Interrupted() bool { return c.interrupted }

// readFrame returns the payload of the next frame, borrowed until the next read.
func (c *Conn) readFrame() ([]byte, error) {
	if err := c.fill(HeaderSize); err != nil {
		return nil, err
	}
	n, seq := frameHeader(c.in[c.r:])
	if seq != c.seq {
		return nil, fmt.Errorf("%w: got %d, want %d", ErrSequence, seq, c.seq)
	}
	if n > c.max {
		return nil, ErrPacketTooLarge
	}
	if err := c.fill(HeaderSize + n); err != nil {
		return nil, err
	}
	c.seq++
	p := c.in[c.r+HeaderSize : c.r+HeaderSize+n]
	c.r += HeaderSize + n
	return p, nil
}

// frameHeader splits a frame's header into payload length and sequence number.
func frameHeader(b []byte) (length int, seq uint8) {
	return int(b[0]) | int(b[1])<<8 | int(b[2])<<16, b[3]
}

// fill makes at least n unread bytes available in in[r:w].
func (c *Conn) fill(n int) error {
	for c.w-c.r < n {
		if c.in != nil {
			c.makeRoom(n)
		}
		if err := c.readMore(); err != nil {
			return err
		}
	}
	return nil
}

// makeRoom makes the buffer able to hold n unread bytes and one more read.
func (c *Conn) makeRoom(n int) {
	if c.r == c.w {
		c.r, c.w = 0, 0
	}
	if c.r+n <= len(c.in) && c.w < len(c.in) {
		return
	}
	if n <= len(c.in) && c.r > 0 {
		c.w = copy(c.in, c.in[c.r:c.w])
		c.r = 0
		return
	}
	// Twice the size each time, not what the header announces: a peer that
	// announces 16 MB and sends nothing must not cost 16 MB.
	bigger := takeBuffer(min(max(n, smallBuffer), 2*max(len(c.in), smallBuffer)))
	c.w = copy(bigger, c.in[c.r:c.w])
	c.r = 0
	giveBuffer(c.in)
	c.in = bigger
}

// WritePacket frames a logical packet and buffers it; Flush sends it.
func (c *Conn) WritePacket(payload []byte) error {
	for {
		piece := payload[:min(len(payload), MaxPiece)]
		payload = payload[len(piece):]
		c.grow(HeaderSize)
		c.out = append(c.out, byte(len(piece)), byte(len(piece)>>8), byte(len(piece)>>16), c.seq)
		c.seq++
		if err := c.WriteRaw(piece); err != nil {
			return err
		}
		if len(piece) < MaxPiece {
			return nil
		}
	}
}

// WriteRaw buffers bytes that are framed already; what does not fit is sent
// at once.
func (c *Conn) WriteRaw(b []byte) error {
	c.grow(len(b))
	if len(c.out)+len(b) <= cap(c.out) {
		c.out = append(c.out, b...)
		return nil
	}
	if err := c.Flush(); err != nil {
		return err
	}
	return c.write(b)
}

// grow makes sure of an output buffer, a larger one where n bytes would fit.
func (c *Conn) grow(n int) {
	if c.out == nil {
		c.out = takeBuffer(min(n, largeBuffer))[:0]
		return
	}
	if need := len(c.out) + n; need > cap(c.out) && need <= largeBuffer {
		bigger := takeBuffer(need)[:len(c.out)]
		copy(bigger, c.out)
		giveBuffer(c.out)
		c.out = bigger
	}
}

// Flush sends what WritePacket and WriteRaw have buffered.
func (c *Conn) Flush() error {
	if len(c.out) == 0 {
		return nil
	}
	err := c.write(c.out)
	giveBuffer(c.out)
	c.out = nil
	return err
}

// Send sends bytes that are framed already, behind what is buffered.
func (c *Conn) Send(b []byte) error {
	if len(c.out) > 0 {
		if err := c.WriteRaw(b); err != nil {
			return err
		}
		return c.Flush()
	}
	return c.write(b)
}
