package fullcopy

import (
	"bytes"
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"github.com/bellwether-db/bellwether/replicator/fullcopy/schema"
)

// Rows whose JSON documents hold more than their text shows go by INSERT, which
// can say it. A row longer than mostTyped goes as its text.
const (
	mostTyped = 4 << 20 // bytes
	// mostAside is how many bytes of such rows are kept before they are inserted.
	mostAside = 1 << 20
)

// typed says whether rows are read together with the types in their documents.
func (w *worker) typed(k task) bool {
	v := w.from.Dialect.Version()
	return !w.from.Dialect.MariaDB() && v[0] >= 8 && v != [3]int{8, 0, min(v[2], 13)} && len(k.work.Documents()) > 0
}

// asideRow is a row that cannot go by LOAD DATA: what it loads, and what its
// documents hold.
type asideRow struct{ values, types []driver.Value }

// setAside keeps a row back if it has to be, and says whether it has.
func (r *rowReader) setAside() bool {
	types := r.values[r.columns:]
	if !slices.ContainsFunc(types, func(v driver.Value) bool { return v != nil }) {
		return false
	}
	size := 0
	row := asideRow{types: clone(types, &size), values: clone(r.values[:r.columns], &size)}
	if size > mostTyped {
		r.asText = true
		return false
	}
	r.aside, r.asideBytes = append(r.aside, row), r.asideBytes+size
	return true
}

// clone copies what the driver is to overwrite, and counts its bytes.
func clone(values []driver.Value, size *int) []driver.Value {
	out := slices.Clone(values)
	for i, v := range out {
		if b, is := v.([]byte); is {
			out[i] = bytes.Clone(b)
			*size += len(b)
		}
	}
	return out
}

// insert inserts the rows that were set aside, and returns how many there were.
func (w *worker) insert(ctx context.Context, k task, r *rowReader) (uint64, error) {
	rows := r.aside
	r.aside, r.asideBytes = nil, 0
	if len(rows) == 0 {
		return 0, nil
	}
	var text strings.Builder
	text.WriteString("INSERT INTO " + k.work.Path() + " (" + k.work.LoadedNames() + ") VALUES ")
	for i, row := range rows {
		if i > 0 {
			text.WriteString(", ")
		}
		if err := appendTyped(&text, k.work.Table, row); err != nil {
			return 0, err
		}
	}
	inserted, err := w.to.Affected(ctx, text.String())
	if err != nil {
		return 0, err
	}
	return uint64(len(rows)), w.loadedAll(ctx, k, r.columns, uint64(inserted), uint64(len(rows))) //nolint:gosec // a number of rows
}

// appendTyped writes a row as VALUES has it.
func appendTyped(text *strings.Builder, t *schema.Table, row asideRow) error {
	document := 0
	for i, c := range t.Loaded() {
		text.WriteByte("(,"[min(i, 1)])
		value := c.Insert(textOf(row.values[i]))
		if c.Type == "json" {
			if types, is := row.types[document].([]byte); is {
				var err error
				if value, err = schema.Typed(value, types); err != nil {
					return fmt.Errorf("%v: %w", t, err)
				}
			}
			document++
		}
		text.WriteString(value)
	}
	text.WriteByte(')')
	return nil
}

// textOf is a value as LOAD DATA would be given it, without escapes; nil is NULL.
func textOf(v driver.Value) []byte {
	switch v := v.(type) {
	case nil:
		return nil
	case []byte:
		return v
	}
	return appendField([]byte{}, v)
}
