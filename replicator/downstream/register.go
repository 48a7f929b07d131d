package downstream

import (
	"encoding/binary"
	"errors"
)

// errPacket says that a command's bytes are not what the command says.
var errPacket = errors.New("malformed command")

// registration is what a slave says of itself (page_protocol_com_register_replica).
type registration struct {
	serverID uint32
	host     string // its report_host, which may be empty
	port     uint16
}

// parseRegistration reads the payload of COM_REGISTER_SLAVE behind the command.
func parseRegistration(b []byte) (registration, error) {
	r := reader{rest: b}
	out := registration{serverID: r.uint32(), host: r.short()}
	r.short() // its user
	r.short() // and password, which nobody should send
	out.port = r.uint16()
	r.bytes(8) // rank and master's id, which mean nothing any more
	return out, r.err()
}

// reader takes fields off the front of a packet; once one is missing, all that
// follow are zero and err says so.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) bytes(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.rest, r.bad = nil, true
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
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

func (r *reader) uint64() uint64 {
	if b := r.bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// short reads a string behind its length in one byte.
func (r *reader) short() string {
	n := r.bytes(1)
	if n == nil {
		return ""
	}
	return string(r.bytes(int(n[0])))
}

func (r *reader) err() error {
	if r.bad {
		return errPacket
	}
	return nil
}
