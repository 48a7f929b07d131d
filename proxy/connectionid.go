package proxy

import (
	"encoding/binary"

	"github.com/bellwether-db/bellwether/wire"
)

// connectionIDText and connectionIDBinary make the row of SELECT
// CONNECTION_ID() from the node's.
func (x *session) connectionIDText(dst, _ []byte) []byte {
	return wire.AppendLenencString(dst, utoa(x.id))
}

func (x *session) connectionIDBinary(dst, row []byte) []byte {
	dst = append(dst, row...)
	switch len(row) {
	case 2 + 8:
		binary.LittleEndian.PutUint64(dst[2:], uint64(x.id))
	case 2 + 4:
		binary.LittleEndian.PutUint32(dst[2:], x.id)
	}
	return dst
}
