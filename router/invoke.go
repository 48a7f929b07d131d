package router

import "github.com/bellwether-db/bellwether/cluster"

// invocation looks at an unquoted word with a parenthesis behind it.
func (a *analysis) invocation(t []token, i int) {
	word := t[i].text
	if effect, ok := effects[word]; ok {
		a.s.Flags |= effect.flags
		a.forbid(effect.reason)
		return
	}
	if a.special(t, i) {
		return
	}
	// A builtin goes to the catalogue too: an older server may not have it,
	// and COUNT (x) with a blank may be a stored function.
	if !reserved.has(word) {
		a.name(word)
	}
	switch {
	case notCalls.has(word), a.builtin(word), columnList(t, i):
	default:
		a.stored(word)
	}
}

// builtin reports whether the flavour has a builtin function of this name; an
// unknown flavour has what both have.
func (a *analysis) builtin(word string) bool {
	switch a.dialect.Flavour {
	case cluster.FlavourMySQL:
		return bothBuiltins.has(word) || mysqlBuiltins.has(word)
	case cluster.FlavourMariaDB:
		return bothBuiltins.has(word) || mariadbBuiltins.has(word)
	}
	return bothBuiltins.has(word)
}

// special handles the builtins whose arguments matter.
func (a *analysis) special(t []token, i int) bool {
	switch t[i].text {
	case "last_insert_id":
		if at(t, i+2).punct(')') {
			a.s.Flags |= NeedsInsertID
		} else {
			a.s.Flags |= SetsInsertID
		}
		a.forbid(ReasonInsertID)
	case "get_lock":
		a.userLock(TakesUserLock, t, i)
	case "release_lock":
		a.userLock(ReleasesUserLock, t, i)
	default:
		return false
	}
	return true
}

// userLock notes the name of a user-level lock, "" where it is no literal.
func (a *analysis) userLock(f Flags, t []token, i int) {
	a.s.Flags |= f
	a.forbid(ReasonUserLock)
	name, next := at(t, i+2), at(t, i+3)
	if name.kind == tokenString && (next.punct(',') || next.punct(')')) {
		a.s.Objects = append(a.s.Objects, fold(unquote(name.text)))
		return
	}
	a.s.Objects = append(a.s.Objects, "")
}

// effect is what a function does besides giving a value.
type effect struct {
	reason Reason
	flags  Flags
}

// effects are the builtins of either flavour that are no plain reads; immutable.
var effects = map[string]effect{
	"release_all_locks": {ReasonUserLock, ReleasesUserLock},
	"is_free_lock":      {ReasonUserLock, 0},
	"is_used_lock":      {ReasonUserLock, 0},

	"found_rows": {ReasonFoundRows, NeedsDiagnostics},
	"row_count":  {ReasonDiagnostics, NeedsDiagnostics},

	"nextval": {ReasonSequence, 0},
	"lastval": {ReasonSequence, NeedsSequence},
	"setval":  {ReasonSequence, 0},

	"connection_id":             {ReasonConnectionID, ServerLocal},
	"pg_backend_pid":            {ReasonServerLocal, ServerLocal},
	"ps_current_thread_id":      {ReasonServerLocal, ServerLocal},
	"ps_thread_id":              {ReasonServerLocal, ServerLocal},
	"load_file":                 {ReasonServerLocal, ServerLocal},
	"current_role":              {ReasonServerLocal, ServerLocal},
	"wsrep_last_seen_gtid":      {ReasonServerLocal, ServerLocal},
	"wsrep_last_written_gtid":   {ReasonServerLocal, ServerLocal},
	"wsrep_sync_wait_upto_gtid": {ReasonServerLocal, ServerLocal},

	"master_pos_wait":                   {ReasonServerLocal, ServerLocal},
	"source_pos_wait":                   {ReasonServerLocal, ServerLocal},
	"master_gtid_wait":                  {ReasonServerLocal, ServerLocal},
	"binlog_gtid_pos":                   {ReasonServerLocal, ServerLocal},
	"wait_for_executed_gtid_set":        {ReasonServerLocal, ServerLocal},
	"wait_until_sql_thread_after_gtids": {ReasonServerLocal, ServerLocal},
}
