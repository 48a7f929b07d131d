package rows

import (
	"database/sql"
	"fmt"
	"io"
)

// blockSize is how much is collected before it is written: errors that come
// with the first rows come before the first byte.
const blockSize = 32 << 10

// Result is what is written; *sql.Rows is one.
type Result interface {
	Next() bool
	Scan(into ...any) error
	Err() error
}

var _ Result = (*sql.Rows)(nil)

// ColumnsOf returns a result's columns.
func ColumnsOf(result *sql.Rows) ([]Column, error) {
	types, err := result.ColumnTypes()
	if err != nil {
		return nil, fmt.Errorf("read columns: %w", err)
	}
	columns := make([]Column, len(types))
	for i, t := range types {
		columns[i] = Column{Name: t.Name(), Kind: KindOf(t.DatabaseTypeName())}
	}
	return columns, nil
}

// Reader goes through a result's rows. It serves one goroutine.
type Reader struct {
	result Result
	values []sql.RawBytes
	into   []any
	bytes  [][]byte
}

// NewReader makes one for a result of so many columns.
func NewReader(result Result, columns int) *Reader {
	r := &Reader{result: result, values: make([]sql.RawBytes, columns), into: make([]any, columns), bytes: make([][]byte, columns)}
	for i := range r.into {
		r.into[i] = &r.values[i]
	}
	return r
}

// Next returns the next row's values, which are valid until it is called
// again; nil once there is none.
func (r *Reader) Next() ([][]byte, error) {
	if !r.result.Next() {
		return nil, r.result.Err()
	}
	if err := r.result.Scan(r.into...); err != nil {
		return nil, err
	}
	for i, value := range r.values {
		r.bytes[i] = value
	}
	return r.bytes, nil
}

// Write writes a whole result and returns the number of its rows. When it
// fails, started says whether w has got anything, and what it got has no
// proper end: an array of JSON is not closed.
func Write(w io.Writer, result Result, columns []Column, f Format) (count int64, started bool, err error) {
	b := block{w: w, format: f, encoder: NewEncoder(columns)}
	b.begin()
	reader := NewReader(result, len(columns))
	for {
		values, err := reader.Next()
		if err == nil && values != nil {
			err = b.row(values, count)
			count++
		}
		if err != nil {
			return count, b.started, err
		}
		if values == nil {
			b.end()
			return count, true, b.flush()
		}
	}
}

// block collects rows. It serves one goroutine.
type block struct {
	w       io.Writer
	format  Format
	encoder *Encoder
	buffer  []byte
	started bool
}

func (b *block) begin() {
	switch b.format {
	case FormatCSV:
		b.buffer = b.encoder.AppendNames(b.buffer)
	case FormatJSON:
		b.buffer = append(b.buffer, '[')
	}
}

func (b *block) row(values [][]byte, before int64) error {
	switch b.format {
	case FormatCSV:
		b.buffer = b.encoder.AppendLine(b.buffer, values)
	case FormatNDJSON:
		b.buffer = append(b.encoder.AppendObject(b.buffer, values), '\n')
	default:
		if before > 0 {
			b.buffer = append(b.buffer, ',', '\n')
		}
		b.buffer = b.encoder.AppendObject(b.buffer, values)
	}
	if len(b.buffer) < blockSize {
		return nil
	}
	return b.flush()
}

func (b *block) end() {
	if b.format == FormatJSON {
		b.buffer = append(b.buffer, ']', '\n')
	}
}

// largeBuffer is what a buffer may keep after a large row.
const largeBuffer = 1 << 20

func (b *block) flush() error {
	b.started = true
	_, err := b.w.Write(b.buffer)
	if b.buffer = b.buffer[:0]; cap(b.buffer) > largeBuffer {
		b.buffer = nil
	}
	return err
}
