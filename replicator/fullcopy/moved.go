package fullcopy

import (
	"context"
	"errors"
	"fmt"

	"github.com/bellwether-db/bellwether/replicator/fullcopy/schema"
)

// errMoved: a snapshot finds tables by name, and whatever has the name now. So
// one that was renamed meanwhile was read in the place of another, without any
// error. The next attempt has its own snapshot.
var errMoved = errors.New("tables were renamed while they were copied")

// tableNames are the names of InnoDB's tables by their ids, which they keep when
// they are renamed. Where the source does not tell, it is nil.
func tableNames(ctx context.Context, conn *schema.Conn) (map[string]string, error) {
	list := "INNODB_TABLES"
	if conn.Dialect.MariaDB() || conn.Dialect.Version()[0] < 8 {
		list = "INNODB_SYS_TABLES"
	}
	rows, err := conn.Rows(ctx, "SELECT TABLE_ID AS id, NAME AS name FROM information_schema."+list)
	if schema.Is(err, 1109, 1227) { // no such table there; no PROCESS
		return nil, nil
	}
	names := make(map[string]string, len(rows))
	for _, row := range rows {
		names[row["id"]] = row["name"]
	}
	return names, err
}

// unmoved insists on that no table was renamed since the cut.
func (k *cut) unmoved(ctx context.Context) error {
	now, err := tableNames(ctx, k.reader)
	if err != nil {
		return err
	}
	for id, name := range k.names {
		if other, there := now[id]; there && other != name {
			return fmt.Errorf("%s is %s now: %w", name, other, errMoved)
		}
	}
	return nil
}
