package router

import "github.com/bellwether-db/bellwether/cluster"

// carriedVariables are session variables of both flavours that the proxy
// carries from one connection to another, so that it does not matter on which
// node they are read or set.
var carriedVariables = words(
	`auto_increment_increment auto_increment_offset autocommit character_set_client character_set_connection
	character_set_results collation_connection default_storage_engine foreign_key_checks group_concat_max_len
	innodb_lock_wait_timeout interactive_timeout lc_time_names lock_wait_timeout max_execution_time
	max_statement_time net_read_timeout net_write_timeout sql_auto_is_null sql_big_selects sql_mode sql_notes
	sql_quote_show_create sql_safe_updates sql_select_limit sql_warnings time_zone transaction_isolation
	transaction_read_only tx_isolation tx_read_only unique_checks wait_timeout`,
)

// alikeVariables are those that clients read when they connect, to learn what
// kind of server it is; nodes of one cluster answer them alike.
var alikeVariables = words(
	`character_set_database character_set_server character_set_system collation_database collation_server
	have_openssl have_query_cache have_ssl init_connect license lower_case_file_system lower_case_table_names
	max_allowed_packet net_buffer_length performance_schema protocol_version query_cache_size query_cache_type
	system_time_zone version version_comment version_compile_machine version_compile_os`,
)

// noteVariable notes @@name, of which rest begins with the name, where a node
// may answer otherwise than the master.
func (a *analysis) noteVariable(rest []token) {
	name := fold(at(rest, 0).text)
	if at(rest, 1).punct('.') {
		if sc, ok := scopes[name]; !ok || sc != scopeSession {
			a.bound = true // the node's own value
			return
		}
		name = fold(at(rest, 2).text)
	}
	if !carriedVariables.has(name) && !alikeVariables.has(name) {
		a.bound = true
	}
}

// noteTable notes that a FROM at i names more than DUAL.
func (a *analysis) noteTable(t []token, i int) {
	if !at(t, i+1).is("dual") || i+2 < len(t) {
		a.bound = true
	}
}

// sessionOnly reports whether the packet reads no table and knows nothing but
// the session: then any node serves it as well as the master.
func (a *analysis) sessionOnly() bool {
	s := a.s
	const never = Multi | SetsUserVariables | SetsUncarried | SetsInsertID | NeedsInsertID | NeedsDiagnostics | SetsNextTransaction
	if a.bound || a.dialect.UnsafeCharset || s.Flags.Any(never) || len(s.Calls)+len(s.Assignments) > 0 {
		return false
	}
	allowed := uint64(1 << ReasonServerVariable)
	switch s.Kind {
	case KindRead:
	case KindUse:
		allowed |= 1 << ReasonSessionState
	case KindSet:
		allowed |= 1 << ReasonSessionState
		for _, name := range s.Variables {
			if !carriedVariables.has(name) {
				return false
			}
		}
	default:
		return false
	}
	return a.count == 1 && s.reasons&^allowed == 0
}

// anywhere reports whether any node serves s as well as the master: it is of
// the session only, and none of its names is a stored function's.
func (s *Statement) anywhere(c *cluster.Catalogue) bool {
	switch {
	case s.Kind == KindUse:
		return !s.Flags.Has(Multi) // COM_INIT_DB has no text to classify
	case !s.Flags.Has(SessionOnly):
		return false
	}
	return len(s.Names) == 0 || c.Known && !s.unsafeNames(c)
}

// standsIn reports whether a slave serves s in the master's place, because the
// master is missing or down and s asks nothing that only the master knows.
func standsIn(s *Statement, f Facts, t *cluster.Topology, rules *Rules) bool {
	if master := t.MasterNode(); master != nil && master.Health == cluster.HealthUp || len(t.Readable) == 0 {
		return false
	}
	if f.Pinned || f.InTransaction || rules != nil && rules.MasterOnly {
		return false
	}
	if s.Hint.Target == TargetMaster && hintsAllowed(rules) {
		return false
	}
	if s.Kind == KindUse && (f.WritesPending || f.WritePositionUnknown) {
		return false // the schema may be the session's own write
	}
	return s.anywhere(t.Catalogue)
}
