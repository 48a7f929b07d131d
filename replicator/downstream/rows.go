package downstream

import "github.com/bellwether-db/bellwether/wire"

// table is an answer in rows, all of it text. It is a value.
type table struct {
	columns []string
	rows    [][]string
	// null marks the values of a single row that are NULL; nil where none is.
	null []bool
}

// sendTable answers a query with rows.
func (x *session) sendTable(t table) error {
	if err := x.conn.WritePacket(wire.AppendLenencInt(nil, uint64(len(t.columns)))); err != nil {
		return err
	}
	for _, name := range t.columns {
		column := wire.Column{Name: name, OrgName: name, Collation: wire.CollationUTF8MB4, Length: 1024, Type: wire.TypeVarString}
		if err := x.conn.WritePacket(wire.AppendColumn(nil, &column)); err != nil {
			return err
		}
	}
	if !x.capabilities.Has(wire.ClientDeprecateEOF) {
		if err := x.endOfRows(); err != nil {
			return err
		}
	}
	for _, row := range t.rows {
		if err := x.conn.WritePacket(wire.AppendTextRow(nil, t.values(row)...)); err != nil {
			return err
		}
	}
	if err := x.endOfRows(); err != nil {
		return err
	}
	return x.conn.Flush()
}

func (t table) values(row []string) [][]byte {
	values := make([][]byte, len(row))
	for i, v := range row {
		if t.null == nil || !t.null[i] {
			values[i] = append([]byte{}, v...)
		}
	}
	return values
}

// endOfRows buffers what stands behind columns and behind rows.
func (x *session) endOfRows() error {
	if x.capabilities.Has(wire.ClientDeprecateEOF) {
		return x.conn.WritePacket(wire.AppendOK(nil, wire.HeaderEOF, x.capabilities, &wire.OK{Status: wire.StatusAutocommit}))
	}
	return x.conn.WritePacket(wire.AppendEOF(nil, wire.EOF{Status: wire.StatusAutocommit}))
}

func (x *session) sendOK() error {
	return x.send(wire.AppendOK(nil, wire.HeaderOK, x.capabilities, &wire.OK{Status: wire.StatusAutocommit}))
}

func (x *session) sendError(e *wire.ServerError) error { return x.send(wire.AppendError(nil, e)) }

func (x *session) send(payload []byte) error {
	if err := x.conn.WritePacket(payload); err != nil {
		return err
	}
	return x.conn.Flush()
}
