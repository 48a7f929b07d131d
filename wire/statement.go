package wire

import "encoding/binary"

// StmtExecute is the fixed part of COM_STMT_EXECUTE
// (page_protocol_com_stmt_execute); Rest is borrowed and holds the NULL bitmap,
// the types, if they were sent, and the values.
type StmtExecute struct {
	ID    uint32
	Flags byte // a cursor type: Cursor... flags
	Rest  []byte
}

// The flags of COM_STMT_EXECUTE (enum_cursor_type).
const (
	CursorReadOnly       byte = 1 << 0
	CursorForUpdate      byte = 1 << 1
	CursorScrollable     byte = 1 << 2
	ParameterCountGiven  byte = 1 << 3
	stmtExecuteFixedSize      = 10
	stmtPrepareOKSize         = 12
)

// ParseStmtExecute reads the payload of a COM_STMT_EXECUTE, command byte included.
func ParseStmtExecute(payload []byte, s *StmtExecute) error {
	*s = StmtExecute{}
	if len(payload) < stmtExecuteFixedSize || Command(payload[0]) != ComStmtExecute {
		return ErrMalformed
	}
	s.ID = binary.LittleEndian.Uint32(payload[1:])
	s.Flags = payload[5]
	s.Rest = payload[stmtExecuteFixedSize:]
	return nil
}

// StmtID returns the statement id of a COM_STMT_EXECUTE, FETCH, RESET, CLOSE or
// SEND_LONG_DATA payload, command byte included.
func StmtID(payload []byte) (uint32, error) {
	if len(payload) < 5 {
		return 0, ErrMalformed
	}
	return binary.LittleEndian.Uint32(payload[1:]), nil
}

// PutStmtID replaces the statement id in such a payload. Those shorter than five
// bytes are left as they are.
func PutStmtID(payload []byte, id uint32) {
	if len(payload) >= 5 {
		binary.LittleEndian.PutUint32(payload[1:], id)
	}
}

// StmtPrepareOK is the first packet of the answer to COM_STMT_PREPARE
// (page_protocol_com_stmt_prepare).
type StmtPrepareOK struct {
	ID         uint32
	Columns    uint16
	Parameters uint16
	Warnings   uint16
}

// ParseStmtPrepareOK reads it.
func ParseStmtPrepareOK(payload []byte, p *StmtPrepareOK) error {
	*p = StmtPrepareOK{}
	r := reader{rest: payload}
	header := r.uint8()
	p.ID, p.Columns, p.Parameters = r.uint32(), r.uint16(), r.uint16()
	r.uint8() // filler
	p.Warnings = r.uint16()
	if header != HeaderOK {
		return ErrMalformed
	}
	return r.err()
}

// AppendStmtPrepareOK appends its payload, 12 bytes.
func AppendStmtPrepareOK(dst []byte, p StmtPrepareOK) []byte {
	dst = binary.LittleEndian.AppendUint32(append(dst, HeaderOK), p.ID)
	dst = binary.LittleEndian.AppendUint16(dst, p.Columns)
	dst = binary.LittleEndian.AppendUint16(dst, p.Parameters)
	return binary.LittleEndian.AppendUint16(append(dst, 0), p.Warnings)
}
