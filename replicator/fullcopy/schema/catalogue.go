package schema

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Catalogue is all that is defined on a server, less what belongs to the server
// itself. Do not change it.
type Catalogue struct {
	// Ground is as Ground reads it; it is not among All, and not compared.
	Ground    []Definition
	Databases []Definition
	// Tables with the sequences, these first.
	Tables                            []*Table
	Views, Routines, Triggers, Events []Definition
}

// All are the definitions in databases, and these, those of the tables included.
func (k *Catalogue) All() []Definition {
	out := append([]Definition{}, k.Databases...)
	for _, t := range k.Tables {
		out = append(out, t.Definition())
	}
	for _, more := range [][]Definition{k.Routines, k.Views, k.Triggers, k.Events} {
		out = append(out, more...)
	}
	return out
}

// Definition is the table's.
func (t *Table) Definition() Definition {
	kind := KindTable
	if t.Sequence {
		kind = KindSequence
	}
	return Definition{Kind: kind, Schema: t.Schema, Name: t.Name, SQL: t.Create}
}

// Read reads everything. It is consistent only while nothing is defined anew.
func Read(ctx context.Context, c *Conn) (*Catalogue, error) {
	out := &Catalogue{}
	for _, read := range []func(context.Context, *Conn) error{out.readDatabases, out.readTables, out.readViews, out.readRoutines, out.readTriggers, out.readEvents} {
		if err := read(ctx, c); err != nil {
			return nil, fmt.Errorf("read what is defined: %w", err)
		}
	}
	return out, nil
}

func (k *Catalogue) readDatabases(ctx context.Context, c *Conn) (err error) {
	if k.Ground, err = Ground(ctx, c); err == nil {
		k.Databases, err = Databases(ctx, c)
	}
	return err
}

// Databases reads the databases that do not belong to the server itself.
func Databases(ctx context.Context, c *Conn) (out []Definition, err error) {
	rows, err := c.Rows(ctx, "SELECT SCHEMA_NAME AS s FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN ("+Literals(own)+") ORDER BY SCHEMA_NAME")
	for _, row := range rows {
		d, err := show(ctx, c, KindDatabase, row["s"], "", "Create Database")
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, err
}

func (k *Catalogue) readTables(ctx context.Context, c *Conn) error {
	for _, d := range k.Databases {
		tables, err := TablesOf(ctx, c, d.Schema)
		if err != nil {
			return err
		}
		for _, t := range tables {
			if t.Sequence {
				k.Tables = append([]*Table{t}, k.Tables...)
			} else {
				k.Tables = append(k.Tables, t)
			}
		}
	}
	return nil
}

// TablesOf reads the tables of a database, only those with the given names if
// there are any.
func TablesOf(ctx context.Context, c *Conn, database string, only ...string) ([]*Table, error) {
	condition := " WHERE TABLE_SCHEMA = " + Literal(database)
	if len(only) > 0 {
		condition += " AND TABLE_NAME IN (" + Literals(only) + ")"
	}
	rows, err := c.Rows(ctx, "SELECT TABLE_NAME AS t, TABLE_TYPE AS kind, ENGINE AS engine, TABLE_ROWS AS n, DATA_LENGTH AS bytes FROM information_schema.TABLES"+
		condition+" AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE') ORDER BY TABLE_NAME")
	if err != nil {
		return nil, err
	}
	byName := map[string]*Table{}
	var out []*Table
	for _, row := range rows {
		t := &Table{Schema: database, Name: row["t"], Engine: row["engine"], Sequence: row["kind"] == "SEQUENCE", Versioned: row["kind"] == "SYSTEM VERSIONED"}
		t.Rows, _ = strconv.ParseUint(row["n"], 10, 64) // an estimate, or NULL
		t.Bytes, _ = strconv.ParseUint(row["bytes"], 10, 64)
		d, err := show(ctx, c, t.Definition().Kind, database, t.Name, "Create Table")
		if err != nil {
			return nil, err
		}
		t.Create = d.SQL
		byName[t.Name] = t
		out = append(out, t)
	}
	if err := readColumns(ctx, c, condition, byName); err != nil {
		return nil, err
	}
	return out, readKeys(ctx, c, condition, byName)
}

func readColumns(ctx context.Context, c *Conn, condition string, tables map[string]*Table) error {
	rows, err := c.Rows(ctx, "SELECT TABLE_NAME AS t, COLUMN_NAME AS name, DATA_TYPE AS type, CHARACTER_SET_NAME AS charset, EXTRA AS extra, GENERATION_EXPRESSION AS expr FROM information_schema.COLUMNS"+
		condition+" ORDER BY TABLE_NAME, ORDINAL_POSITION")
	if err != nil {
		return err
	}
	for _, row := range rows {
		t := tables[row["t"]]
		if t == nil {
			continue // a view's
		}
		column := Column{Name: row["name"], Type: strings.ToLower(row["type"]), Charset: row["charset"]}
		extra := strings.ToUpper(row["extra"])
		column.Numbers = strings.Contains(extra, "AUTO_INCREMENT")
		column.Generated = strings.Contains(extra, "VIRTUAL GENERATED") || strings.Contains(extra, "STORED GENERATED") || strings.Contains(extra, "PERSISTENT")
		switch strings.ToUpper(row["expr"]) {
		case "ROW START":
			column.Generated, column.Versioning = true, "start"
		case "ROW END":
			column.Generated, column.Versioning = true, "end"
		}
		t.Columns = append(t.Columns, column)
	}
	return nil
}

// readKeys reads the primary keys. One with a part of a column, or of a type
// that Literals are not made of, is as none.
func readKeys(ctx context.Context, c *Conn, condition string, tables map[string]*Table) error {
	rows, err := c.Rows(ctx, "SELECT TABLE_NAME AS t, COLUMN_NAME AS name, SUB_PART AS part FROM information_schema.STATISTICS"+
		condition+" AND INDEX_NAME = 'PRIMARY' ORDER BY TABLE_NAME, SEQ_IN_INDEX")
	if err != nil {
		return err
	}
	unfit := map[string]bool{}
	for _, row := range rows {
		t := tables[row["t"]]
		if t == nil {
			continue
		}
		for _, column := range t.Columns {
			if column.Name == row["name"] {
				t.Key = append(t.Key, column)
				unfit[t.Name] = unfit[t.Name] || row["part"] != "" || column.keyRead() == "" || column.Versioning != ""
			}
		}
	}
	for name := range unfit {
		if unfit[name] {
			tables[name].Key = nil
		}
	}
	return nil
}
