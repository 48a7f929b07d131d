package admin

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/bellwether-db/bellwether/admin/compose"
	"github.com/bellwether-db/bellwether/admin/rows"
)

// The bounds of a search.
const (
	searchTime  = 5 * time.Second
	searchRows  = 100 // where the caller names no limit
	searchMost  = 1000
	searchBytes = 16 << 20
)

// search is /search: the rows in which a value is found, in all tables that
// the account may see unless fewer are named.
func (s *Server) search(c *call) *problem {
	in := searched{Limit: searchRows, Match: "contains"}
	if p := c.parse(&in); p != nil {
		return p
	}
	if p := in.check(); p != nil {
		return p
	}
	return s.reading(c, func(ctx context.Context, tx *sql.Tx) *problem {
		places, err := in.places(ctx, tx)
		switch {
		case err != nil:
			return explained(err, false)
		case len(places) == 0 && (in.Database != "" || in.Table != "" || in.Column != ""):
			return &problem{Type: kindUnknown, Title: "not found", Status: http.StatusNotFound,
				Detail: "no such table or column is there to be searched, or the account may not see it"}
		}
		bounded, cancel := context.WithTimeout(ctx, searchTime)
		defer cancel()
		found := findings{limit: int(in.Limit), Complete: true}
		for _, place := range places {
			if err := found.look(bounded, tx, place, in); err != nil {
				return explained(err, false)
			}
			if !found.Complete {
				break
			}
		}
		writeJSON(c.w, &found)
		return nil
	})
}

// searched is what is searched, and where.
type searched struct {
	Database string `json:"dbname"`
	Table    string `json:"table"`
	Column   string `json:"column"`
	Value    string `json:"value"`
	Match    string `json:"match"`
	Limit    count  `json:"limit"`
}

func (in *searched) check() *problem {
	switch {
	case in.Value == "":
		return badParameter("value: is missing")
	case in.Limit == 0 || in.Limit > searchMost:
		return badParameter("limit: is not between 1 and %d", searchMost)
	case in.Match != "contains" && in.Match != "prefix" && in.Match != "exact":
		return badParameter("match: %q is not one of contains, prefix, exact", in.Match)
	case in.Table != "" && in.Database == "":
		return badParameter("dbname: is missing, and a table is named")
	case in.Database != "" && compose.Own(in.Database):
		return badParameter("dbname: %q is the servers' own or Bellwether's, and out of reach here", in.Database)
	}
	return nil
}

// place is a table and the columns to look into.
type place struct {
	table   compose.Table
	columns []string
	text    []bool // whether the column compares as text by itself
}

// places lists the tables by name, with those columns that have text, numbers
// or dates.
func (in *searched) places(ctx context.Context, tx *sql.Tx) ([]place, error) {
	query := "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, CHARACTER_SET_NAME IS NOT NULL FROM information_schema.COLUMNS" +
		" WHERE TABLE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema', 'bellwether')" +
		" AND DATA_TYPE NOT IN ('binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob', 'bit', 'geometry', 'point'," +
		" 'linestring', 'polygon', 'multipoint', 'multilinestring', 'multipolygon', 'geometrycollection', 'geomcollection', 'vector')"
	var args []any
	for _, only := range []struct{ column, value string }{
		{"TABLE_SCHEMA", in.Database}, {"TABLE_NAME", in.Table}, {"COLUMN_NAME", in.Column},
	} {
		if only.value != "" {
			query += " AND " + only.column + " = ?"
			args = append(args, only.value)
		}
	}
	result, err := tx.QueryContext(ctx, query+" ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION", args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = result.Close() }() // what it could tell, Err has told
	var all []place
	for result.Next() {
		var table compose.Table
		var column string
		var text bool
		if err := result.Scan(&table.Database, &table.Name, &column, &text); err != nil {
			return nil, err
		}
		if len(all) == 0 || all[len(all)-1].table != table {
			all = append(all, place{table: table})
		}
		last := &all[len(all)-1]
		last.columns, last.text = append(last.columns, column), append(last.text, text)
	}
	return all, result.Err()
}

// statement finds the rows of one table, and tells one more than wanted.
func (p *place) statement(in searched, limit int) compose.Statement {
	operator, value := " LIKE ", likeEscaper.Replace(in.Value)
	switch in.Match {
	case "exact":
		operator, value = " = ", in.Value
	case "prefix":
		value += "%"
	default:
		value = "%" + value + "%"
	}
	s := compose.Statement{}
	tests := make([]string, len(p.columns))
	for i, column := range p.columns {
		tests[i] = compose.Quote(column)
		if !p.text[i] {
			tests[i] = "CAST(" + tests[i] + " AS CHAR)"
		}
		tests[i] += operator + "?"
		s.Args = append(s.Args, value)
	}
	s.Text = "SELECT * FROM " + compose.Quote(p.table.Database) + "." + compose.Quote(p.table.Name) +
		" WHERE " + strings.Join(tests, " OR ") + " LIMIT " + strconv.Itoa(limit+1)
	return s
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`)

// findings are what a search has found. It serves one goroutine.
type findings struct {
	// Matches are objects with dbname, table and row.
	Matches []json.RawMessage `json:"matches"`
	// Tables is how many tables were searched to their end.
	Tables int `json:"tables"`
	// Complete says that there is no more; else Stopped says where it ended.
	Complete bool     `json:"complete"`
	Stopped  *stopped `json:"stopped,omitempty"`

	// Skipped are tables that could not be read: a view that fails, say.
	Skipped []stopped `json:"skipped,omitempty"`

	limit, size int
}

// skippedMost bounds how many of them are told.
const skippedMost = 100

// stopped is a table where a search ended before its end, or that it left out.
type stopped struct {
	Database string `json:"dbname"`
	Table    string `json:"table"`
	Because  string `json:"because"`
}

// look searches one table. Running out of time is an end, not an error.
func (f *findings) look(ctx context.Context, tx *sql.Tx, p place, in searched) error {
	err := f.read(ctx, tx, p, p.statement(in, f.limit-len(f.Matches)))
	if errors.Is(err, context.DeadlineExceeded) {
		f.stop(p, fmt.Sprintf("%v had passed", searchTime))
		return nil
	}
	var said *mysql.MySQLError
	if in.Table == "" && errors.As(err, &said) && !lostCodes[said.Number] {
		if len(f.Skipped) < skippedMost {
			f.Skipped = append(f.Skipped, stopped{Database: p.table.Database, Table: p.table.Name, Because: said.Message})
		}
		return nil
	}
	if err == nil && f.Complete {
		f.Tables++
	}
	return err
}

func (f *findings) stop(p place, because string) {
	f.Complete, f.Stopped = false, &stopped{Database: p.table.Database, Table: p.table.Name, Because: because}
}

func (f *findings) read(ctx context.Context, tx *sql.Tx, p place, statement compose.Statement) error {
	result, err := tx.QueryContext(ctx, statement.Text, statement.Args...)
	if err != nil {
		return err
	}
	defer func() { _ = result.Close() }() // what it could tell, Err has told
	columns, err := rows.ColumnsOf(result)
	if err != nil {
		return err
	}
	encoder, reader := rows.NewEncoder(columns), rows.NewReader(result, len(columns))
	where, err := json.Marshal(p.table.Database)
	if err != nil {
		return err
	}
	table, err := json.Marshal(p.table.Name)
	if err != nil {
		return err
	}
	for {
		values, err := reader.Next()
		if err != nil || values == nil {
			return err
		}
		if len(f.Matches) >= f.limit || f.size > searchBytes {
			f.stop(p, fmt.Sprintf("%d rows were found", len(f.Matches)))
			return nil
		}
		match := fmt.Appendf(nil, `{"dbname":%s,"table":%s,"row":`, where, table)
		match = append(encoder.AppendObject(match, values), '}')
		f.size += len(match)
		f.Matches = append(f.Matches, bytes.Clone(match))
	}
}

// MarshalJSON shows no matches as an empty list.
func (f *findings) MarshalJSON() ([]byte, error) {
	type plain findings
	shown := plain(*f)
	if shown.Matches == nil {
		shown.Matches = []json.RawMessage{}
	}
	return json.Marshal(shown)
}
