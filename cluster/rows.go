package cluster

import (
	"context"
	"database/sql"
	"fmt"
)

// Querier is a connection or a pool of them.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// row is one row by column name; NULL is absent.
type row map[string]string

// queryAll runs statements in one round trip and returns the rows of each
// result.
func queryAll(ctx context.Context, q Querier, text string) ([][]row, error) {
	rows, err := q.QueryContext(ctx, text)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // what matters is in rows.Err
	var results [][]row
	for {
		result, err := readRows(rows)
		if err != nil {
			return nil, err
		}
		results = append(results, result)
		if !rows.NextResultSet() {
			return results, rows.Err()
		}
	}
}

// query runs one statement.
func query(ctx context.Context, q Querier, text string) ([]row, error) {
	results, err := queryAll(ctx, q, text)
	if err != nil {
		return nil, err
	}
	return results[0], nil
}

// ReadRows runs one statement and returns its rows by column name, in which
// NULL is absent.
func ReadRows(ctx context.Context, q Querier, text string) ([]map[string]string, error) {
	rows, err := query(ctx, q, text)
	out := make([]map[string]string, len(rows))
	for i, r := range rows {
		out[i] = r
	}
	return out, err
}

// queryOne runs a statement that answers with exactly one row.
func queryOne(ctx context.Context, q Querier, text string) (row, error) {
	rows, err := query(ctx, q, text)
	if err == nil && len(rows) != 1 {
		err = fmt.Errorf("%d rows instead of one: %w", len(rows), sql.ErrNoRows)
	}
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

// readRows reads the rows of the present result.
func readRows(rows *sql.Rows) ([]row, error) {
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values := make([]sql.RawBytes, len(columns))
	targets := make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	var out []row
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		r := make(row, len(columns))
		for i, value := range values {
			if value != nil {
				r[columns[i]] = string(value)
			}
		}
		out = append(out, r)
	}
	return out, rows.Err()
}
