package rowimage

import (
	"fmt"
	"strings"
)

// Statement writes what was done to a row as SQL, for people: on another server
// it may find other rows. A column without a name is called @ and its number, as
// mysqlbinlog does.
func (t *Table) Statement(k Kind, r Row) string {
	table := identifier(t.Schema) + "." + identifier(t.Name)
	switch k {
	case KindInsert:
		columns, values := t.list(r.After, func(c, _ string) string { return c }), t.list(r.After, func(_, v string) string { return v })
		return fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s);", table, strings.Join(columns, ", "), strings.Join(values, ", "))
	case KindUpdate:
		set := t.list(r.After, func(c, v string) string { return c + " = " + v })
		return fmt.Sprintf("UPDATE %s SET %s WHERE %s LIMIT 1;", table, strings.Join(set, ", "), t.where(r.Before))
	}
	return fmt.Sprintf("DELETE FROM %s WHERE %s LIMIT 1;", table, t.where(r.Before))
}

func (t *Table) where(values []any) string {
	return strings.Join(t.list(values, func(c, v string) string {
		if v == "NULL" {
			return c + " IS NULL"
		}
		return c + " = " + v
	}), " AND ")
}

// list writes the columns that an image has.
func (t *Table) list(values []any, write func(column, value string) string) (out []string) {
	for i, v := range values {
		if v == (Absent{}) {
			continue
		}
		out = append(out, write(t.column(i), Literal(v)))
	}
	return out
}

func (t *Table) column(i int) string {
	if name := t.Columns[i].Name; name != "" {
		return identifier(name)
	}
	return fmt.Sprintf("@%d", i+1)
}

func identifier(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
