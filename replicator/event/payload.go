package event

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// The fields in front of what a TRANSACTION_PAYLOAD holds, and how that may be
// compressed (MySQL: libs/mysql/binlog/event/codecs, compression/base.h).
const (
	payloadEnd         = 0
	payloadCompression = 2
	compressionZstd    = 0
	compressionNone    = 255
)

// mostWindow bounds the memory that a compressor may ask of a reader.
const mostWindow = 8 << 20

// ErrTooLong says that a payload holds more than is wanted of it.
var ErrTooLong = errors.New("the payload is too long")

// Unpacker reads the events that MySQL's TRANSACTION_PAYLOAD holds; they have no
// checksums. One goroutine uses it; the zero value is ready.
type Unpacker struct {
	zstd *zstd.Decoder
	head []byte
}

// Thread is the id of the connection that wrote the transaction, which stands in
// the first event. No more than that is unpacked.
func (u *Unpacker) Thread(e Event, checksum bool) (uint32, error) {
	r, err := u.open(e, checksum)
	if err != nil {
		return 0, err
	}
	if u.head == nil {
		u.head = make([]byte, 1<<16)
	}
	n, err := io.ReadFull(r, u.head[:HeaderSize])
	if err != nil {
		return 0, malformed("unpack the first header, %d bytes: %v", n, err)
	}
	first := Event(u.head[:HeaderSize])
	if size := int64(first.Size()); first.Type() != Query || size < HeaderSize || size > int64(len(u.head)) {
		return 0, malformed("a payload that begins with a %s event of %d bytes", first.Type(), size)
	}
	first = Event(u.head[:first.Size()])
	if _, err := io.ReadFull(r, first[HeaderSize:]); err != nil {
		return 0, malformed("unpack the first event: %v", err)
	}
	q, err := parseQuery(first.body(false))
	return q.threadID, err
}

// All returns the events back to back: ErrTooLong where those are more bytes than
// most.
func (u *Unpacker) All(e Event, checksum bool, most int) ([]byte, error) {
	r, err := u.open(e, checksum)
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(r, int64(most)+1))
	switch {
	case err != nil:
		return nil, malformed("unpack a payload, %d bytes: %v", len(out), err)
	case len(out) > most:
		return nil, fmt.Errorf("unpack a payload of more than %d bytes: %w", most, ErrTooLong)
	}
	return out, nil
}

// open reads the fields.
func (u *Unpacker) open(e Event, checksum bool) (io.Reader, error) {
	rest, compression := fields{e.body(checksum)}, uint64(compressionNone)
	for {
		kind := rest.number()
		if kind == payloadEnd || rest.bytes == nil {
			break
		}
		value := fields{rest.next(rest.number())}
		if kind == payloadCompression {
			compression = value.number()
		}
	}
	switch {
	case rest.bytes == nil:
		return nil, malformed("a payload of %d bytes whose fields are cut off", len(e))
	case compression == compressionNone:
		return bytes.NewReader(rest.bytes), nil
	case compression != compressionZstd:
		return nil, malformed("a payload of compression %d", compression)
	}
	if u.zstd == nil {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(mostWindow))
		if err != nil {
			return nil, fmt.Errorf("begin to unpack: %w", err)
		}
		u.zstd = d
	}
	if err := u.zstd.Reset(bytes.NewReader(rest.bytes)); err != nil {
		return nil, malformed("unpack a payload: %v", err)
	}
	return u.zstd, nil
}

// fields are read one after the other; bytes is nil once they were too short.
type fields struct{ bytes []byte }

// next takes n bytes.
func (f *fields) next(n uint64) []byte {
	if f.bytes == nil || n > uint64(len(f.bytes)) {
		f.bytes = nil
		return nil
	}
	out := f.bytes[:n:n]
	f.bytes = f.bytes[n:]
	return out
}

// number takes a number whose first byte says how long it is.
func (f *fields) number() (n uint64) {
	first := f.next(1)
	if first == nil {
		return 0
	}
	width := map[byte]uint64{0xfc: 2, 0xfd: 3, 0xfe: 8}[first[0]]
	if width == 0 {
		return uint64(first[0])
	}
	for i, b := range f.next(width) {
		n |= uint64(b) << (8 * i)
	}
	return n
}
