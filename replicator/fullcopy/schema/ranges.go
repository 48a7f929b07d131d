package schema

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Bound is a value of a primary key: one SQL literal for each of its columns.
// nil is beyond all values.
type Bound []string

// Range holds the rows behind After, up to and with UpTo. The zero value is
// the whole table.
type Range struct{ After, UpTo Bound }

// Whole says whether the range has no bound.
func (r Range) Whole() bool { return r.After == nil && r.UpTo == nil }

// Where is the range's condition, with WHERE; "" for all rows. It spells out
// what row constructors mean, because the servers use an index for this only.
func (t *Table) Where(r Range) string {
	var parts []string
	if r.After != nil {
		parts = append(parts, t.beyond(r.After, ">", ">"))
	}
	if r.UpTo != nil {
		parts = append(parts, t.beyond(r.UpTo, "<", "<="))
	}
	if len(parts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(parts, " AND ")
}

// beyond is the condition of keys on one side of b.
func (t *Table) beyond(b Bound, strict, last string) string {
	var alternatives []string
	equal := ""
	for i, c := range t.Key {
		operator := strict
		if i == len(t.Key)-1 {
			operator = last
		}
		alternatives = append(alternatives, equal+Quote(c.Name)+" "+operator+" "+b[i])
		equal += Quote(c.Name) + " = " + b[i] + " AND "
	}
	return "(" + strings.Join(alternatives, " OR ") + ")"
}

// KeyReads are the expressions of the primary key's values, as Literals of it
// takes them.
func (t *Table) KeyReads() string {
	out := make([]string, len(t.Key))
	for i, c := range t.Key {
		out[i] = c.keyRead() + " AS k" + strconv.Itoa(i)
	}
	return strings.Join(out, ", ")
}

// KeyOf makes a bound of a row that KeyReads gave.
func (t *Table) KeyOf(row map[string]string) Bound {
	out := make(Bound, len(t.Key))
	for i, c := range t.Key {
		out[i] = c.keyLiteral(row["k"+strconv.Itoa(i)])
	}
	return out
}

// KeyText shows a row that KeyReads gave to people.
func (t *Table) KeyText(row map[string]string) string {
	out := make([]string, len(t.Key))
	for i, c := range t.Key {
		value := row["k"+strconv.Itoa(i)]
		if c.way() == wayBytes {
			value = strconv.Quote(value)
		}
		out[i] = c.Name + "=" + value
	}
	return strings.Join(out, ", ")
}

// Next finds the bound behind which rows rows of a range lie, nil where it has
// not so many. Bounds cut a table in pieces whatever has happened to its rows
// since.
func (t *Table) Next(ctx context.Context, c *Conn, r Range, rows int) (Bound, error) {
	if len(t.Key) == 0 {
		return nil, nil
	}
	found, err := c.Rows(ctx, fmt.Sprintf("SELECT %s FROM %s%s ORDER BY %s LIMIT 1 OFFSET %d",
		t.KeyReads(), t.Path(), t.history()+t.index()+t.Where(r), names(t.Key), max(rows, 1)-1))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return t.KeyOf(found[0]), nil
}

// history makes a versioned table show all its rows.
func (t *Table) history() string {
	if t.Versioned {
		return " FOR SYSTEM_TIME ALL"
	}
	return ""
}

// index keeps the server to the primary key, so that a range is read, and
// locked, and nothing else.
func (t *Table) index() string {
	if len(t.Key) == 0 {
		return ""
	}
	return " FORCE INDEX (PRIMARY)"
}

// versioning are the columns that keep a versioned table's history.
func (t *Table) versioning() []Column {
	start, end := Column{Name: "row_start", Type: "timestamp"}, Column{Name: "row_end", Type: "timestamp"}
	for _, c := range t.Columns {
		switch c.Versioning {
		case "start":
			start = c
		case "end":
			end = c
		}
	}
	return []Column{start, end}
}

// copied are the columns that a copy has: those of Loaded, and the history's.
func (t *Table) copied() []Column {
	if t.Versioned {
		return append(t.Loaded(), t.versioning()...)
	}
	return t.Loaded()
}

// Select reads the rows of a range, in the order of columns that LoadInto wants.
func (t *Table) Select(r Range) string {
	columns := t.copied()
	reads := make([]string, len(columns))
	for i, c := range columns {
		reads[i] = c.Read()
	}
	if len(reads) == 0 {
		reads = []string{"0"} // every column is generated
	}
	return "SELECT " + strings.Join(reads, ", ") + " FROM " + t.Path() + t.history() + t.index() + t.Where(r)
}

// LoadInto is the statement that loads what Select read from a reader of that
// name: tabs, line feeds, backslashes.
func (t *Table) LoadInto(reader string) string {
	var into, assignments []string
	for i, c := range t.copied() {
		field, assignment := c.Load(i)
		into = append(into, field)
		if assignment != "" {
			assignments = append(assignments, assignment)
		}
	}
	if len(into) == 0 {
		into = []string{"@v0"}
	}
	text := "LOAD DATA LOCAL INFILE " + Literal("Reader::"+reader) + " INTO TABLE " + t.Path() +
		` CHARACTER SET binary FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n' (` + strings.Join(into, ", ") + ")"
	if len(assignments) > 0 {
		text += " SET " + strings.Join(assignments, ", ")
	}
	return text
}

// LoadedNames are the names of Loaded, as INSERT lists them.
func (t *Table) LoadedNames() string { return names(t.Loaded()) }

// Delete removes the rows of a range.
func (t *Table) Delete(r Range) string { return "DELETE FROM " + t.Path() + t.Where(r) }

// rowDigest is an expression of 64 bits that differs where rows do.
func (t *Table) rowDigest() string {
	parts := []string{"'#'", "''"}
	for _, c := range t.Loaded() {
		parts = append(parts, c.digest())
	}
	return "CAST(CONV(LEFT(SHA2(CONCAT_WS(" + strings.Join(parts, ", ") + "), 256), 16), 16, 10) AS UNSIGNED)"
}

// Digest reads the number of rows of a range and the sum of their digests, in
// the columns n and sum. A versioned table's history is not part of it.
func (t *Table) Digest(r Range) string {
	return "SELECT COUNT(*) AS n, SUM(" + t.rowDigest() + ") AS sum FROM " + t.Path() + t.index() + t.Where(r)
}

// Locking makes a Digest, or a Rowwise, of transactional tables keep its rows,
// and the gaps between them, as they are until the transaction ends.
const Locking = " LOCK IN SHARE MODE"

// Rowwise reads each row of a range in the order of the key, with its digest in
// the column sum.
func (t *Table) Rowwise(r Range) string {
	return "SELECT " + t.KeyReads() + ", " + t.rowDigest() + " AS sum FROM " + t.Path() + t.index() + t.Where(r) + " ORDER BY " + names(t.Key)
}
