package control

import (
	"context"
	"fmt"
	"strings"

	"github.com/bellwether-db/bellwether/replicator/rowimage"
)

// Columns are the names and signs of a table's columns in their order; none where
// there is no such table.
func (c *Conn) Columns(ctx context.Context, schema, table string) (out []rowimage.Column, err error) {
	rows, err := c.rows(ctx, "SELECT COLUMN_NAME AS name, COLUMN_TYPE AS type FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = "+quote(schema)+
		" AND TABLE_NAME = "+quote(table)+" ORDER BY ORDINAL_POSITION")
	if err != nil {
		return nil, fmt.Errorf("read columns of %s.%s on %s: %w", schema, table, c.node.Name, err)
	}
	for _, r := range rows {
		out = append(out, rowimage.Column{Name: r["name"], Unsigned: strings.Contains(r["type"], "unsigned")})
	}
	return out, nil
}
