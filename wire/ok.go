package wire

import (
	"encoding/binary"
)

// The first byte of a response packet.
const (
	HeaderOK        = 0x00
	HeaderLocalFile = 0xfb // LOAD DATA LOCAL asks the client for a file
	HeaderEOF       = 0xfe // EOF, or with ClientDeprecateEOF the OK that ends rows
	HeaderError     = 0xff
	maxEOFSize      = 9 // a 0xfe packet of this size or more is a row, where rows may come
)

// OK is an OK packet (page_protocol_basic_ok_packet). Info and Track are
// borrowed from the payload it was parsed from.
type OK struct {
	AffectedRows uint64
	InsertID     uint64
	Status       uint16 // Status... flags
	Warnings     uint16
	Info         []byte // human-readable, such as "Rows matched: 1  Changed: 1  Warnings: 0"
	Track        []byte // the session-track block, see [TrackReader]; nil without one
}

// ParseOK reads an OK packet, with header 0x00 or 0xfe, that was sent under the
// capabilities caps (ClientProtocol41 is taken as given). It allocates nothing;
// on an error ok holds nothing of use.
func ParseOK(payload []byte, caps Capability, ok *OK) error {
	*ok = OK{}
	if len(payload) == 0 || payload[0] != HeaderOK && payload[0] != HeaderEOF {
		return ErrMalformed
	}
	r := reader{rest: payload[1:]}
	ok.AffectedRows, ok.InsertID = r.lenencInt(), r.lenencInt()
	ok.Status, ok.Warnings = r.uint16(), r.uint16()
	if caps.Has(ClientSessionTrack) {
		ok.parseTracked(&r)
	} else {
		ok.Info = untrackedInfo(r.rest)
	}
	return r.err()
}

// parseTracked reads what follows the warnings under ClientSessionTrack. A
// server that has neither info nor a state change sends nothing at all there.
func (ok *OK) parseTracked(r *reader) {
	if r.bad || len(r.rest) == 0 {
		return
	}
	ok.Info = r.lenencBytes()
	if ok.Status&StatusSessionStateChanged != 0 {
		ok.Track = r.lenencBytes()
	}
}

// untrackedInfo returns the info of an OK packet without ClientSessionTrack. The
// documentation says string<EOF>; servers do send a length before it.
func untrackedInfo(rest []byte) []byte {
	if s, n := ReadLenencBytes(rest); n == len(rest) && n > 0 {
		return s
	}
	return rest
}

// AppendOK appends the payload of an OK packet, as servers make it, for a peer
// with the capabilities caps. header is HeaderOK, or HeaderEOF for the packet
// that ends rows under ClientDeprecateEOF. Without ClientSessionTrack the track
// block is left out; StatusSessionStateChanged always says whether one is there.
func AppendOK(dst []byte, header byte, caps Capability, ok *OK) []byte {
	track := caps.Has(ClientSessionTrack) && len(ok.Track) > 0
	status := ok.Status &^ StatusSessionStateChanged
	if track {
		status |= StatusSessionStateChanged
	}
	dst = AppendLenencInt(append(dst, header), ok.AffectedRows)
	dst = AppendLenencInt(dst, ok.InsertID)
	dst = binary.LittleEndian.AppendUint16(dst, status)
	dst = binary.LittleEndian.AppendUint16(dst, ok.Warnings)
	if track || len(ok.Info) > 0 {
		dst = AppendLenencBytes(dst, ok.Info)
	}
	if track {
		dst = AppendLenencBytes(dst, ok.Track)
	}
	return dst
}

// FilterOK turns the payload of a node's OK packet (header 0x00 or 0xfe), sent
// under ClientSessionTrack, into the one for a client with the capabilities
// client: without a track block where the client did not ask for one, and
// otherwise with the entries that keep returns true for (nil keeps all). It
// returns payload itself where nothing has to change, else the new payload
// appended to dst, which must not overlap payload.
func FilterOK(dst, payload []byte, client Capability, keep func(TrackEntry) bool) ([]byte, error) {
	var ok OK
	if err := ParseOK(payload, ClientSessionTrack, &ok); err != nil {
		return nil, err
	}
	if ok.Status&StatusSessionStateChanged == 0 {
		return payload, nil
	}
	if !client.Has(ClientSessionTrack) {
		return AppendOK(dst, payload[0], client, &ok), nil
	}
	all, err := keepsAll(ok.Track, keep)
	if all || err != nil {
		return payload, err
	}
	return appendFilteredOK(dst, payload, client, &ok, keep)
}

func appendFilteredOK(dst, payload []byte, client Capability, ok *OK, keep func(TrackEntry) bool) ([]byte, error) {
	// The filtered block is built behind the packet's place first, where dst has
	// room, since the packet holds the block's length before the block.
	start := len(dst)
	dst, err := FilterTrack(dst, ok.Track, keep)
	if err != nil {
		return nil, err
	}
	kept := len(dst)
	filtered := *ok
	filtered.Track = dst[start:kept:kept]
	dst = AppendOK(dst, payload[0], client, &filtered)
	n := copy(dst[start:], dst[kept:])
	return dst[:start+n], nil
}

// EOF is an EOF packet (page_protocol_basic_eof_packet), which ends columns and
// rows for peers without ClientDeprecateEOF.
type EOF struct {
	Warnings uint16
	Status   uint16 // Status... flags
}

// IsEOF reports whether payload is an EOF packet, or the OK packet with header
// 0xfe that takes its place, and not a row: a row may start with 0xfe too, but
// is then as large as a whole packet.
func IsEOF(payload []byte, caps Capability) bool {
	if len(payload) == 0 || payload[0] != HeaderEOF {
		return false
	}
	if caps.Has(ClientDeprecateEOF) {
		return len(payload) < MaxPiece
	}
	return len(payload) < maxEOFSize
}

// IsError reports whether payload is an ERR packet.
func IsError(payload []byte) bool { return len(payload) > 0 && payload[0] == HeaderError }

// ParseEOF reads an EOF packet.
func ParseEOF(payload []byte, eof *EOF) error {
	*eof = EOF{}
	r := reader{rest: payload}
	header := r.uint8()
	eof.Warnings, eof.Status = r.uint16(), r.uint16()
	if header != HeaderEOF || len(r.rest) > 0 {
		return ErrMalformed
	}
	return r.err()
}

// AppendEOF appends the payload of an EOF packet.
func AppendEOF(dst []byte, eof EOF) []byte {
	dst = binary.LittleEndian.AppendUint16(append(dst, HeaderEOF), eof.Warnings)
	return binary.LittleEndian.AppendUint16(dst, eof.Status)
}
