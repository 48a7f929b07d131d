package cluster

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// changeCounters counts the statements that can change functions and views,
// whoever runs them and however fast: a catalogue is read again only when they
// or the server's start moved. It costs the node one look at its counters,
// whatever the size of its schemas. Direct changes of system tables, which no
// counter shows, are found by the reading of everything once a minute.
const changeCounters = `SHOW GLOBAL STATUS WHERE Variable_name IN ('Uptime', 'Com_alter_function', 'Com_alter_table', 'Com_create_function',
 'Com_create_package', 'Com_create_package_body', 'Com_create_udf', 'Com_create_view', 'Com_drop_db', 'Com_drop_function',
 'Com_drop_package', 'Com_drop_package_body', 'Com_drop_view', 'Com_install_component', 'Com_install_plugin',
 'Com_rename_table', 'Com_uninstall_component', 'Com_uninstall_plugin')`

// counters is a server's state of changeCounters.
type counters struct {
	identity string
	uptime   int64
	changes  uint64
}

// readCounters reads them; identity is that of the server asked.
func readCounters(ctx context.Context, q Querier, identity string) (counters, error) {
	rows, err := query(ctx, q, changeCounters)
	if err != nil {
		return counters{}, fmt.Errorf("read change counters: %w", err)
	}
	c := counters{identity: identity}
	for _, r := range rows {
		n, err := strconv.ParseUint(r["Value"], 10, 63)
		if err != nil {
			return counters{}, fmt.Errorf("read change counter %s: %w", r["Variable_name"], err)
		}
		if r["Variable_name"] == "Uptime" {
			c.uptime = int64(n)
			continue
		}
		c.changes += n
	}
	return c, nil
}

// same says whether nothing changed between two readings: the same run of the
// same server, with the same counts.
func (c counters) same(later counters) bool {
	return c.identity == later.identity && c.changes == later.changes && later.uptime >= c.uptime
}

// The readings of everything. sys, mysql and the schemas of the server itself
// are left out of the views: the router sends their names to the master anyway.
const (
	functionsSQL = `SELECT ROUTINE_SCHEMA AS db, ROUTINE_NAME AS name, ROUTINE_TYPE AS kind FROM information_schema.ROUTINES
 WHERE ROUTINE_TYPE <> 'PROCEDURE'`
	packagesSQL = `SELECT db, name, body_utf8 AS body FROM mysql.proc WHERE type IN ('PACKAGE', 'PACKAGE BODY')`
	viewsSQL    = `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, VIEW_DEFINITION AS text FROM information_schema.VIEWS
 WHERE TABLE_SCHEMA NOT IN ('sys', 'mysql', 'information_schema', 'performance_schema')`
	loadableMySQL    = `SELECT UDF_NAME AS name FROM performance_schema.user_defined_functions`
	loadableMariaDB  = `SELECT name FROM mysql.func`
	collationsPlain  = `SELECT ID AS id, COLLATION_NAME AS name, CHARACTER_SET_NAME AS charset FROM information_schema.COLLATIONS WHERE ID IS NOT NULL`
	collationsByBoth = `SELECT ID AS id, FULL_COLLATION_NAME AS name, CHARACTER_SET_NAME AS charset
 FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY WHERE ID IS NOT NULL`
	// hasFullNames tells MariaDB 10.10 and newer, where one collation serves
	// several character sets under several ids.
	hasFullNames = `SELECT COUNT(*) AS n FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'information_schema'
 AND TABLE_NAME = 'COLLATION_CHARACTER_SET_APPLICABILITY' AND COLUMN_NAME = 'FULL_COLLATION_NAME'`
)

// readDefinitions reads functions and views.
func readDefinitions(ctx context.Context, q Querier, flavour Flavour) (d definitions, err error) {
	if d.functions, err = readFunctions(ctx, q, flavour); err != nil {
		return d, fmt.Errorf("read functions: %w", err)
	}
	rows, err := query(ctx, q, viewsSQL)
	if err != nil {
		return d, fmt.Errorf("read views: %w", err)
	}
	for _, r := range rows {
		d.views = append(d.views, view{r["db"], r["name"], r["text"]})
	}
	return d, nil
}

// readFunctions reads the stored functions, the packages and what they declare,
// and the loadable functions.
func readFunctions(ctx context.Context, q Querier, flavour Flavour) (out []function, err error) {
	rows, err := query(ctx, q, functionsSQL)
	if err != nil {
		return nil, err
	}
	packages := false
	for _, r := range rows {
		out = append(out, function{r["db"], r["name"]})
		packages = packages || strings.HasPrefix(r["kind"], "PACKAGE")
	}
	loadable := loadableMySQL
	if flavour == FlavourMariaDB {
		loadable = loadableMariaDB
	}
	if rows, err = query(ctx, q, loadable); err != nil {
		return nil, err
	}
	for _, r := range rows {
		out = append(out, function{"", r["name"]})
	}
	if packages {
		return appendPackages(ctx, q, out)
	}
	return out, nil
}

// appendPackages adds the functions that are declared in MariaDB's packages.
func appendPackages(ctx context.Context, q Querier, out []function) ([]function, error) {
	rows, err := query(ctx, q, packagesSQL)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		for _, name := range packageFunctions(r["body"]) {
			out = append(out, function{r["db"], name})
		}
	}
	return out, nil
}

// readCollations reads the collations by id.
func readCollations(ctx context.Context, q Querier) (map[uint16]Collation, error) {
	text := collationsPlain
	full, err := queryOne(ctx, q, hasFullNames)
	if err != nil {
		return nil, fmt.Errorf("read collations: %w", err)
	}
	if full["n"] != "0" {
		text = collationsByBoth
	}
	rows, err := query(ctx, q, text)
	if err != nil {
		return nil, fmt.Errorf("read collations: %w", err)
	}
	out := make(map[uint16]Collation, len(rows))
	for _, r := range rows {
		id, err := strconv.ParseUint(r["id"], 10, 16)
		if err != nil {
			return nil, fmt.Errorf("read collation %s: %w", r["name"], err)
		}
		out[uint16(id)] = Collation{Name: r["name"], Charset: r["charset"]}
	}
	return out, nil
}

// equal compares what catalogues say, not their version.
func (c *Catalogue) equal(other *Catalogue) bool {
	if len(c.Unsafe) != len(other.Unsafe) || len(c.Collations) != len(other.Collations) {
		return false
	}
	for name := range c.Unsafe {
		if _, ok := other.Unsafe[name]; !ok {
			return false
		}
	}
	for id, collation := range c.Collations {
		if other.Collations[id] != collation {
			return false
		}
	}
	return true
}
