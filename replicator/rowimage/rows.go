package rowimage

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"

	"github.com/bellwether-db/bellwether/replicator/event"
)

// Kind says what was done to the rows of an event. The zero value is unknown.
type Kind uint8

// The kinds.
const (
	KindUnknown Kind = iota
	KindInsert
	KindUpdate
	KindDelete
)

// String is the statement in upper case.
func (k Kind) String() string { return [...]string{"unknown", "INSERT", "UPDATE", "DELETE"}[min(k, 3)] }

// KindOf says what a type of event does to rows; KindUnknown for every other
// type, and for updates of parts of JSON documents, which are not read here.
func KindOf(t event.Type) Kind {
	switch t {
	case 23, 30, 166, 169:
		return KindInsert
	case 24, 31, 167, 170:
		return KindUpdate
	case 25, 32, 168, 171:
		return KindDelete
	}
	return KindUnknown
}

// Row is one row of an event: Before is nil for what was inserted, After for what
// was deleted. A value is nil (NULL), int64, uint64, float32, float64, a Number, a
// Moment, a Document, or []byte, which is borrowed; a column that is not in the
// image is Absent.
type Row struct{ Before, After []any }

// Absent is the value of a column that an image does not have
// (binlog_row_image=MINIMAL).
type Absent struct{}

// TableID is the id of the table that an event of rows is about.
func TableID(e event.Event, checksum bool) uint64 {
	r := reader{rest: e.Body(checksum)}
	return r.integer(6)
}

// ErrTooLarge refuses rows that a server has compressed and that are too large to
// be looked at.
var ErrTooLarge = errors.New("the rows are too large")

// most bounds what is taken out of a compressed event.
const most = 64 << 20

// Each calls visit with the rows of an event of a table, until that returns an
// error. Its own errors wrap event.ErrMalformed or are ErrTooLarge.
func (t *Table) Each(e event.Event, checksum bool, visit func(Row) error) error {
	kind := KindOf(e.Type())
	r := reader{rest: e.Body(checksum)}
	r.take(8) // table id, flags
	if versionTwo(e.Type()) {
		r.take(int(r.integer(2)) - 2)
	}
	columns := r.length()
	present := r.take((columns + 7) / 8)
	after := present
	if kind == KindUpdate {
		after = r.take((columns + 7) / 8)
	}
	if kind == KindUnknown || r.failed || columns != len(t.Columns) {
		return fmt.Errorf("read rows of %s.%s: %w", t.Schema, t.Name, event.ErrMalformed)
	}
	if e.Type() >= 166 {
		if err := r.inflate(); err != nil {
			return fmt.Errorf("read rows of %s.%s: %w", t.Schema, t.Name, err)
		}
	}
	for len(r.rest) > 0 {
		var row Row
		if kind != KindInsert {
			row.Before = t.image(&r, present)
		}
		if kind != KindDelete {
			row.After = t.image(&r, after)
		}
		if r.failed {
			return fmt.Errorf("read row of %s.%s: %w", t.Schema, t.Name, event.ErrMalformed)
		}
		if err := visit(row); err != nil {
			return err
		}
	}
	return nil
}

func versionTwo(t event.Type) bool {
	return t >= event.WriteRows && t <= event.DeleteRows || t >= 169 && t <= 171
}

// inflate undoes MariaDB's compression: a byte with the algorithm and the length
// of a length, that length, and zlib.
func (r *reader) inflate() error {
	head := r.integer(1)
	size := r.bigEndian(int(head & 7))
	if r.failed || head&0x70 != 0 || head&0x80 == 0 {
		return event.ErrMalformed
	}
	if size > most {
		return ErrTooLarge
	}
	z, err := zlib.NewReader(bytes.NewReader(r.rest))
	if err == nil {
		r.rest, err = io.ReadAll(io.LimitReader(z, int64(size)+1))
	}
	if err != nil || uint64(len(r.rest)) != size {
		return event.ErrMalformed
	}
	return nil
}

// image reads one image of a row.
func (t *Table) image(r *reader, present []byte) []any {
	count := 0
	for i := range t.Columns {
		if has(present, i) {
			count++
		}
	}
	nulls, n := r.take((count+7)/8), 0
	out := make([]any, len(t.Columns))
	for i := range t.Columns {
		if !has(present, i) {
			out[i] = Absent{}
			continue
		}
		if !has(nulls, n) {
			out[i] = t.Columns[i].value(r)
		}
		n++
	}
	return out
}

func has(bits []byte, i int) bool { return i/8 < len(bits) && bits[i/8]&(1<<(i%8)) != 0 }
