package compose

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Composer makes statements. Its zero value is ready, and any number of
// goroutines may use it.
type Composer struct {
	parsers sync.Pool // of *parser.Parser, which is for one goroutine each
}

// checked holds a statement against what it is to be, with a parser that sees
// it for the first time: of this kind, with this table and no other.
func (c *Composer) checked(kind string, t Table, s Statement) (Statement, error) {
	named, is, err := c.tables(s.Text)
	if err != nil {
		return Statement{}, fmt.Errorf("read %s again: %w", kind, err)
	}
	if is != kind || !slices.Equal(named, []Table{t}) {
		return Statement{}, fmt.Errorf("compose %s of %s: it is a %s of %v", kind, t.quoted(), is, named)
	}
	return s, nil
}

// Insert says what a row is to be: a fragment, or values given as JSON.
type Insert struct {
	// Columns names the columns that Values are for, as a fragment; "" for all.
	Columns string
	// Values are a row's expressions, as a fragment.
	Values string
	// Rows are rows given as JSON; all name the same columns.
	Rows []Fields
}

// Insert makes the INSERT of one row or more.
func (c *Composer) Insert(t Table, in Insert) (Statement, error) {
	if err := t.check(); err != nil {
		return Statement{}, err
	}
	if len(in.Rows) > 0 {
		if in.Values != "" || in.Columns != "" {
			return Statement{}, refuse("row", "goes without values and columns: it names its columns itself")
		}
		return c.insertRows(t, in.Rows)
	}
	values, err := c.fragment(valuesPart(), t, in.Values)
	if err != nil {
		return Statement{}, err
	}
	names := ""
	if in.Columns != "" {
		if names, err = c.fragment(namesPart(), t, in.Columns); err != nil {
			return Statement{}, err
		}
		names = " (" + names + ")"
	}
	return c.checked("InsertStmt", t, Statement{Text: "INSERT INTO " + t.quoted() + names + " VALUES (" + values + ")"})
}

// Select says what is read. The fragments may be empty.
type Select struct {
	Columns string
	Where   Condition
	Order   string
	Limit   *uint64 // nil: none
	Offset  uint64
}

// Select makes the SELECT of a table's rows.
func (c *Composer) Select(t Table, in Select) (Statement, error) {
	if err := t.check(); err != nil {
		return Statement{}, err
	}
	columns, err := c.optional(columnsPart(), t, in.Columns)
	if err != nil {
		return Statement{}, err
	}
	if columns == "" {
		columns = "*"
	}
	s := Statement{Text: "SELECT " + columns + " FROM " + t.quoted()}
	if !in.Where.empty() {
		if s, err = c.where(s, t, in.Where); err != nil {
			return Statement{}, err
		}
	}
	order, err := c.optional(orderPart(), t, in.Order)
	if err != nil {
		return Statement{}, err
	}
	if order != "" {
		s.Text += " ORDER BY " + order
	}
	s.Text += window(in.Limit, in.Offset)
	return c.checked("SelectStmt", t, s)
}

// window writes LIMIT; an offset alone needs one that ends nothing.
func window(limit *uint64, offset uint64) string {
	if limit == nil && offset == 0 {
		return ""
	}
	most := uint64(1<<64 - 1)
	if limit != nil {
		most = *limit
	}
	text := " LIMIT " + strconv.FormatUint(most, 10)
	if offset > 0 {
		text += " OFFSET " + strconv.FormatUint(offset, 10)
	}
	return text
}

// Update makes the UPDATE of the rows that a condition finds.
func (c *Composer) Update(t Table, set Assignments, where Condition) (Statement, error) {
	if err := t.check(); err != nil {
		return Statement{}, err
	}
	s := Statement{Text: "UPDATE " + t.quoted() + " SET "}
	s, err := c.set(s, t, set)
	if err == nil {
		s, err = c.needed(s, t, where)
	}
	if err != nil {
		return Statement{}, err
	}
	return c.checked("UpdateStmt", t, s)
}

// Delete makes the DELETE of the rows that a condition finds.
func (c *Composer) Delete(t Table, where Condition) (Statement, error) {
	if err := t.check(); err != nil {
		return Statement{}, err
	}
	s, err := c.needed(Statement{Text: "DELETE FROM " + t.quoted()}, t, where)
	if err != nil {
		return Statement{}, err
	}
	return c.checked("DeleteStmt", t, s)
}

// needed adds a condition that may not be forgotten.
func (c *Composer) needed(s Statement, t Table, where Condition) (Statement, error) {
	if where.empty() {
		return s, refuse("where", "is missing: to change every row, say so with TRUE")
	}
	return c.where(s, t, where)
}

// optional is fragment, for one that may be left out.
func (c *Composer) optional(p part, t Table, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	return c.fragment(p, t, text)
}

// CreateDatabase makes the CREATE DATABASE.
func (c *Composer) CreateDatabase(name string) (Statement, error) {
	return Statement{Text: "CREATE DATABASE " + Quote(name)}, checkDatabase("name", name)
}

// DropDatabase makes the DROP DATABASE.
func (c *Composer) DropDatabase(name string) (Statement, error) {
	return Statement{Text: "DROP DATABASE " + Quote(name)}, checkDatabase("name", name)
}

// AlterDatabase makes the ALTER DATABASE that gives new tables another
// character set, another collation, or both.
func (c *Composer) AlterDatabase(name, charset, collation string) (Statement, error) {
	if err := checkDatabase("name", name); err != nil {
		return Statement{}, err
	}
	text := "ALTER DATABASE " + Quote(name)
	for _, option := range []struct{ part, word, value string }{
		{"charset", " CHARACTER SET ", charset}, {"collation", " COLLATE ", collation},
	} {
		if option.value == "" {
			continue
		}
		if strings.Trim(strings.ToLower(option.value), "abcdefghijklmnopqrstuvwxyz0123456789_") != "" || len(option.value) > nameLimit {
			return Statement{}, refuse(option.part, "%q is no name of one", option.value)
		}
		text += option.word + option.value
	}
	if charset == "" && collation == "" {
		return Statement{}, refuse("charset", "is missing, and collation as well: one of them is what changes")
	}
	return Statement{Text: text}, nil
}

// CreateTable makes the CREATE TABLE of a schema, which gets the column
// KeyColumn in front unless it has a primary key.
func (c *Composer) CreateTable(t Table, schema string) (Statement, error) {
	if err := t.check(); err != nil {
		return Statement{}, err
	}
	columns, err := c.fragment(schemaPart(), t, schema)
	if err != nil {
		return Statement{}, err
	}
	key, taken, err := c.keyed(columns)
	switch {
	case err != nil:
		return Statement{}, refuse("schema", "is not understood: %v", err)
	case !key && taken:
		return Statement{}, refuse("schema", "has a column %s and no primary key: write PRIMARY KEY at a column, or leave %s out to have it made",
			KeyColumn, KeyColumn)
	case !key:
		columns = implicitKey + ", " + columns
	}
	return c.checked("CreateTableStmt", t, Statement{Text: "CREATE TABLE " + t.quoted() + " (" + columns + ")"})
}

// AlterTable makes the ALTER TABLE of the changes to columns and keys.
func (c *Composer) AlterTable(t Table, change string) (Statement, error) {
	if err := t.check(); err != nil {
		return Statement{}, err
	}
	changes, err := c.fragment(changePart(), t, change)
	if err != nil {
		return Statement{}, err
	}
	return c.checked("AlterTableStmt", t, Statement{Text: "ALTER TABLE " + t.quoted() + " " + changes})
}
