package fullcopy

import (
	"context"
	"strings"
)

// nameHistograms notes those of a MySQL source: a server that is read-only takes
// none.
func (t *target) nameHistograms(ctx context.Context) error {
	from := t.cut.reader
	if from.Dialect.MariaDB() || from.Dialect.Version()[0] < 8 {
		return nil
	}
	rows, err := from.Rows(ctx, "SELECT SCHEMA_NAME AS s, TABLE_NAME AS t, COLUMN_NAME AS c FROM information_schema.COLUMN_STATISTICS ORDER BY 1, 2, 3")
	if err != nil || len(rows) == 0 {
		return err
	}
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = row["s"] + "." + row["t"] + "." + row["c"]
	}
	t.note("a read-only server takes no histograms: those of " + strings.Join(names, ", ") + " are not there until ANALYZE TABLE ... UPDATE HISTOGRAM is run on the master again")
	return nil
}
