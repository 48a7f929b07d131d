package router

import "github.com/bellwether-db/bellwether/cluster"

// scope is whose value a SET changes.
type scope uint8

const (
	scopeSession scope = iota
	scopeGlobal        // GLOBAL, PERSIST, PERSIST_ONLY
	scopeNext          // @@transaction_isolation: the next transaction's alone
)

// set handles SET.
func (a *analysis) set(t []token) {
	a.kind = KindSet
	rest := t[1:]
	switch {
	case at(rest, 0).is("statement"):
		a.setStatement(rest[1:])
	case at(rest, 0).is("password") || at(rest, 0).is("default") && at(rest, 1).is("role"):
		a.forbid(ReasonDDL)
	case at(rest, 0).is("role") && !at(rest, 1).punct('='), at(rest, 0).is("resource") && at(rest, 1).is("group"):
		a.s.Flags |= SetsUncarried
		a.forbid(ReasonSessionState)
	case a.ownSet(rest):
	default:
		a.setList(rest)
	}
}

// setList handles the assignments of SET, one after another. A GLOBAL or
// SESSION holds for those that follow too.
func (a *analysis) setList(t []token) {
	if len(t) == 0 {
		a.forbid(ReasonUncertain)
	}
	sticky, global := scopeSession, false
	for len(t) > 0 {
		var one []token
		one, t = cutComma(t)
		if s, ok := scopes[at(one, 0).text]; ok && at(one, 0).kind == tokenWord && !assigns(at(one, 1)) {
			sticky, one = s, one[1:]
			if at(one, 0).is("transaction") {
				a.setTransaction(sticky, one, t)
				return
			}
		} else if at(one, 0).is("transaction") {
			a.setTransaction(scopeNext, one, t)
			return
		}
		global = a.setOne(sticky, one) == scopeGlobal || global
	}
	if global {
		a.forbid(ReasonAdmin)
	}
	if len(a.s.Calls) > 0 {
		a.forbid(ReasonProcedure) // what is called may write
	}
	a.forbid(ReasonSessionState)
}

// scopes are the words that say whose variable is set.
var scopes = map[string]scope{
	"session": scopeSession, "local": scopeSession,
	"global": scopeGlobal, "persist": scopeGlobal, "persist_only": scopeGlobal,
}

// cutComma splits off the tokens before the first comma outside parentheses.
func cutComma(t []token) (one, rest []token) {
	depth := 0
	for i, x := range t {
		switch {
		case x.punct('('):
			depth++
		case x.punct(')'):
			depth--
		case x.punct(',') && depth == 0:
			return t[:i], t[i+1:]
		}
	}
	return t, nil
}

func assigns(t token) bool { return t.kind == tokenAssign || t.punct('=') }

// setOne handles one assignment and returns its scope.
func (a *analysis) setOne(sc scope, t []token) scope {
	switch first := at(t, 0); {
	case first.kind == tokenUser && assigns(at(t, 1)):
		a.setUser(first.text, t[2:])
	case first.is("names"), first.is("charset"), first.is("character") && at(t, 1).is("set"):
		a.variables("character_set_client", "character_set_connection", "character_set_results",
			"collation_connection")
	case first.kind == tokenSystem:
		return a.setSystem(t[1:])
	case first.ident():
		a.setNamed(sc, t)
		return sc
	default:
		a.forbid(ReasonUncertain)
		a.scan(t)
	}
	return scopeSession
}

// setUser handles @name = value.
func (a *analysis) setUser(name string, value []token) {
	a.s.Flags |= UsesUserVariables
	if literal, ok := literalText(value); ok {
		a.s.Assignments = append(a.s.Assignments, Assignment{name, literal})
		return
	}
	a.s.Flags |= SetsUserVariables
	a.scan(value)
}

// literalText is the SQL text of a value that is one literal.
func literalText(t []token) (string, bool) {
	sign := ""
	if len(t) == 2 && (t[0].punct('-') || t[0].punct('+')) && t[1].kind == tokenNumber {
		sign, t = t[0].text, t[1:]
	}
	if len(t) != 1 {
		return "", false
	}
	switch one := t[0]; {
	case one.kind == tokenNumber, one.kind == tokenString,
		one.is("null"), one.is("true"), one.is("false"):
		return sign + one.text, true
	}
	return "", false
}

// setSystem handles @@[scope.]name = value, of which t begins behind @@.
func (a *analysis) setSystem(t []token) scope {
	sc := scopeSession
	if s, ok := scopes[at(t, 0).text]; ok && at(t, 1).punct('.') {
		sc, t = s, t[2:]
	} else if transactionVariables.has(at(t, 0).text) {
		sc = scopeNext
	}
	a.setNamed(sc, t)
	return sc
}

// transactionVariables mean the next transaction only, when set as @@name.
var transactionVariables = words(`transaction_isolation tx_isolation transaction_read_only tx_read_only`)

// setNamed handles name = value.
func (a *analysis) setNamed(sc scope, t []token) {
	i, name := qualifiedName(t, 0)
	if !assigns(at(t, i)) {
		a.forbid(ReasonUncertain)
	}
	if at(t, i+1).is("default") {
		a.bound = true // the node's own value
	}
	switch sc {
	case scopeSession:
		a.variables(name)
	case scopeNext:
		a.s.Flags |= SetsNextTransaction
	}
	a.scan(t[min(i+1, len(t)):])
}

// variables notes system variables of the session that are set.
func (a *analysis) variables(names ...string) {
	for _, name := range names {
		switch {
		case name == "last_insert_id" || name == "insert_id" || name == "identity":
			a.s.Flags |= SetsInsertID | SetsUncarried
		case uncarried.has(name):
			a.s.Flags |= SetsUncarried
		}
	}
	a.s.Variables = append(a.s.Variables, names...)
}

// uncarried are session variables that another connection cannot be given by
// setting them again: they are used up, they identify, or they change what the
// protocol itself says.
var uncarried = words(
	`timestamp rand_seed1 rand_seed2 gtid_next gtid_next_list gtid_seq_no gtid_domain_id server_id
	pseudo_thread_id pseudo_slave_mode pseudo_replica_mode sql_log_bin sql_log_off
	original_commit_timestamp immediate_server_version original_server_version
	skip_replication skip_parallel_replication session_track_gtids session_track_schema
	session_track_state_change session_track_system_variables session_track_transaction_info
	profiling profiling_history_size debug debug_dbug debug_sync resultset_metadata
	rbr_exec_mode wsrep_on wsrep_trx_fragment_size wsrep_trx_fragment_unit wsrep_sync_wait wsrep_osu_method
	binlog_direct_non_transactional_updates use_secondary_engine transaction_allow_batching
	last_gtid system_versioning_insert_history system_versioning_asof default_master_connection
	default_replica_connection proxy_user external_user require_row_format
	gtid_owned rpl_semi_sync_master_enabled tidb_snapshot`,
)

// setTransaction handles SET [scope] TRANSACTION, the whole of the statement.
func (a *analysis) setTransaction(sc scope, one, rest []token) {
	switch sc {
	case scopeGlobal:
		a.forbid(ReasonAdmin)
	case scopeNext:
		a.s.Flags |= SetsNextTransaction
		a.forbid(ReasonNextTransaction)
	}
	a.forbid(ReasonSessionState)
	if sc == scopeSession {
		a.sessionTransaction(one)
		a.sessionTransaction(rest)
	}
}

// sessionTransaction names the variables that SET SESSION TRANSACTION sets.
func (a *analysis) sessionTransaction(t []token) {
	prefix := "transaction_"
	if a.dialect.Flavour == cluster.FlavourMariaDB {
		prefix = "tx_"
	}
	for i := range t {
		switch {
		case t[i].is("isolation"):
			a.variables(prefix + "isolation")
		case t[i].is("read") && (at(t, i+1).is("only") || at(t, i+1).is("write")):
			a.variables(prefix + "read_only")
		}
	}
}

// setStatement handles MariaDB's SET STATEMENT name = value, ... FOR statement:
// it is that statement, unless what it sets cannot be for one statement alone.
func (a *analysis) setStatement(t []token) {
	depth := 0
	for i, x := range t {
		switch {
		case x.punct('('):
			depth++
		case x.punct(')'):
			depth--
		case depth == 0 && x.is("for"):
			a.scan(t[:i])
			a.lend(t[:i])
			a.dispatch(t[i+1:])
			a.checkSettings(t[:i])
			return
		}
	}
	a.forbid(ReasonUncertain)
}

// lend names the variables that SET STATEMENT sets.
func (a *analysis) lend(t []token) {
	for len(t) > 0 {
		var one []token
		one, t = cutComma(t)
		_, name := qualifiedName(one, 0)
		a.s.Lent = append(a.s.Lent, name)
	}
}

// checkSettings keeps a statement from a slave where it sets what identifies or
// replicates.
func (a *analysis) checkSettings(t []token) {
	for _, x := range t {
		if x.ident() && uncarried.has(fold(x.text)) {
			a.forbid(ReasonSessionState)
		}
	}
}
