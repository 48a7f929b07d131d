package rowimage

import (
	"fmt"
	"strings"
)

// Statement writes what was done to a row as SQL, for people: on another server
// it may find other rows. Names are those of the columns where the event has
// none; a column without any is called @ and its number, as mysqlbinlog does.
func (t *Table) Statement(k Kind, r Row, names []string) string {
	table := identifier(t.Schema) + "." + identifier(t.Name)
	switch k {
	case KindInsert:
		columns, values := t.list(r.After, names, func(c, _ string) string { return c }), t.list(r.After, names, func(_, v string) string { return v })
		return fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s);", table, strings.Join(columns, ", "), strings.Join(values, ", "))
	case KindUpdate:
		set := t.list(r.After, names, func(c, v string) string { return c + " = " + v })
		return fmt.Sprintf("UPDATE %s SET %s WHERE %s LIMIT 1;", table, strings.Join(set, ", "), t.where(r.Before, names))
	}
	return fmt.Sprintf("DELETE FROM %s WHERE %s LIMIT 1;", table, t.where(r.Before, names))
}

func (t *Table) where(values []any, names []string) string {
	return strings.Join(t.list(values, names, func(c, v string) string {
		if v == "NULL" {
			return c + " IS NULL"
		}
		return c + " = " + v
	}), " AND ")
}

// list writes the columns that an image has.
func (t *Table) list(values []any, names []string, write func(column, value string) string) (out []string) {
	for i, v := range values {
		if v == (Absent{}) {
			continue
		}
		out = append(out, write(t.column(i, names), Literal(v)))
	}
	return out
}

func (t *Table) column(i int, names []string) string {
	switch {
	case t.Columns[i].Name != "":
		return identifier(t.Columns[i].Name)
	case len(names) == len(t.Columns):
		return identifier(names[i])
	}
	return fmt.Sprintf("@%d", i+1)
}

func identifier(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
