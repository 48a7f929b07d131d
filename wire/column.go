package wire

import "encoding/binary"

// ColumnType is the type of a column or parameter (enum_field_types). Its zero
// value is DECIMAL of old servers, which no server sends any more.
type ColumnType byte

// The column types that the proxy makes or looks at.
const (
	TypeTiny      ColumnType = 0x01
	TypeLong      ColumnType = 0x03
	TypeNull      ColumnType = 0x06
	TypeLongLong  ColumnType = 0x08
	TypeBlob      ColumnType = 0xfc
	TypeVarString ColumnType = 0xfd
	TypeString    ColumnType = 0xfe
)

// String names the type as the protocol's pages do, in lower case.
func (t ColumnType) String() string {
	switch t {
	case TypeTiny:
		return "tiny"
	case TypeLong:
		return "long"
	case TypeNull:
		return "null"
	case TypeLongLong:
		return "longlong"
	case TypeBlob:
		return "blob"
	case TypeVarString:
		return "var-string"
	case TypeString:
		return "string"
	}
	return "other"
}

// Collation ids for columns (information_schema.COLLATIONS).
const (
	CollationUTF8MB4 uint16 = 45 // utf8mb4_general_ci, known to both flavours
	CollationBinary  uint16 = 63
)

// Flags of a column.
const (
	ColumnNotNull  uint16 = 1
	ColumnUnsigned uint16 = 32
	ColumnBinary   uint16 = 128
)

// Column is a column definition (page_protocol_com_query_response_text_resultset_column_definition).
// It owns its strings.
type Column struct {
	Schema, Table, OrgTable string
	Name, OrgName           string
	Collation               uint16
	Length                  uint32 // largest size of a value in bytes
	Type                    ColumnType
	Flags                   uint16
	Decimals                byte
}

const columnFixedSize = 12

// AppendColumn appends the payload of a column definition packet.
func AppendColumn(dst []byte, c *Column) []byte {
	dst = AppendLenencString(dst, "def")
	for _, s := range [...]string{c.Schema, c.Table, c.OrgTable, c.Name, c.OrgName} {
		dst = AppendLenencString(dst, s)
	}
	dst = binary.LittleEndian.AppendUint16(append(dst, columnFixedSize), c.Collation)
	dst = binary.LittleEndian.AppendUint32(dst, c.Length)
	dst = append(dst, byte(c.Type))
	dst = binary.LittleEndian.AppendUint16(dst, c.Flags)
	return append(dst, c.Decimals, 0, 0)
}

// ParseColumn reads a column definition packet.
func ParseColumn(payload []byte) (Column, error) {
	r := reader{rest: payload}
	r.lenencBytes() // catalogue, always "def"
	var c Column
	for _, s := range [...]*string{&c.Schema, &c.Table, &c.OrgTable, &c.Name, &c.OrgName} {
		*s = string(r.lenencBytes())
	}
	if r.lenencInt() < columnFixedSize {
		return Column{}, ErrMalformed
	}
	c.Collation, c.Length, c.Type = r.uint16(), r.uint32(), ColumnType(r.uint8())
	c.Flags, c.Decimals = r.uint16(), r.uint8()
	return c, r.err()
}

// AppendTextRow appends the payload of a text protocol row; a nil value is NULL.
func AppendTextRow(dst []byte, values ...[]byte) []byte {
	for _, v := range values {
		if v == nil {
			dst = append(dst, lenencNull)
			continue
		}
		dst = AppendLenencBytes(dst, v)
	}
	return dst
}

// ParseTextRow appends the values of a text protocol row to dst, borrowed from
// payload; NULL is nil, an empty string is not.
func ParseTextRow(dst [][]byte, payload []byte) ([][]byte, error) {
	for len(payload) > 0 {
		if payload[0] == lenencNull {
			dst, payload = append(dst, nil), payload[1:]
			continue
		}
		v, n := ReadLenencBytes(payload)
		if n == 0 {
			return dst, ErrMalformed
		}
		dst, payload = append(dst, v), payload[n:]
	}
	return dst, nil
}
