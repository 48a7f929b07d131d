package fullcopy

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/go-sql-driver/mysql"
)

// load streams a range into the target, in one transaction, after what is to be
// removed first.
func (w *worker) load(ctx context.Context, k task, remove string) error {
	begin := []string{"START TRANSACTION"}
	if remove != "" {
		begin = append(begin, remove)
	}
	if err := w.to.Exec(ctx, begin...); err != nil {
		return err
	}
	count, err := w.stream(ctx, k)
	if err == nil {
		err = w.to.Exec(ctx, "COMMIT")
	}
	if err != nil {
		return errors.Join(err, w.to.Exec(context.WithoutCancel(ctx), "ROLLBACK"))
	}
	w.target.gauge.change(func(p *Progress) { p.Rows += count })
	return nil
}

func (w *worker) stream(ctx context.Context, k task) (count uint64, err error) {
	text := k.work.Select(k.Range)
	if w.typed(k) {
		text = k.work.SelectTyped(k.Range)
	}
	err = w.from.Stream(ctx, text, func(rows driver.Rows) error {
		all := len(rows.Columns())
		r := &rowReader{rows: rows, values: make([]driver.Value, all), columns: all, took: func(n int) error {
			w.target.gauge.change(func(p *Progress) { p.Bytes += uint64(n) })
			return w.target.pace.take(ctx, n)
		}}
		if w.typed(k) {
			r.columns -= len(k.work.Documents())
		}
		for !r.ended && err == nil {
			r.full = false
			var n uint64
			n, err = w.loadSome(ctx, k, r)
			count += n
		}
		if r.asText {
			w.target.note(fmt.Sprintf("%v has rows of more than %d MB: the types within their JSON documents are as their text has them", k.work.Table, mostTyped>>20))
		}
		return err
	})
	return count, err
}

// loadSome loads rows until they end, or until those that were set aside must be
// inserted.
func (w *worker) loadSome(ctx context.Context, k task, r *rowReader) (uint64, error) {
	mysql.RegisterReaderHandler(w.reader, func() io.Reader { return r })
	defer mysql.DeregisterReaderHandler(w.reader)
	before := r.count
	loaded, err := w.to.Affected(ctx, k.work.LoadInto(w.reader))
	if r.err != nil {
		return 0, fmt.Errorf("read on %s: %w", w.from.Node.Name, r.err)
	}
	if err != nil {
		return 0, err
	}
	if err := w.loadedAll(ctx, k, len(k.work.Loaded()), uint64(loaded), r.count-before); err != nil { //nolint:gosec // a number of rows
		return 0, err
	}
	inserted, err := w.insert(ctx, k, r)
	return r.count - before + inserted, err
}

// The warnings of LOAD DATA that tell nothing wrong: an ENUM's value 0, which
// stands for a value that was none.
const warnTruncated = 1265

// loadedAll insists that every row has arrived as it was: LOAD DATA LOCAL makes
// warnings of errors.
func (w *worker) loadedAll(ctx context.Context, k task, columns int, loaded, read uint64) error {
	warnings, err := w.to.Rows(ctx, "SHOW WARNINGS")
	if err != nil {
		return err
	}
	for _, warning := range warnings {
		code, _ := strconv.Atoi(warning["Code"])
		if warning["Level"] == "Note" || code == warnTruncated && k.work.hasNumbered() || columns == 0 {
			continue
		}
		return fmt.Errorf("load into %v: %s %s: %w", k.work.Table, warning["Code"], warning["Message"], ErrDiffers)
	}
	if loaded != read {
		return fmt.Errorf("load into %v: %d of %d rows arrived: %w", k.work.Table, loaded, read, ErrDiffers)
	}
	return nil
}

func (w *tableWork) hasNumbered() bool {
	for _, c := range w.Columns {
		if c.Type == "enum" || c.Type == "set" {
			return true
		}
	}
	return false
}

// bufferSize is about how much is read from the source before it is sent on.
const bufferSize = 64 << 10

// rowReader gives rows as LOAD DATA reads them. It holds one row and what
// fits beside it into its buffer. One goroutine at a time.
type rowReader struct {
	rows   driver.Rows
	values []driver.Value
	took   func(bytes int) error // is told what was read, and may have it wait

	// columns are loaded, of the values; the others are the types in documents.
	columns int

	buffer []byte
	sent   int
	count  uint64 // given to LOAD DATA
	err    error  // of the rows, never io.EOF
	ended  bool

	aside      []asideRow // rows for INSERT
	asideBytes int
	full       bool // LOAD DATA is to end, for them
	asText     bool // some should have been set aside, and are too long
}

// Read gives the next bytes.
func (r *rowReader) Read(p []byte) (int, error) {
	for r.sent == len(r.buffer) {
		if r.err != nil {
			return 0, r.err
		}
		if r.ended || r.full {
			return 0, io.EOF
		}
		r.fill()
	}
	n := copy(p, r.buffer[r.sent:])
	r.sent += n
	return n, nil
}

func (r *rowReader) fill() {
	r.shrink()
	aside := r.asideBytes
	for len(r.buffer) < bufferSize {
		err := r.rows.Next(r.values)
		if errors.Is(err, io.EOF) {
			r.ended = true
			break
		}
		if err != nil {
			r.err = err
			return
		}
		if r.setAside() {
			if r.full = r.asideBytes > mostAside; r.full {
				break
			}
			continue
		}
		r.buffer = appendRow(r.buffer, r.values[:r.columns])
		r.count++
	}
	r.err = r.took(len(r.buffer) + r.asideBytes - aside)
}

// shrink empties the buffer, and gives the room for a very long row back.
func (r *rowReader) shrink() {
	r.buffer, r.sent = r.buffer[:0], 0
	if cap(r.buffer) > 16*bufferSize {
		r.buffer = nil
	}
}

// appendRow writes one line.
func appendRow(dst []byte, values []driver.Value) []byte {
	for i, v := range values {
		if i > 0 {
			dst = append(dst, '\t')
		}
		dst = appendField(dst, v)
	}
	return append(dst, '\n')
}

func appendField(dst []byte, v driver.Value) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, '\\', 'N')
	case []byte:
		return appendEscaped(dst, v)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case uint64:
		return strconv.AppendUint(dst, v, 10)
	case float64:
		return strconv.AppendFloat(dst, v, 'g', -1, 64)
	default:
		return appendEscaped(dst, []byte(fmt.Sprint(v))) // no other type comes
	}
}

// appendEscaped escapes what would end a field or a line.
func appendEscaped(dst, field []byte) []byte {
	from := 0
	for i, b := range field {
		var escape byte
		switch b {
		case '\\', '\t', '\n':
			escape = [...]byte{'\\': '\\', '\t': 't', '\n': 'n'}[b]
		case 0:
			escape = '0'
		default:
			continue
		}
		dst = append(dst, field[from:i]...)
		dst = append(dst, '\\', escape)
		from = i + 1
	}
	return append(dst, field[from:]...)
}
