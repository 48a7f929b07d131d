package event

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
)

// The body of a format description: the version of binary logs, the server's
// name of itself, when the server began it, the length of headers, and one
// length for each type of event. Servers that know checksums end it with the
// algorithm and the CRC32, which this event always has.
const (
	formatVersionAt = 2
	formatVersion   = 50
	formatCreatedAt = formatVersionAt + formatVersion
	formatTypesAt   = formatCreatedAt + 4 + 1
)

// Format is what a format description says of the events behind it. It is a
// value.
type Format struct {
	// Version of the server, as it names itself ("9.7.4", "10.11.19-MariaDB-log").
	Version string
	// MariaDB says whether the server is one.
	MariaDB bool
	// Checksum says whether a CRC32 follows each event.
	Checksum bool
	// Created is when the server started, in seconds of Unix time, in the first
	// file of a run of a server; 0 in the others. A slave that reads one drops
	// the temporary tables that it holds for the master.
	Created uint32
}

// ParseFormat reads a FORMAT_DESCRIPTION. Its errors wrap ErrMalformed.
func ParseFormat(e Event) (Format, error) {
	if len(e) < HeaderSize+formatTypesAt || e.Type() != FormatDescription {
		return Format{}, malformed("parse format of an event of type %s and %d bytes", e.typeName(), len(e))
	}
	body := e[HeaderSize:]
	if v := binary.LittleEndian.Uint16(body); v != 4 {
		return Format{}, malformed("parse format of binary log version %d, not 4", v)
	}
	name, _, _ := bytes.Cut(body[formatVersionAt:formatCreatedAt], []byte{0})
	f := Format{Version: string(name), Created: binary.LittleEndian.Uint32(body[formatCreatedAt:])}
	f.MariaDB = strings.Contains(strings.ToLower(f.Version), "mariadb")
	if !knowsChecksums(f.Version) {
		return f, nil
	}
	if len(body) < formatTypesAt+1+ChecksumSize {
		return Format{}, malformed("parse format of %s: no checksum algorithm", f.Version)
	}
	switch algorithm := body[len(body)-ChecksumSize-1]; algorithm {
	case 0, 1:
		f.Checksum = algorithm == 1
		return f, nil
	default:
		return Format{}, malformed("parse format of %s: checksum algorithm %d", f.Version, algorithm)
	}
}

// knowsChecksums says whether a server of that version, MySQL 5.6.1 and later
// and MariaDB 5.3 and later, ends its format with the checksum's algorithm.
func knowsChecksums(version string) bool {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, errMajor := strconv.Atoi(major)
	b, errMinor := strconv.Atoi(minor)
	switch {
	case errMajor != nil || errMinor != nil || a > 5:
		return true // nobody writes anything older than 5 today
	case strings.Contains(strings.ToLower(version), "mariadb"):
		return a == 5 && b >= 3
	}
	return a == 5 && b >= 6
}

// WithoutCreated returns a copy of a format description that does not say when
// its server started. That is right where a file continues another one: a
// slave must not drop the master's temporary tables there.
func WithoutCreated(e Event) Event {
	out := slices.Clone(e)
	f, err := ParseFormat(out)
	if err != nil || f.Created == 0 {
		return out
	}
	binary.LittleEndian.PutUint32(out[HeaderSize+formatCreatedAt:], 0)
	if knowsChecksums(f.Version) {
		sealed := len(out) - ChecksumSize
		binary.LittleEndian.PutUint32(out[sealed:], crc32.ChecksumIEEE(out[:sealed]))
	}
	return out
}

// typeName is safe on events that have not passed Check.
func (e Event) typeName() string {
	if len(e) < HeaderSize {
		return "none"
	}
	return e.Type().String()
}
