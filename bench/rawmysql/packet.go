package rawmysql

import (
	"errors"
	"fmt"
	"io"
)

const (
	headerSize = 4
	maxPayload = 1<<24 - 1
	// maxHeld bounds a packet that is taken into memory as a whole: all but rows.
	maxHeld = 1 << 20
)

// ErrProtocol is wrapped by every error that says that the other side spoke
// something else than was expected. The connection is of no use afterwards.
var ErrProtocol = errors.New("unexpected answer")

// fill reads until at least n unread bytes are buffered, growing the buffer
// where it is shorter than n.
func (c *Conn) fill(n int) error {
	if c.end-c.start >= n {
		return nil
	}
	if c.start > 0 {
		c.end = copy(c.in, c.in[c.start:c.end])
		c.start = 0
	}
	if n > len(c.in) {
		c.in = append(c.in, make([]byte, n-len(c.in))...)
	}
	got, err := io.ReadAtLeast(c.nc, c.in[c.end:], n-c.end)
	c.end += got
	return err
}

// next reads a packet's header and first byte and leaves the payload unread.
// The first byte of an empty packet is 0.
func (c *Conn) next() (size int, first byte, err error) {
	if err := c.fill(headerSize); err != nil {
		return 0, 0, err
	}
	h := c.in[c.start : c.start+headerSize]
	size = int(h[0]) | int(h[1])<<8 | int(h[2])<<16
	if h[3] != c.seq {
		return 0, 0, fmt.Errorf("packet number %d where %d was due: %w", h[3], c.seq, ErrProtocol)
	}
	if size == maxPayload {
		return 0, 0, fmt.Errorf("packet of 16 MB: %w", ErrProtocol)
	}
	c.seq++
	c.start += headerSize
	if size == 0 {
		return 0, 0, nil
	}
	err = c.fill(1)
	return size, c.in[c.start], err
}

// skip drops n unread bytes without holding them.
func (c *Conn) skip(n int) error {
	for n > c.end-c.start {
		n -= c.end - c.start
		c.start, c.end = 0, 0
		got, err := c.nc.Read(c.in)
		if err != nil {
			return err
		}
		c.end = got
	}
	c.start += n
	return nil
}

// take returns the n bytes of a payload, borrowed until the next read.
func (c *Conn) take(n int) ([]byte, error) {
	if n > maxHeld {
		return nil, fmt.Errorf("packet of %d bytes: %w", n, ErrProtocol)
	}
	if err := c.fill(n); err != nil {
		return nil, err
	}
	payload := c.in[c.start : c.start+n]
	c.start += n
	return payload, nil
}

// read returns the next whole payload, borrowed until the next read.
func (c *Conn) read() ([]byte, error) {
	size, _, err := c.next()
	if err != nil {
		return nil, err
	}
	return c.take(size)
}

// begin starts an outgoing packet in the reused output buffer.
func (c *Conn) begin() {
	c.out = append(c.out[:0], 0, 0, 0, 0)
}

// send completes the packet that begin started and writes it at once.
func (c *Conn) send() error {
	size := len(c.out) - headerSize
	if size >= maxPayload {
		return fmt.Errorf("send %d bytes: longer than one packet", size)
	}
	c.out[0], c.out[1], c.out[2], c.out[3] = byte(size), byte(size>>8), byte(size>>16), c.seq
	c.seq++
	_, err := c.nc.Write(c.out)
	return err
}
