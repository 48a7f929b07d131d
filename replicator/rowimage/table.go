package rowimage

import (
	"encoding/binary"
	"fmt"

	"github.com/bellwether-db/bellwether/replicator/event"
)

// Table is what a TABLE_MAP event says. It is a value.
type Table struct {
	ID           uint64 // of the events behind it, until the transaction ends
	Schema, Name string
	Columns      []Column
	// Signed says that it is known which columns are unsigned: a MariaDB does not
	// log that unless binlog_row_metadata says so.
	Signed bool
}

// Column is one column of a table, in the order of its definition.
type Column struct {
	Type     Type
	Meta     uint16 // what the type needs to be read
	Unsigned bool
	// Name is "" unless the server logs names (binlog_row_metadata=FULL).
	Name string
}

// ParseTable reads a TABLE_MAP event. Its errors wrap event.ErrMalformed.
func ParseTable(e event.Event, checksum bool) (Table, error) {
	r := reader{rest: e.Body(checksum)}
	t := Table{ID: r.integer(6)}
	r.take(2) // flags
	t.Schema = string(r.take(int(r.integer(1))))
	r.take(1)
	t.Name = string(r.take(int(r.integer(1))))
	r.take(1)
	types := r.take(r.length())
	t.Columns = make([]Column, len(types))
	meta := reader{rest: r.take(r.length())}
	for i := range types {
		t.Columns[i] = columnOf(Type(types[i]), &meta)
	}
	r.take((len(types) + 7) / 8) // which may be NULL
	if r.failed || meta.failed {
		return Table{}, fmt.Errorf("read table map of %d bytes: %w", len(e), event.ErrMalformed)
	}
	t.optional(&r)
	return t, nil
}

// columnOf reads what a type has in the list of metadata. CHAR, ENUM and SET
// share one type, and the highest bits of a long CHAR's length stand in the type
// itself, inverted.
func columnOf(t Type, meta *reader) Column {
	c := Column{Type: t}
	switch t.metaSize() {
	case 1:
		c.Meta = uint16(meta.integer(1))
	case 2:
		c.Meta = uint16(meta.integer(2))
	}
	if t != String {
		return c
	}
	real, length := byte(c.Meta), c.Meta>>8
	if real&0x30 != 0x30 {
		length |= uint16(real&0x30^0x30) << 4
		real |= 0x30
	}
	return Column{Type: Type(real), Meta: length}
}

// The optional parts that matter (Table_map_log_event::Optional_metadata_field_type).
const (
	optionalSignedness = 1
	optionalNames      = 4
)

// optional reads signs and names where they are; a part that cannot be read is
// not there.
func (t *Table) optional(r *reader) {
	for len(r.rest) > 0 && !r.failed {
		kind := r.integer(1)
		part := reader{rest: r.take(r.length())}
		switch kind {
		case optionalSignedness:
			t.signs(part.rest)
			t.Signed = true
		case optionalNames:
			for i := range t.Columns {
				t.Columns[i].Name = string(part.take(part.length()))
			}
		}
	}
}

// signs has one bit for each numeric column, the highest bit first.
func (t *Table) signs(bits []byte) {
	n := 0
	for i := range t.Columns {
		if !t.Columns[i].Type.numeric() {
			continue
		}
		if n/8 < len(bits) {
			t.Columns[i].Unsigned = bits[n/8]&(0x80>>(n%8)) != 0
		}
		n++
	}
}

// Describe adds what the event does not have of the columns, as the table is
// defined; nothing where that has another number of them.
func (t *Table) Describe(columns []Column) {
	if len(columns) != len(t.Columns) {
		return
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Name == "" {
			c.Name = columns[i].Name
		}
		if !t.Signed {
			c.Unsigned = columns[i].Unsigned
		}
	}
	t.Signed = true
}

// reader takes fields off the front of its bytes; after an error it yields
// zeros.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.failed, r.rest = true, nil
		return nil
	}
	out := r.rest[:n:n]
	r.rest = r.rest[n:]
	return out
}

// integer is little-endian.
func (r *reader) integer(n int) uint64 {
	var raw [8]byte
	copy(raw[:], r.take(n))
	return binary.LittleEndian.Uint64(raw[:])
}

// bigEndian is the other way round.
func (r *reader) bigEndian(n int) (out uint64) {
	for _, b := range r.take(n) {
		out = out<<8 | uint64(b)
	}
	return out
}

// length is an integer of the protocol's variable length.
func (r *reader) length() int {
	n := r.integer(1)
	switch {
	case n == 0xfc:
		n = r.integer(2)
	case n == 0xfd:
		n = r.integer(3)
	case n >= 0xfb:
		n = r.integer(8)
	}
	if n > 1<<31 {
		r.failed = true
		return 0
	}
	return int(n)
}
