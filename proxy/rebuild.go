package proxy

import (
	"fmt"
	"strings"

	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// change is what a statement asked for, as far as its OK can be rebuilt.
type change uint8

const (
	changeOther change = iota
	changeInsert
	changeUpdate
	changeDelete
)

// changeOf says what a statement asks for, by its text without literals; plain
// statements only, whose row counts say what the server has counted.
func changeOf(f string) change {
	word, rest := firstWord(f)
	for _, other := range [...]string{"ignore", "on duplicate key", "returning", "select", " join ", "delayed", "low_priority", "quick"} {
		if strings.Contains(rest, other) {
			return changeOther
		}
	}
	switch word {
	case "insert":
		if strings.Contains(rest, "values") || strings.Contains(rest, " set ") || strings.Contains(rest, "value(") || strings.Contains(rest, "value (") {
			return changeInsert
		}
	case "update":
		if head, _, sets := strings.Cut(rest, "set "); sets && !strings.Contains(head, ",") {
			return changeUpdate
		}
	case "delete":
		if strings.HasPrefix(rest, "from ") && !strings.Contains(rest, "using") {
			return changeDelete
		}
	}
	return changeOther
}

// columnsOf returns the columns that an INSERT names, nil where it names none.
func columnsOf(f string) []string {
	head, _, values := strings.Cut(f, "values")
	if !values {
		head, _, _ = strings.Cut(f, "value")
	}
	from, to := strings.IndexByte(head, '('), strings.LastIndexByte(head, ')')
	if from < 0 || to < from {
		return nil
	}
	columns := strings.Split(head[from+1:to], ",")
	for i, c := range columns {
		c = strings.TrimSpace(c)
		columns[i] = strings.Trim(c[strings.LastIndexByte(c, '.')+1:], "`\" ")
	}
	return columns
}

// countedBy says how many rows the server has counted for a statement, and why
// that is not known otherwise. foundRows is set for clients that count what an
// UPDATE finds.
func countedBy(ch change, foundRows bool, rows []Changed) (affected uint64, why string) {
	if len(rows) != 1 {
		return 0, fmt.Sprintf("it changed %d tables as far as is known", len(rows))
	}
	c := &rows[0]
	switch {
	case ch == changeInsert && c.Inserted > 0 && c.Updated == 0 && c.Deleted == 0:
		return c.Inserted, ""
	case ch == changeDelete && c.Deleted > 0 && c.Updated == 0 && c.Inserted == 0:
		return c.Deleted, ""
	case ch == changeUpdate && foundRows:
		return 0, "the rows that it found are not known"
	case ch == changeUpdate && c.Updated > 0 && c.Inserted == 0 && c.Deleted == 0:
		return c.Updated, ""
	}
	return 0, "its rows do not say how many were counted"
}

// rebuild makes the OK of a write that was committed, or says why that cannot be
// had exactly.
func (x *session) rebuild(r *request, o Outcome) (*wire.OK, string) {
	s := r.statement
	ch := changeOf(s.Fingerprint)
	if s.Kind != router.KindWrite || ch == changeOther || x.answer.File {
		return nil, "it is no plain INSERT, UPDATE or DELETE"
	}
	affected, why := countedBy(ch, x.capabilities.Has(wire.ClientFoundRows), o.Rows)
	if why != "" {
		return nil, why
	}
	table, err := x.tableFacts(r, o.Rows[0].Schema, o.Rows[0].Table)
	switch {
	case err != nil:
		return nil, "its table could not be asked for: " + err.Error()
	case table.cascades && ch != changeInsert:
		return nil, "its table refers to itself"
	case !x.strict(table.sqlMode):
		return nil, "there may have been warnings"
	}
	ok := &wire.OK{AffectedRows: affected}
	if ch != changeInsert {
		return ok, ""
	}
	if affected > 1 {
		ok.Info = fmt.Appendf(nil, "Records: %d  Duplicates: 0  Warnings: 0", affected)
	}
	return ok, x.rebuildInsertID(ok, table, &o.Rows[0], s.Fingerprint)
}

// rebuildInsertID puts the insert id of an INSERT into its OK.
func (x *session) rebuildInsertID(ok *wire.OK, table tableFacts, c *Changed, f string) (why string) {
	if table.column < 0 {
		return ""
	}
	if table.column >= len(c.FirstRow) {
		return "its first row is not known"
	}
	id, whole := table.id(c.FirstRow[table.column])
	if !whole {
		return "its insert id is not known"
	}
	names := columnsOf(f)
	made := len(names) > 0 // by the server, as the statement does not name the column
	for _, name := range names {
		made = made && !strings.EqualFold(name, table.name)
	}
	if !made && c.Inserted > 1 {
		return "which of its ids the server has made is not known"
	}
	ok.InsertID = id
	if x.insertID = lostInsertID(); made {
		x.insertID = backend.NewCarry()
		x.insertID.Set(fmt.Sprint(id))
	}
	return ""
}

// strict reports whether what does not fit is an error in this session, and no
// warning.
func (x *session) strict(global string) bool {
	mode, own := x.state.Get("sql_mode")
	if !own {
		mode = global
	}
	return hasMode(mode, "STRICT_TRANS_TABLES") || hasMode(mode, "STRICT_ALL_TABLES") || hasMode(mode, "TRADITIONAL")
}
