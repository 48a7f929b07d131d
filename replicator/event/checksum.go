package event

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
)

// sizeAt is where an event's header says its length.
const sizeAt = 9

// WithChecksums returns a copy of a format description that says that a CRC32 follows
// each event; that of a server which knows none of that as it is.
func WithChecksums(format Event) Event {
	out := slices.Clone(format)
	if f, err := ParseFormat(out); err != nil || !knowsChecksums(f.Version) {
		return out
	}
	body := out[:len(out)-ChecksumSize]
	body[len(body)-1] = 1
	binary.LittleEndian.PutUint32(out[len(body):], crc32.ChecksumIEEE(body))
	return out
}

// AppendChecksum appends an event of a stream without checksums as it would stand in one
// that has them, but for the position behind it, which stays that of the master's file.
func AppendChecksum(dst []byte, e Event) Event {
	begin := len(dst)
	dst = append(slices.Grow(dst, len(e)+ChecksumSize), e...)
	binary.LittleEndian.PutUint32(dst[begin+sizeAt:], uint32(len(e)+ChecksumSize))
	return binary.LittleEndian.AppendUint32(dst, crc32.ChecksumIEEE(dst[begin:]))
}
