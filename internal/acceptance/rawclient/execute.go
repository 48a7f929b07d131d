package rawclient

import (
	"encoding/binary"
	"math"
)

// Type bytes of the binary protocol (page "Column Types").
const (
	TypeTiny     byte = 0x01
	TypeShort    byte = 0x02
	TypeLong     byte = 0x03
	TypeDouble   byte = 0x05
	TypeNull     byte = 0x06
	TypeLonglong byte = 0x08
	TypeDatetime byte = 0x0c
	TypeString   byte = 0xfd
	TypeBlob     byte = 0xfc
	Unsigned     byte = 0x80
)

// Value is one parameter of an execution. Long marks one whose bytes were sent
// before with SendLongData.
type Value struct {
	Type     byte
	Unsigned bool
	Null     bool
	Long     bool
	Int      int64
	Double   float64
	Text     string
}

// ReadOnlyCursor asks Execute for a cursor instead of rows.
const ReadOnlyCursor byte = 1

// Execute sends COM_STMT_EXECUTE. withTypes false reuses the types of the
// execution before.
func (c *Conn) Execute(id uint32, flags byte, values []Value, withTypes bool) (Answer, error) {
	b := append(statementHead(ComStmtExecute, id), flags, 1, 0, 0, 0)
	if len(values) > 0 {
		b = append(b, nullBitmap(values)...)
		b = appendTypes(b, values, withTypes)
		for _, v := range values {
			b = v.append(b)
		}
	}
	return c.Do(b)
}

func nullBitmap(values []Value) []byte {
	bitmap := make([]byte, (len(values)+7)/8)
	for i, v := range values {
		if v.Null {
			bitmap[i/8] |= 1 << (i % 8)
		}
	}
	return bitmap
}

func appendTypes(b []byte, values []Value, withTypes bool) []byte {
	if !withTypes {
		return append(b, 0)
	}
	b = append(b, 1)
	for _, v := range values {
		sign := byte(0)
		if v.Unsigned {
			sign = Unsigned
		}
		b = append(b, v.Type, sign)
	}
	return b
}

func (v Value) append(b []byte) []byte {
	if v.Null || v.Long || v.Type == TypeNull {
		return b
	}
	switch v.Type {
	case TypeTiny:
		return append(b, byte(v.Int))
	case TypeShort:
		return binary.LittleEndian.AppendUint16(b, uint16(v.Int))
	case TypeLong:
		return binary.LittleEndian.AppendUint32(b, uint32(v.Int))
	case TypeLonglong:
		return binary.LittleEndian.AppendUint64(b, uint64(v.Int))
	case TypeDouble:
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(v.Double))
	case TypeDatetime:
		return append(b, 7, byte(v.Int), byte(v.Int>>8), 5, 17, 13, 14, 15)
	}
	return append(appendLenenc(b, uint64(len(v.Text))), v.Text...)
}
