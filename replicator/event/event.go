package event

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

const (
	// HeaderSize is the length of every event's header.
	HeaderSize = 19
	// ChecksumSize is the length of the CRC32 behind an event.
	ChecksumSize = 4
)

// ErrMalformed is what every error about an event's bytes wraps.
var ErrMalformed = errors.New("malformed event")

// ErrShort says that the bytes end before the event that begins in them.
var ErrShort = errors.New("an event is cut off")

// Event is one raw event as it stands in a binary log and in the stream: the
// 19-byte header, the body and, if the stream has checksums, four bytes of
// CRC32. Its bytes are borrowed unless said otherwise. The methods rely on
// Check.
type Event []byte

// Check returns b as an event: there is a whole header whose length is len(b).
func Check(b []byte) (Event, error) {
	if len(b) < HeaderSize {
		return nil, malformed("check event of %d bytes, shorter than a header", len(b))
	}
	if e := Event(b); int64(e.Size()) == int64(len(b)) {
		return e, nil
	}
	return nil, malformed("check event of %d bytes that says it has %d", len(b), Event(b).Size())
}

// Timestamp is when the statement began, in seconds of Unix time; 0 in
// artificial events.
func (e Event) Timestamp() uint32 { return binary.LittleEndian.Uint32(e) }

// Type says what kind of event this is.
func (e Event) Type() Type { return Type(e[4]) }

// ServerID is the id of the server where the event was first written.
func (e Event) ServerID() uint32 { return binary.LittleEndian.Uint32(e[5:]) }

// Size is the length of the whole event as its header says it.
func (e Event) Size() uint32 { return binary.LittleEndian.Uint32(e[9:]) }

// LogPos is where the next event begins in the master's file, 0 in artificial
// events.
func (e Event) LogPos() uint32 { return binary.LittleEndian.Uint32(e[13:]) }

// Flags are the header's flags, such as FlagArtificial.
func (e Event) Flags() uint16 { return binary.LittleEndian.Uint16(e[17:]) }

// ChecksumOK says whether the last four bytes are the CRC32 of the others. It
// means nothing in a stream without checksums. The flag that says that a file
// is in use counts as not set, since servers clear it without a new checksum.
func (e Event) ChecksumOK() bool {
	if len(e) < HeaderSize+ChecksumSize {
		return false
	}
	body, sum := e[:len(e)-ChecksumSize], binary.LittleEndian.Uint32(e[len(e)-ChecksumSize:])
	return crc32.ChecksumIEEE(body) == sum || e.Type() == FormatDescription && e.checksumNotInUse() == sum
}

// Body returns what is between header and checksum, borrowed.
func (e Event) Body(checksum bool) []byte { return e.body(checksum) }

// body returns what is between header and checksum.
func (e Event) body(checksum bool) []byte {
	if !checksum {
		return e[HeaderSize:]
	}
	return e[HeaderSize:max(HeaderSize, len(e)-ChecksumSize)]
}

// checksumNotInUse is the CRC32 of a format description with FlagInUse cleared.
func (e Event) checksumNotInUse() uint32 {
	header := [HeaderSize]byte(e)
	header[17] &^= byte(FlagInUse)
	return crc32.Update(crc32.ChecksumIEEE(header[:]), crc32.IEEETable, e[HeaderSize:len(e)-ChecksumSize])
}

// rowsEnd is the flag of the last row event of a statement.
const rowsEnd = 0x1

// endsRows says whether e holds the last rows of its statement.
func (e Event) endsRows(checksum bool) bool {
	body := e.body(checksum)
	return e.Type().rows() && len(body) >= 8 && binary.LittleEndian.Uint16(body[6:])&rowsEnd != 0
}

// malformed is an error that wraps ErrMalformed.
func malformed(text string, args ...any) error {
	return fmt.Errorf(text+": %w", append(args, ErrMalformed)...)
}

// Next returns the first event of b, where others may follow. An error wraps
// ErrMalformed; ErrShort too where b ends before the event does.
func Next(b []byte) (Event, error) {
	if len(b) < HeaderSize {
		return nil, fmt.Errorf("%d bytes of a header: %w, %w", len(b), ErrShort, ErrMalformed)
	}
	switch size := int64(Event(b).Size()); {
	case size < HeaderSize:
		return nil, malformed("an event that says it has %d bytes", size)
	case size > int64(len(b)):
		return nil, fmt.Errorf("%d bytes of an event of %d: %w, %w", len(b), size, ErrShort, ErrMalformed)
	default:
		return Event(b[:size:size]), nil
	}
}
