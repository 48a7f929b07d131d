package upstream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"slices"
	"time"

	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/wire"
)

const (
	// readBuffer takes what one read gets; packets that fit are not copied.
	readBuffer = 256 << 10
	// leastRead is the room that a read needs at least: a TLS record.
	leastRead = 16 << 10
	// growStep is the least by which memory grows; more only as far as as much
	// has really arrived.
	growStep = 1 << 20
)

// frames cuts the stream of a dump into packets. One goroutine.
//
// The sequence numbers of frames are not looked at: a semi-synchronous master
// begins to count anew whenever it asks for a reply, whether it got one or not.
// Lengths and checksums of the events say enough.
type frames struct {
	nc       net.Conn
	patience time.Duration // without a byte
	limit    int           // of one packet
	heard    time.Time     // when the last byte arrived

	buf  []byte
	r, w int // buf[r:w] is read and not consumed
}

func newFrames(nc net.Conn, patience time.Duration, limit int) *frames {
	return &frames{nc: nc, patience: patience, limit: limit, heard: time.Now(), buf: make([]byte, readBuffer)}
}

// packet returns the next packet, its frames joined; it is borrowed until the
// next call. The memory of one that does not fit the buffer is let go then.
func (f *frames) packet() ([]byte, error) {
	n, err := f.header()
	if err != nil {
		return nil, err
	}
	if n == wire.MaxPiece || n > len(f.buf) {
		return f.joined(n)
	}
	if err := f.fill(n); err != nil {
		return nil, err
	}
	f.r += n
	return f.buf[f.r-n : f.r], nil
}

// arrived says whether there is something to go on with that need not be waited
// for: a whole packet in the buffer, or bytes in the socket.
func (f *frames) arrived() bool {
	if unread := f.buf[f.r:f.w]; len(unread) >= wire.HeaderSize && len(unread)-wire.HeaderSize >= frameLength(unread) {
		return true
	}
	return readable(f.nc)
}

// header consumes the header of a frame and returns the length of its payload.
func (f *frames) header() (int, error) {
	if err := f.fill(wire.HeaderSize); err != nil {
		return 0, err
	}
	n := frameLength(f.buf[f.r:])
	f.r += wire.HeaderSize
	if n > f.limit {
		return 0, fmt.Errorf("read packet of %d bytes: %w", n, wire.ErrPacketTooLarge)
	}
	return n, nil
}

func frameLength(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// fill makes sure of n unread bytes in the buffer, which it must have room for.
func (f *frames) fill(n int) error {
	for f.w-f.r < n {
		if f.r == f.w || len(f.buf)-f.r < n || len(f.buf)-f.w < leastRead {
			f.w = copy(f.buf, f.buf[f.r:f.w])
			f.r = 0
		}
		got, err := f.read(f.buf[f.w:])
		f.w += got
		if err != nil && f.w-f.r < n {
			return err
		}
	}
	return nil
}

// joined reads a packet whose first frame has n bytes into memory of its own.
func (f *frames) joined(n int) ([]byte, error) {
	var whole []byte
	for {
		var err error
		if whole, err = f.appendFrame(whole, n); err != nil || n < wire.MaxPiece {
			return whole, err
		}
		if n, err = f.header(); err != nil {
			return nil, err
		}
		if len(whole)+n > f.limit {
			return nil, fmt.Errorf("read packet of more than %d bytes: %w", f.limit, wire.ErrPacketTooLarge)
		}
		whole = slices.Grow(whole, max(0, f.announced(whole)-len(whole)))
	}
}

// announced is how long a packet of several frames will be, as the event in its
// first frame says: a peer that has sent 16 MB is believed. With it the rest
// costs one allocation. Whether a semi-synchronous header stands before the event is
// not known here, and read at the wrong place its length is anything: the smaller of
// two that may be is taken, which costs a copy more at most.
func (f *frames) announced(whole []byte) int {
	least := math.MaxInt
	for _, at := range [...]int{1, 1 + semiSyncHeaderSize} {
		if size := int(binary.LittleEndian.Uint32(whole[at+9:])) + at; size > len(whole) {
			least = min(least, size)
		}
	}
	if least == math.MaxInt {
		return len(whole)
	}
	return min(least, f.limit)
}

// appendFrame appends n bytes of payload, first what is in the buffer already.
func (f *frames) appendFrame(dst []byte, n int) ([]byte, error) {
	buffered := min(n, f.w-f.r)
	dst = append(dst, f.buf[f.r:f.r+buffered]...)
	f.r += buffered
	for n -= buffered; n > 0; {
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, min(n, max(growStep, len(dst))))
		}
		got, err := f.read(dst[len(dst) : len(dst)+min(n, cap(dst)-len(dst))])
		dst, n = dst[:len(dst)+got], n-got
		if err != nil && n > 0 {
			return nil, err
		}
	}
	return dst, nil
}

// read is one read of the socket that ends after patience.
func (f *frames) read(b []byte) (int, error) {
	if err := f.nc.SetReadDeadline(time.Now().Add(f.patience)); err != nil {
		return 0, fmt.Errorf("read from master: %w", err)
	}
	n, err := f.nc.Read(b)
	if n > 0 {
		f.heard = time.Now()
	}
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, fmt.Errorf("read from master: %w for %s", errSilent, f.patience)
	}
	return n, fmt.Errorf("read from master: %w", err)
}

// write sends b whole.
func (f *frames) write(b []byte) error {
	if err := f.nc.SetWriteDeadline(time.Now().Add(f.patience)); err != nil {
		return fmt.Errorf("write to master: %w", err)
	}
	if _, err := f.nc.Write(b); err != nil {
		return fmt.Errorf("write to master: %w", err)
	}
	return nil
}

// stripSemiSync takes the semi-synchronous header, where there is one, off an
// event, and says whether the master wants a reply. An event's own length tells
// the header from an event that happens to begin with its magic byte.
func stripSemiSync(b []byte) (e event.Event, wantsReply bool, err error) {
	if len(b) > semiSyncHeaderSize && b[0] == semiSyncMagic {
		if e, err := event.Check(b[semiSyncHeaderSize:]); err == nil {
			return e, b[1]&semiSyncWantsReply != 0, nil
		}
	}
	e, err = event.Check(b)
	return e, false, err
}
