package rawclient

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

const pieceLimit = 1<<24 - 1

// readPacket joins the pieces of one packet and checks that the sequence
// numbers have no gap.
func (c *Conn) readPacket() ([]byte, error) {
	var joined []byte
	for {
		var header [4]byte
		if _, err := io.ReadFull(c.reader, header[:]); err != nil {
			return nil, fmt.Errorf("read packet header: %w", err)
		}
		if header[3] != c.sequence {
			return nil, fmt.Errorf("read packet: sequence %d, want %d", header[3], c.sequence)
		}
		c.sequence++
		n := int(header[0]) | int(header[1])<<8 | int(header[2])<<16
		piece := make([]byte, n)
		if _, err := io.ReadFull(c.reader, piece); err != nil {
			return nil, fmt.Errorf("read packet of %d bytes: %w", n, err)
		}
		if joined == nil {
			joined = piece
		} else {
			joined = append(joined, piece...)
		}
		if n < pieceLimit {
			return joined, nil
		}
	}
}

// writePacket frames a payload and sends it at once.
func (c *Conn) writePacket(payload []byte) error {
	for {
		n := min(len(payload), pieceLimit)
		frame := make([]byte, 4, 4+n)
		binary.LittleEndian.PutUint32(frame, uint32(n)|uint32(c.sequence)<<24)
		c.sequence++
		if _, err := c.socket.Write(append(frame, payload[:n]...)); err != nil {
			return fmt.Errorf("write packet of %d bytes: %w", n, err)
		}
		payload = payload[n:]
		if n < pieceLimit {
			return nil
		}
	}
}

// begin starts a command: a new sequence and a new deadline.
func (c *Conn) begin() error {
	c.sequence = 0
	return c.socket.SetDeadline(time.Now().Add(c.config.Timeout))
}

// lenenc reads a length-encoded integer at the front of b and returns what
// follows it; a missing one is zero.
func lenenc(b []byte) (uint64, []byte) {
	if len(b) == 0 {
		return 0, nil
	}
	width := map[byte]int{0xfc: 2, 0xfd: 3, 0xfe: 8}[b[0]]
	if width == 0 {
		return uint64(b[0]), b[1:]
	}
	if len(b) < 1+width {
		return 0, nil
	}
	var v uint64
	for i := range width {
		v |= uint64(b[1+i]) << (8 * i)
	}
	return v, b[1+width:]
}

// lenencBytes reads a length-encoded string at the front of b.
func lenencBytes(b []byte) (value, rest []byte) {
	n, rest := lenenc(b)
	if n > uint64(len(rest)) {
		return nil, nil
	}
	return rest[:n], rest[n:]
}

// appendLenenc appends a length-encoded integer.
func appendLenenc(dst []byte, v uint64) []byte {
	switch {
	case v < 0xfb:
		return append(dst, byte(v))
	case v < 1<<16:
		return append(dst, 0xfc, byte(v), byte(v>>8))
	case v < 1<<24:
		return append(dst, 0xfd, byte(v), byte(v>>8), byte(v>>16))
	}
	return binary.LittleEndian.AppendUint64(append(dst, 0xfe), v)
}
