package router

import "strings"

// fold is an identifier in lower case.
func fold(s string) string { return strings.ToLower(s) }

// scan looks at every token of a statement for what forbids a slave, what it
// asks of its session, and which names it has.
func (a *analysis) scan(t []token) {
	for i := range t {
		switch t[i].kind {
		case tokenUser:
			a.userVariable(t, i)
		case tokenSystem:
			a.systemVariable(t[i+1:])
		case tokenAssign:
			a.s.Flags |= SetsUserVariables
			a.forbid(ReasonUserVariable)
		case tokenQuoted:
			a.identifier(t, i)
		case tokenWord:
			a.word(t, i)
		}
	}
}

// userVariable notes @name, unless it is the host of an account.
func (a *analysis) userVariable(t []token, i int) {
	switch at(t, i-1).kind {
	case tokenParam, tokenString, tokenQuoted:
		return
	}
	a.s.Flags |= UsesUserVariables
}

// systemVariable notes @@name, of which rest begins with the name.
func (a *analysis) systemVariable(rest []token) {
	name := at(rest, 0).text
	if at(rest, 1).punct('.') {
		name = at(rest, 2).text
	}
	switch name {
	case "warning_count", "error_count":
		a.s.Flags |= NeedsDiagnostics
	case "last_insert_id", "identity":
		a.s.Flags |= NeedsInsertID
	}
	a.s.Flags |= ServerLocal
	a.noteVariable(rest)
	a.forbid(ReasonServerVariable)
}

// word looks at a keyword or an unquoted identifier.
func (a *analysis) word(t []token, i int) {
	if at(t, i-1).punct('.') || at(t, i-1).kind == tokenSystem {
		a.identifier(t, i)
		return
	}
	a.clause(t, i)
	if at(t, i+1).punct('(') {
		a.invocation(t, i)
		return
	}
	a.identifier(t, i)
}

// clause looks for the clauses that make a SELECT more than a read.
func (a *analysis) clause(t []token, i int) {
	next := at(t, i+1)
	switch word := t[i].text; word {
	case "from":
		a.noteTable(t, i)
	case "table":
		a.bound = true
	case "for":
		if next.is("update") || next.is("share") {
			a.locking()
		}
	case "lock":
		a.locking()
	case "into":
		if next.kind == tokenUser {
			a.s.Flags |= SetsUserVariables
		}
		a.forbid(ReasonSelectInto)
	case "insert", "replace":
		if !next.punct('(') {
			a.writes()
		}
	case "update", "delete":
		a.writes()
	case "sql_calc_found_rows":
		a.s.Flags |= CalcFoundRows
		a.forbid(ReasonFoundRows)
	case "procedure":
		a.forbid(ReasonUncertain)
	case "next", "previous":
		if next.is("value") && at(t, i+2).is("for") {
			a.forbid(ReasonSequence)
			if word == "previous" {
				a.s.Flags |= NeedsSequence
			}
		}
	default:
		if neverInRead.has(word) && !callable(word, next) {
			a.forbid(ReasonUncertain)
		}
	}
}

// callable reports whether a reserved word is a function here: SCHEMA().
func callable(word string, next token) bool { return word == "schema" && next.punct('(') }

func (a *analysis) locking() {
	if a.kind == KindRead {
		a.kind = KindWrite
	}
	a.forbid(ReasonLockingRead)
}

func (a *analysis) writes() {
	if a.kind == KindRead {
		a.kind = KindWrite
	}
	a.forbid(ReasonWrite)
}

// identifier notes a name that could be a view or a function, and the tables
// that are the node's own.
func (a *analysis) identifier(t []token, i int) {
	name := fold(t[i].text)
	qualified := at(t, i-1).punct('.')
	if t[i].kind == tokenWord && !qualified && reserved.has(name) {
		return
	}
	a.name(name)
	switch {
	case at(t, i+1).punct('.'):
		a.schema(name, fold(at(t, i+2).text))
	case qualified:
		a.qualified(t, i, name)
	case strings.HasPrefix(name, "innodb_") || name == "processlist":
		a.local(ReasonServerLocal)
	}
	if at(t, i+1).punct('(') && (qualified || t[i].kind == tokenQuoted) && !columnList(t, i) {
		a.stored(name)
	}
}

// qualified looks at a name behind a point: s.NEXTVAL of a MariaDB sequence
// needs no parentheses in Oracle mode.
func (a *analysis) qualified(t []token, i int, name string) {
	if (name == "nextval" || name == "currval") && t[i].kind == tokenWord {
		a.forbid(ReasonSequence)
		if name == "currval" {
			a.s.Flags |= NeedsSequence
		}
	}
}

// schema looks at schema.table.
func (a *analysis) schema(schema, table string) {
	switch schema {
	case "mysql", "sys", "performance_schema":
		a.local(ReasonServerLocal)
	case "information_schema":
		if nodeTables.has(table) || strings.HasPrefix(table, "innodb_") {
			a.local(ReasonServerLocal)
		}
	}
}

// nodeTables are the tables of information_schema that describe the node.
var nodeTables = words(`processlist global_status session_status global_variables session_variables
	system_variables profiling optimizer_trace user_statistics client_statistics index_statistics table_statistics
	plugins all_plugins engines files tablespaces metadata_lock_info query_cache_info query_response_time
	feedback thread_pool_groups thread_pool_queues thread_pool_stats thread_pool_waits tp_thread_state
	tp_thread_group_state tp_thread_group_stats locales disks user_variables user_privileges schema_privileges
	table_privileges column_privileges applicable_roles enabled_roles administrable_role_authorizations
	connection_control_failed_login_attempts mysql_firewall_users ndb_transid_mysql_connection_map wsrep_membership
	wsrep_status slave_status`)

func (a *analysis) local(r Reason) {
	a.s.Flags |= ServerLocal
	a.forbid(r)
}

// name adds to the names that are looked up in the catalogue.
func (a *analysis) name(name string) {
	if _, ok := a.seen[name]; ok || name == "" {
		return
	}
	if a.seen == nil {
		a.seen = make(map[string]struct{})
	}
	a.seen[name] = struct{}{}
	a.s.Names = append(a.s.Names, name)
}

// stored adds a function that is no builtin.
func (a *analysis) stored(name string) {
	a.name(name)
	a.s.Calls = append(a.s.Calls, name)
}

// columnList reports whether the parenthesis behind the name at i opens the
// columns of a common table expression or of a derived table's alias.
func columnList(t []token, i int) bool {
	if prev := at(t, i-1); prev.is("as") || prev.punct(')') {
		return true
	}
	end := i + 2
	for at(t, end).ident() || at(t, end).punct(',') {
		end++
	}
	return at(t, end).punct(')') && at(t, end+1).is("as") && at(t, end+2).punct('(')
}
