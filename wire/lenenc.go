package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// ErrMalformed is the error of every decoder for bytes that the protocol does
// not allow. The connection they came from cannot be understood any further.
var ErrMalformed = errors.New("malformed packet")

const lenencNull = 0xfb

// AppendLenencInt appends v as a length-encoded integer
// (page_protocol_basic_dt_integers): 1, 3, 4 or 9 bytes.
func AppendLenencInt(dst []byte, v uint64) []byte {
	switch {
	case v < lenencNull:
		return append(dst, byte(v))
	case v < 1<<16:
		return append(dst, 0xfc, byte(v), byte(v>>8))
	case v < 1<<24:
		return append(dst, 0xfd, byte(v), byte(v>>8), byte(v>>16))
	}
	return binary.LittleEndian.AppendUint64(append(dst, 0xfe), v)
}

// AppendLenencBytes appends s behind its length as a length-encoded integer.
func AppendLenencBytes(dst, s []byte) []byte {
	return append(AppendLenencInt(dst, uint64(len(s))), s...)
}

// AppendLenencString is [AppendLenencBytes] for a string.
func AppendLenencString(dst []byte, s string) []byte {
	return append(AppendLenencInt(dst, uint64(len(s))), s...)
}

// ReadLenencInt reads a length-encoded integer from the start of src and returns
// it with the number of bytes it took; 0 bytes mean that src does not start with
// a whole one (NULL, 0xfb, is none).
func ReadLenencInt(src []byte) (v uint64, n int) {
	if len(src) == 0 {
		return 0, 0
	}
	switch b := src[0]; {
	case b < lenencNull:
		return uint64(b), 1
	case b == 0xfc && len(src) >= 3:
		return uint64(binary.LittleEndian.Uint16(src[1:])), 3
	case b == 0xfd && len(src) >= 4:
		return uint64(src[1]) | uint64(src[2])<<8 | uint64(src[3])<<16, 4
	case b == 0xfe && len(src) >= 9:
		return binary.LittleEndian.Uint64(src[1:]), 9
	}
	return 0, 0
}

// ReadLenencBytes reads a length-encoded string from the start of src and
// returns it, borrowed, with the number of bytes it took with its length; 0
// bytes mean that src does not start with a whole one.
func ReadLenencBytes(src []byte) (s []byte, n int) {
	size, n := ReadLenencInt(src)
	if n == 0 || size > uint64(len(src)-n) {
		return nil, 0
	}
	end := n + int(size)
	return src[n:end:end], end
}

// reader takes fields off the front of a payload. After the first field that is
// not there whole, bad is set and all that follow read as zero. One goroutine.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) err() error {
	if r.bad {
		return ErrMalformed
	}
	return nil
}

// bytes takes the next n bytes, borrowed; nil when they are not there.
func (r *reader) bytes(n int) []byte {
	if r.bad || n < 0 || n > len(r.rest) {
		r.bad = true
		r.rest = nil
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) uint8() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint16() uint16 {
	if b := r.bytes(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *reader) lenencInt() uint64 {
	v, n := ReadLenencInt(r.rest)
	if n == 0 {
		r.bytes(-1)
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) lenencBytes() []byte {
	s, n := ReadLenencBytes(r.rest)
	if n == 0 {
		r.bytes(-1)
		return nil
	}
	r.rest = r.rest[n:]
	return s
}

// nulBytes takes the bytes up to the next NUL, and the NUL, which must be there.
func (r *reader) nulBytes() []byte {
	i := bytes.IndexByte(r.rest, 0)
	if i < 0 {
		return r.bytes(-1)
	}
	s := r.bytes(i)
	r.bytes(1)
	return s
}

// nulOrRest is nulBytes for a last field whose NUL some peers leave out.
func (r *reader) nulOrRest() []byte {
	if bytes.IndexByte(r.rest, 0) < 0 {
		return r.bytes(len(r.rest))
	}
	return r.nulBytes()
}
