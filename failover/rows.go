package failover

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
)

// scanRow reads the present row by its columns' names; NULL is "".
func scanRow(rows *sql.Rows) (map[string]string, error) {
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values := make([]sql.NullString, len(names))
	into := make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	if err := rows.Scan(into...); err != nil {
		return nil, err
	}
	row := make(map[string]string, len(names))
	for i, name := range names {
		row[name] = values[i].String
	}
	return row, nil
}

func ignoreNoRows(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// process is one connection that a node has. It is a value.
type process struct {
	id                         uint64
	user, host, command, state string
}

// processes lists the connections of a node.
func processes(ctx context.Context, conn *sql.Conn) (all []process, err error) {
	rows, err := conn.QueryContext(ctx, "SHOW PROCESSLIST")
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // its error comes with Err
	for rows.Next() {
		row, err := scanRow(rows)
		if err != nil {
			return nil, err
		}
		id, err := strconv.ParseUint(row["Id"], 10, 64)
		if err != nil {
			return nil, err
		}
		all = append(all, process{id: id, user: row["User"], host: row["Host"], command: row["Command"], state: row["State"]})
	}
	return all, rows.Err()
}
