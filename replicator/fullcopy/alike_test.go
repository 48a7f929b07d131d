package fullcopy

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// portrait is all that is defined on a server and all its accounts, by name, as
// the server itself tells it. None of the package's own code is used for it.
func (w *world) portrait(n *playground.Node) map[string]string {
	w.Helper()
	p := &painter{world: w, out: map[string]string{}, operator: w.config.Operator.User}
	account := w.nodes.Account
	db, err := sql.Open("mysql", n.DSN(account.User, account.Password, ""))
	w.ok(err)
	defer func() { _ = db.Close() }()
	p.conn, err = db.Conn(w.soon())
	w.ok(err)
	defer func() { _ = p.conn.Close() }()
	for _, text := range []string{"SET SESSION character_set_results = NULL", "SET SESSION time_zone = '+00:00'", "SET SESSION group_concat_max_len = 100000000"} {
		_, err := p.conn.ExecContext(w.soon(), text)
		w.ok(err)
	}
	p.definitions()
	p.accounts()
	p.hidden()
	return p.out
}

// painter reads one server.
type painter struct {
	*world
	conn     *sql.Conn
	out      map[string]string
	operator string
}

// rows reads everything as text; NULL is "NULL".
func (p *painter) rows(text string) (names []string, out [][]string, err error) {
	rows, err := p.conn.QueryContext(p.soon(), text)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = rows.Close() }()
	if names, err = rows.Columns(); err != nil {
		return nil, nil, err
	}
	for rows.Next() {
		values, targets := make([]sql.NullString, len(names)), make([]any, len(names))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, nil, err
		}
		row := make([]string, len(names))
		for i, v := range values {
			if row[i] = v.String; !v.Valid {
				row[i] = "NULL"
			}
		}
		out = append(out, row)
	}
	return names, out, rows.Err()
}

// Of what is shown: what differs between a master and its slave, or between two
// servers that are asked one after the other.
var (
	momentary = []string{"Created", "Last_altered"}
	enabled   = regexp.MustCompile(`(ON COMPLETION (?:NOT )?PRESERVE) (?:ENABLE|DISABLE ON SLAVE|DISABLE ON REPLICA|DISABLE)\b`)
)

// show keeps what a statement shows.
func (p *painter) show(name, text string) {
	names, rows, err := p.rows(text)
	if err != nil {
		p.out[name] = err.Error()
		return
	}
	var lines []string
	for _, row := range rows {
		for i := range row {
			if !slices.Contains(momentary, names[i]) {
				lines = append(lines, enabled.ReplaceAllString(shownCharset.ReplaceAllString(row[i], ""), "$1"))
			}
		}
	}
	sort.Strings(lines)
	p.out[name] = strings.Join(lines, "\n")
}

func quoted(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func (p *painter) definitions() {
	const user = " NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')"
	for _, list := range []string{
		"SELECT 'DATABASE', SCHEMA_NAME, '' FROM information_schema.SCHEMATA WHERE SCHEMA_NAME" + user,
		"SELECT CASE TABLE_TYPE WHEN 'VIEW' THEN 'VIEW' WHEN 'SEQUENCE' THEN 'SEQUENCE' ELSE 'TABLE' END, TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA" + user,
		"SELECT ROUTINE_TYPE, ROUTINE_SCHEMA, ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA" + user,
		"SELECT 'TRIGGER', TRIGGER_SCHEMA, TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA" + user,
		"SELECT 'EVENT', EVENT_SCHEMA, EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA" + user,
	} {
		_, rows, err := p.rows(list)
		p.ok(err)
		for _, row := range rows {
			path := quoted(row[1])
			if row[2] != "" {
				path += "." + quoted(row[2])
			}
			p.show(row[0]+" "+path, "SHOW CREATE "+row[0]+" "+path)
			if row[0] == "SEQUENCE" {
				p.show("NEXT "+path, "SELECT next_not_cached_value, cycle_count FROM "+path)
			}
		}
	}
	p.show("order of triggers", "SELECT CONCAT_WS(' ', TRIGGER_SCHEMA, TRIGGER_NAME, EVENT_OBJECT_TABLE, ACTION_ORDER) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA"+user)
}

func (p *painter) accounts() {
	_, rows, err := p.rows("SELECT User, Host FROM mysql.user WHERE User <> '" + p.operator + "'")
	p.ok(err)
	for _, row := range rows {
		who := "'" + strings.ReplaceAll(row[0], "'", "''") + "'@'" + row[1] + "'"
		if row[1] == "" {
			who = quoted(row[0]) // a role of MariaDB
		} else {
			p.show("USER "+who, "SHOW CREATE USER "+who)
		}
		p.show("GRANTS "+who, "SHOW GRANTS FOR "+who)
	}
	for _, table := range []string{"user", "global_priv", "db", "tables_priv", "columns_priv", "procs_priv", "proxies_priv", "global_grants", "role_edges", "default_roles", "password_history", "roles_mapping", "servers"} {
		names, rows, err := p.rows("SELECT * FROM mysql." + table)
		if err != nil {
			continue // of the other flavour
		}
		var lines []string
		for _, row := range rows {
			if !slices.Contains(row, p.operator) {
				lines = append(lines, fmt.Sprintf("%q", row))
			}
		}
		sort.Strings(lines)
		p.out["mysql."+table] = strings.Join(names, ",") + "\n" + strings.Join(lines, "\n")
	}
}

// hidden is what SHOW CREATE does not tell.
func (p *painter) hidden() {
	const user = " NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')"
	texts := map[string]string{
		"histograms":        "SELECT CONCAT_WS(' ', SCHEMA_NAME, TABLE_NAME, COLUMN_NAME, JSON_REMOVE(HISTOGRAM, '$.\"last-updated\"')) FROM information_schema.COLUMN_STATISTICS WHERE SCHEMA_NAME" + user,
		"tablespaces":       "SELECT CONCAT_WS(' ', NAME, FS_BLOCK_SIZE, SPACE_TYPE, ENCRYPTION) FROM information_schema.INNODB_TABLESPACES WHERE SPACE_TYPE = 'General' AND NAME <> 'mysql'",
		"reference systems": "SELECT CONCAT_WS(' ', SRS_NAME, SRS_ID, DEFINITION) FROM information_schema.ST_SPATIAL_REFERENCE_SYSTEMS WHERE SRS_ID BETWEEN 900000 AND 999999",
	}
	if p.maria() {
		texts = map[string]string{
			"table_stats":  "SELECT CONCAT_WS(' ', db_name, table_name, cardinality) FROM mysql.table_stats",
			"column_stats": "SELECT CONCAT_WS(' ', db_name, table_name, column_name, min_value, max_value, nulls_ratio, avg_length, avg_frequency, hist_size, hist_type, histogram) FROM mysql.column_stats",
			"index_stats":  "SELECT CONCAT_WS(' ', db_name, table_name, index_name, prefix_arity, avg_frequency) FROM mysql.index_stats",
		}
	}
	for name, text := range texts {
		p.show(name, text)
	}
}

// alike wants two servers to look the same, but for what is expected to differ.
func (w *world) alike(expected ...string) {
	w.Helper()
	a, b := w.portrait(w.master()), w.portrait(w.slave())
	names := map[string]bool{}
	for name := range a {
		names[name] = true
	}
	for name := range b {
		names[name] = true
	}
	sorted := make([]string, 0, len(names))
	for name := range names {
		sorted = append(sorted, name)
	}
	sort.Strings(sorted)
	for _, name := range sorted {
		if a[name] != b[name] && !slices.Contains(expected, name) {
			w.Errorf("%s:\n%s\non the copy:\n%s", name, a[name], b[name])
		}
	}
	w.Logf("%d things compared", len(names))
}

// content wants all rows to be the same, byte by byte, of so many tables at least.
func (w *world) content(least int) {
	w.Helper()
	a, b := w.rowsOf(w.master()), w.rowsOf(w.slave())
	for name := range a {
		if a[name] != b[name] {
			at := 0
			for at < min(len(a[name]), len(b[name])) && a[name][at] == b[name][at] {
				at++
			}
			from := max(0, at-100)
			w.Errorf("rows of %s at %d:\n%.600s\non the copy:\n%.600s", name, at, a[name][from:], b[name][from:])
		}
	}
	if len(a) != len(b) || len(a) < least {
		w.Errorf("%d tables, %d on the copy", len(a), len(b))
	}
}

// rowsOf reads the rows of every table, generated columns and histories too.
func (w *world) rowsOf(n *playground.Node) map[string]string {
	account := w.nodes.Account
	db, err := sql.Open("mysql", n.DSN(account.User, account.Password, ""))
	w.ok(err)
	defer func() { _ = db.Close() }()
	p := &painter{world: w, out: map[string]string{}}
	p.conn, err = db.Conn(context.Background())
	w.ok(err)
	defer func() { _ = p.conn.Close() }()
	for _, text := range []string{"SET SESSION character_set_results = NULL", "SET SESSION time_zone = '+00:00'", "SET SESSION group_concat_max_len = 10000000"} {
		_, err := p.conn.ExecContext(w.soon(), text)
		w.ok(err)
	}
	_, tables, err := p.rows("SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') AND TABLE_SCHEMA NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')")
	w.ok(err)
	for _, t := range tables {
		_, columns, err := p.rows("SELECT COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '" + t[0] + "' AND TABLE_NAME = '" + strings.ReplaceAll(strings.ReplaceAll(t[1], `\`, `\\`), "'", "''") + "' ORDER BY ORDINAL_POSITION")
		w.ok(err)
		var reads []string
		for _, c := range columns {
			name := quoted(c[0])
			switch c[1] {
			case "float", "double":
				reads = append(reads, name+" * 1e0")
			case "json":
				reads = append(reads, name, "JSON_STORAGE_SIZE("+name+") - JSON_STORAGE_FREE("+name+")", "JSON_TYPE("+name+")")
			case "longblob", "longtext":
				reads = append(reads, "SHA2("+name+", 256)", "LENGTH("+name+")")
			default:
				reads = append(reads, "HEX("+name+")")
			}
		}
		text, path := "SELECT "+strings.Join(reads, ", ")+" FROM ", quoted(t[0])+"."+quoted(t[1])
		if text += path; t[2] == "SYSTEM VERSIONED" {
			text = strings.Replace(text, "SELECT ", "SELECT row_start, row_end, ", 1) + " FOR SYSTEM_TIME ALL"
		}
		_, rows, err := p.rows(text)
		if err != nil {
			p.out[path] = err.Error()
			continue
		}
		var lines []string
		for _, row := range rows {
			lines = append(lines, strings.Join(row, "|"))
		}
		sort.Strings(lines)
		p.out[path] = fmt.Sprint(len(lines), " rows\n", strings.Join(lines, "\n"))
	}
	return p.out
}
