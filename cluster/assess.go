package cluster

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// assess is pure: from what was read of all nodes to what is to be said.
func assess(all []facts, connections int) []Finding {
	var out []Finding
	for i := range all {
		f := &all[i]
		if f.err != nil {
			out = append(out, Finding{f.node.Name, "connection", SeverityMust, oneLine(f.err.Error()), "the operator account can log in and look", ""})
			continue
		}
		out = append(out, f.assessServer(all))
		out = append(out, f.assessVariables()...)
		out = append(out, f.assessServerID(all), f.assessIdentity(all))
		out = append(out, f.assessReplication()...)
		out = append(out, f.assessStart(), f.assessSemiSync())
		out = append(out, f.assessPrivileges()...)
		out = append(out, f.assessAccounts()...)
		out = append(out, f.assessClock(), f.assessConnections(connections))
	}
	return out
}

// finding begins one about this node.
func (f *facts) finding(name string, severity Severity, have, want, sql string) Finding {
	if severity == SeverityOK {
		want, sql = "", ""
	}
	return Finding{f.node.Name, name, severity, have, want, sql}
}

// verdict is severity unless all is well.
func verdictOf(ok bool, severity Severity) Severity {
	if ok {
		return SeverityOK
	}
	return severity
}

// The oldest versions that have what Bellwether uses.
var (
	oldestMySQL   = [3]int{8, 0, 26}
	oldestMariaDB = [3]int{10, 5, 2}
)

func (f *facts) assessServer(all []facts) Finding {
	oldest, name := oldestMySQL, "MySQL"
	if f.server.flavour == FlavourMariaDB {
		oldest, name = oldestMariaDB, "MariaDB"
	}
	version := parseVersion(f.server.version)
	if slices.Compare(version[:], oldest[:]) < 0 {
		want := fmt.Sprintf("%s %d.%d.%d or newer", name, oldest[0], oldest[1], oldest[2])
		return f.finding("version", SeverityMust, f.server.version, want, "")
	}
	for i := range all {
		if all[i].err == nil && all[i].server.flavour != f.server.flavour {
			return f.finding("version", SeverityMust, f.server.version, "the same family of server on all nodes", "")
		}
	}
	return f.finding("version", SeverityOK, f.server.version, "", "")
}

// parseVersion reads the numbers at the front; what is missing is 0.
func parseVersion(text string) (version [3]int) {
	text = strings.TrimPrefix(text, "5.5.5-")
	end := strings.IndexFunc(text, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if end >= 0 {
		text = text[:end]
	}
	for i, part := range strings.SplitN(text, ".", 4) {
		if i < len(version) {
			version[i], _ = strconv.Atoi(part) // digits or nothing
		}
	}
	return version
}

// role is what the node does now, as far as it shows.
func (f *facts) role() Role {
	switch {
	case len(f.channels) > 0:
		return RoleSlave
	case f.node.Master:
		return RoleMaster
	}
	return RoleUnknown
}

// variableRule is what a global variable should be.
type variableRule struct {
	flavour  Flavour  // of that one only; both if unknown
	names    []string // newest first; the first one that the server has counts
	want     []string // any of these
	severity Severity
	sql      string // "" if it takes the option file and a restart
}

// variableRules is the table of the wanted variables. What the server does not
// have is not looked at: it was taken out where only the wanted way is left.
var variableRules = []variableRule{
	{FlavourMySQL, []string{"gtid_mode"}, []string{"ON"}, SeverityMust, "SET PERSIST enforce_gtid_consistency = ON; SET PERSIST gtid_mode = OFF_PERMISSIVE; SET PERSIST gtid_mode = ON_PERMISSIVE; SET PERSIST gtid_mode = ON;"},
	{FlavourMySQL, []string{"enforce_gtid_consistency"}, []string{"ON"}, SeverityMust, "SET PERSIST enforce_gtid_consistency = ON;"},
	{FlavourMySQL, []string{"replica_preserve_commit_order", "slave_preserve_commit_order"}, []string{"ON", "1"}, SeverityAdvice, "STOP REPLICA SQL_THREAD; SET GLOBAL replica_preserve_commit_order = ON; START REPLICA SQL_THREAD;"},
	{FlavourMariaDB, []string{"gtid_strict_mode"}, []string{"ON"}, SeverityAdvice, "SET GLOBAL gtid_strict_mode = ON;"},
	{0, []string{"log_bin"}, []string{"ON"}, SeverityMust, ""},
	{0, []string{"log_replica_updates", "log_slave_updates"}, []string{"ON"}, SeverityMust, ""},
	{0, []string{"binlog_row_image"}, []string{"FULL"}, SeverityAdvice, "SET GLOBAL binlog_row_image = 'FULL';"},
	{0, []string{"sync_binlog"}, []string{"1"}, SeverityAdvice, "SET GLOBAL sync_binlog = 1;"},
	{0, []string{"innodb_flush_log_at_trx_commit"}, []string{"1"}, SeverityAdvice, "SET GLOBAL innodb_flush_log_at_trx_commit = 1;"},
}

func (f *facts) assessVariables() (out []Finding) {
	for _, rule := range variableRules {
		if rule.flavour != FlavourUnknown && rule.flavour != f.server.flavour {
			continue
		}
		name, have, ok := f.variable(rule.names)
		if !ok {
			continue
		}
		good := slices.Contains(rule.want, strings.ToUpper(have))
		want := strings.Join(rule.want, " or ")
		if rule.sql == "" {
			want += " in the option file, and a restart"
		}
		out = append(out, f.finding(name, verdictOf(good, rule.severity), have, want, f.lasting(rule.sql)))
	}
	return append(out, f.assessFormat()...)
}

// lasting makes a change outlive a restart where SQL can: on MySQL. On MariaDB
// it has to be put into the option file as well.
func (f *facts) lasting(sql string) string {
	if f.server.flavour == FlavourMySQL {
		return strings.Replace(sql, "SET GLOBAL", "SET PERSIST", 1)
	}
	return sql
}

// variable returns the first of several names that the server has.
func (f *facts) variable(names []string) (name, value string, ok bool) {
	for _, name := range names {
		if value, ok := f.variables[name]; ok {
			return name, value, true
		}
	}
	return "", "", false
}

// assessFormat: MIXED, MariaDB's default, replicates rightly; how a write in
// flight ended can be told in ROW only. STATEMENT makes slaves differ.
func (f *facts) assessFormat() []Finding {
	format, ok := f.variables["binlog_format"]
	if !ok {
		return nil
	}
	severity := SeverityMust
	switch strings.ToUpper(format) {
	case "ROW":
		severity = SeverityOK
	case "MIXED":
		severity = SeverityAdvice
	}
	sql := f.lasting("SET GLOBAL binlog_format = 'ROW';")
	if f.server.flavour == FlavourMySQL && len(f.channels) > 0 {
		sql = "STOP REPLICA SQL_THREAD; " + sql + " START REPLICA SQL_THREAD;"
	}
	return []Finding{f.finding("binlog_format", severity, format, "ROW", sql)}
}

func (f *facts) assessServerID(all []facts) Finding {
	id := f.variables["server_id"]
	for i := range all {
		if other := &all[i]; other != f && other.err == nil && other.variables["server_id"] == id {
			return f.finding("server_id", SeverityMust, id+", that of "+other.node.Name+", too", "another on each node", "")
		}
	}
	return f.finding("server_id", verdictOf(id != "0" && id != "", SeverityMust), id, "a number of its own, not 0", "")
}

// assessIdentity finds copies of one machine, and two addresses of one server.
func (f *facts) assessIdentity(all []facts) Finding {
	for i := range all {
		if other := &all[i]; other != f && other.err == nil && other.server.identity == f.server.identity {
			want := "a server of its own; after a copy of the data directory remove auto.cnf and restart"
			return f.finding("identity", SeverityMust, f.server.identity+", that of "+other.node.Name+", too", want, "")
		}
	}
	return f.finding("identity", SeverityOK, f.server.identity, "", "")
}

func (f *facts) assessReplication() (out []Finding) {
	out = append(out, f.finding("role", SeverityOK, f.role().String(), "", ""))
	if f.node.Master && f.role() == RoleSlave {
		out[0] = f.finding("role", SeverityAdvice, "slave, configured as the first master", "a node without replication as the first master", "")
	}
	if f.role() == RoleMaster {
		return out
	}
	for _, c := range f.channels {
		state := c.state()
		out = append(out, f.finding("replication", verdictOf(state == ReplicationRunning, SeverityMust), orElse(c.problem(), state.String()), "running", f.startSQL()))
	}
	if len(f.channels) == 0 {
		out = append(out, f.finding("replication", SeverityAdvice, "none", "running, on a slave", ""))
	}
	readOnly := isOn(f.variables["read_only"])
	return append(out, f.finding("read_only", verdictOf(readOnly, SeverityMust), f.variables["read_only"], "ON, on a slave", f.closeSQL()))
}

func (f *facts) startSQL() string {
	if f.server.flavour == FlavourMariaDB {
		return "START SLAVE;"
	}
	return "START REPLICA;"
}

func (f *facts) closeSQL() string {
	if f.server.flavour == FlavourMariaDB {
		return "SET GLOBAL read_only = ON;"
	}
	return "SET GLOBAL super_read_only = ON;"
}

// assessStart: a master that crashed must not come back writable by itself.
func (f *facts) assessStart() Finding {
	have, sql := f.startsAs, "SET PERSIST_ONLY super_read_only = ON;"
	want := "ON, so that a master that returns after a failover takes no writes"
	if f.server.flavour == FlavourMariaDB {
		sql, want = "", "read_only = ON in the option file, so that a master that returns after a failover takes no writes"
	}
	return f.finding("read-only at start", verdictOf(isOn(have), SeverityAdvice), orElse(have, "not known, it was set since"), want, sql)
}

func (f *facts) assessSemiSync() Finding {
	if _, _, ok := f.variable([]string{"rpl_semi_sync_source_enabled", "rpl_semi_sync_master_enabled"}); ok {
		return f.finding("semi-sync plugin", SeverityOK, "there", "", "")
	}
	return f.finding("semi-sync plugin", SeverityAdvice, "not installed", "installed, for a failover that loses nothing",
		"INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so';")
}

func (f *facts) assessAccounts() []Finding {
	if !f.anonymousOK {
		return []Finding{f.finding("anonymous accounts", SeverityAdvice, "not known", "the operator account may read mysql.user", "")}
	}
	if len(f.anonymous) == 0 {
		return []Finding{f.finding("anonymous accounts", SeverityOK, "none", "", "")}
	}
	out := make([]Finding, 0, len(f.anonymous))
	for _, host := range f.anonymous {
		sql := fmt.Sprintf("DROP USER ''@'%s';", strings.ReplaceAll(host, "'", "''"))
		out = append(out, f.finding("anonymous accounts", SeverityAdvice, "''@"+host, "none: they shadow named ones from that host", sql))
	}
	return out
}

// skewLimit is what the clocks may differ before anybody is confused.
const skewLimit = time.Second

func (f *facts) assessClock() Finding {
	have := "within " + skewLimit.String()
	ok := f.skew.Abs() <= skewLimit
	if !ok {
		have = f.skew.String() + " from Bellwether's"
	}
	return f.finding("clock", verdictOf(ok, SeverityAdvice), have, "within "+skewLimit.String(), "")
}

func (f *facts) assessConnections(connections int) Finding {
	have := f.variables["max_connections"]
	limit, err := strconv.Atoi(have)
	ok := err == nil && limit > connections
	want := fmt.Sprintf("more than %d, what Bellwether may open", connections)
	return f.finding("max_connections", verdictOf(ok, SeverityAdvice), have, want, f.lasting(fmt.Sprintf("SET GLOBAL max_connections = %d;", connections+connections/10+10)))
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
