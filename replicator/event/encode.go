package event

import (
	"encoding/binary"
	"hash/crc32"
	"math"

	"github.com/bellwether-db/bellwether/cluster"
)

// Stamp is what goes into the header of an event of our own. It is a value.
type Stamp struct {
	// ServerID is ours.
	ServerID uint32
	// LogPos is where the next event begins; 0 in artificial events. A
	// heartbeat has its position there.
	LogPos uint32
	// Timestamp in seconds of Unix time.
	Timestamp uint32
	// Flags such as FlagArtificial.
	Flags uint16
	// Checksum says whether a CRC32 is to follow.
	Checksum bool
}

// AppendRotate appends a ROTATE event: the next event is at pos of the file
// name. A fake one, which opens a stream, has LogPos 0 and FlagArtificial.
func AppendRotate(dst []byte, name string, pos uint64, h Stamp) []byte {
	return h.seal(append(binary.LittleEndian.AppendUint64(h.open(dst, Rotate), pos), name...), len(dst))
}

// AppendPreviousGTIDs appends MySQL's PREVIOUS_GTIDS event.
func AppendPreviousGTIDs(dst []byte, set *cluster.GTIDSet, h Stamp) []byte {
	h.Flags |= FlagIgnorable
	return h.seal(set.AppendBinary(h.open(dst, PreviousGTIDs)), len(dst))
}

// AppendGTIDList appends MariaDB's GTID_LIST event.
func AppendGTIDList(dst []byte, set *cluster.GTIDSet, h Stamp) []byte {
	domains := set.Domains()
	out := binary.LittleEndian.AppendUint32(h.open(dst, MariaGTIDList), uint32(len(domains)))
	for _, g := range domains {
		out = binary.LittleEndian.AppendUint32(out, g.Domain)
		out = binary.LittleEndian.AppendUint32(out, g.Server)
		out = binary.LittleEndian.AppendUint64(out, g.Number)
	}
	if len(domains) == 0 {
		out = append(out, 0, 0) // as MariaDB does: its readers want six bytes
	}
	return h.seal(out, len(dst))
}

// The fields of a HEARTBEAT_V2 event (MySQL: codecs/binary.cpp): a type, a
// length and a value each, all as length-encoded integers.
const (
	heartbeatEnd = iota
	heartbeatFile
	heartbeatPosition
)

// AppendHeartbeat appends a HEARTBEAT event: there is nothing behind pos of
// file. The second version (v2), which a MySQL slave asks for by a flag of its
// dump command, carries pos in 64 bits; the first one holds at most 2^32-1.
func AppendHeartbeat(dst []byte, v2 bool, file string, pos uint64, h Stamp) []byte {
	if !v2 {
		h.LogPos = uint32(min(pos, math.MaxUint32))
		return h.seal(append(h.open(dst, Heartbeat), file...), len(dst))
	}
	h.LogPos = 0
	position := appendLength(nil, pos)
	out := appendLength(append(h.open(dst, HeartbeatV2), heartbeatFile), uint64(len(file)))
	out = appendLength(append(append(out, file...), heartbeatPosition), uint64(len(position)))
	return h.seal(append(append(out, position...), heartbeatEnd), len(dst))
}

// appendLength writes a length-encoded integer.
func appendLength(dst []byte, n uint64) []byte {
	switch {
	case n < 251:
		return append(dst, byte(n))
	case n < 1<<16:
		return append(dst, 0xfc, byte(n), byte(n>>8))
	case n < 1<<24:
		return append(dst, 0xfd, byte(n), byte(n>>8), byte(n>>16))
	}
	return binary.LittleEndian.AppendUint64(append(dst, 0xfe), n)
}

// open appends a header whose length seal fills in.
func (h Stamp) open(dst []byte, t Type) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, h.Timestamp)
	dst = binary.LittleEndian.AppendUint32(append(dst, byte(t)), h.ServerID)
	dst = binary.LittleEndian.AppendUint32(append(dst, 0, 0, 0, 0), h.LogPos)
	return binary.LittleEndian.AppendUint16(dst, h.Flags)
}

// seal ends the event that begins at start: its length, its checksum.
func (h Stamp) seal(dst []byte, start int) []byte {
	size := len(dst) - start
	if h.Checksum {
		size += ChecksumSize
	}
	binary.LittleEndian.PutUint32(dst[start+9:], uint32(size))
	if h.Checksum {
		dst = binary.LittleEndian.AppendUint32(dst, crc32.ChecksumIEEE(dst[start:]))
	}
	return dst
}
