package control

import (
	"context"
	"fmt"
)

// Columns are the names of a table's columns in their order; none where there is
// no such table.
func (c *Conn) Columns(ctx context.Context, schema, table string) (names []string, err error) {
	rows, err := c.rows(ctx, "SELECT COLUMN_NAME AS name FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = "+quote(schema)+
		" AND TABLE_NAME = "+quote(table)+" ORDER BY ORDINAL_POSITION")
	if err != nil {
		return nil, fmt.Errorf("read columns of %s.%s on %s: %w", schema, table, c.node.Name, err)
	}
	for _, r := range rows {
		names = append(names, r["name"])
	}
	return names, nil
}
