package cluster

import (
	"fmt"
	"slices"
	"strings"
)

// privilege is one that the operator account needs, and what for.
type privilege struct {
	names    []string // any of these, the one to grant first
	severity Severity
	reason   string
	on       string // what it must hold on, everything if empty
}

// privilegesHeartbeat are those for the heartbeat, which makes its table itself.
var privilegesHeartbeat = []privilege{
	{[]string{"CREATE"}, SeverityAdvice, "to make the table of the heartbeat (probes.heartbeat)", heartbeatSchema},
	{[]string{"INSERT"}, SeverityAdvice, "to write the heartbeat (probes.heartbeat)", heartbeatSchema},
	{[]string{"DELETE"}, SeverityAdvice, "to write the heartbeat (probes.heartbeat)", heartbeatSchema},
}

// heartbeatSchema is what they hold on.
const heartbeatSchema = "bellwether.*"

// privilegesAlone are those to change a slave by hand, besides the ones that get
// past read_only and sql_log_bin, which every node needs.
var privilegesAlone = []privilege{
	{[]string{"INSERT"}, SeverityAdvice, reasonAlone, ""},
	{[]string{"UPDATE"}, SeverityAdvice, reasonAlone, ""},
	{[]string{"DELETE"}, SeverityAdvice, reasonAlone, ""},
	{[]string{"CREATE"}, SeverityAdvice, reasonAlone, ""},
	{[]string{"DROP"}, SeverityAdvice, reasonAlone, ""},
}

const reasonAlone = "to change a slave by hand at its own address (/replicate/...)"

// everything is what global privileges hold on.
const everything = "*.*"

// Without these nothing tells of the events: they would stop with the master.
const (
	reasonEvents   = "to have events run on the next master, and on the former one no more"
	reasonDefiners = "to keep the definers of events"
)

// The privilege to name a definer, before MySQL 8.2 and since; 8.4 does not know
// the older name any more.
var (
	definersBefore = privilege{[]string{"SET_USER_ID", "SUPER"}, SeverityAdvice, reasonDefiners, ""}
	definersSince  = privilege{[]string{"SET_ANY_DEFINER", "SET_USER_ID", "SUPER"}, SeverityAdvice, reasonDefiners, ""}
)

// The privileges of the operator account. Every node can become the master or
// a slave, so each needs all of them.
var (
	privilegesMySQL = []privilege{
		{[]string{"REPLICATION CLIENT"}, SeverityMust, "to see replication", ""},
		{[]string{"SELECT"}, SeverityMust, "to see functions and views", ""},
		{[]string{"SHOW VIEW"}, SeverityMust, "to see what views reach", ""},
		{[]string{"SYSTEM_VARIABLES_ADMIN", "SUPER"}, SeverityMust, "to open and close nodes for writes", ""},
		{[]string{"CONNECTION_ADMIN", "SUPER"}, SeverityAdvice, "to log in when a node is full, and to end queries and the connections to a former master", ""},
		{[]string{"PROCESS"}, SeverityAdvice, "to see the connections to a former master", ""},
		{[]string{"SYSTEM_USER"}, SeverityAdvice, "to end connections of accounts that have it, and to have their events run on the next master", ""},
		{[]string{"EVENT"}, SeverityAdvice, reasonEvents, ""},
		{[]string{"REPLICATION_SLAVE_ADMIN", "SUPER"}, SeverityAdvice, "to set up replication", ""},
		{[]string{"REPLICATION SLAVE"}, SeverityAdvice, "to follow the binary log", ""},
		{[]string{"RELOAD"}, SeverityAdvice, "to promote", ""},
		{[]string{"PERSIST_RO_VARIABLES_ADMIN"}, SeverityAdvice, "to have nodes start read-only", ""},
		{[]string{"INSERT"}, SeverityAdvice, "to install the semi-synchronous plugin", "mysql.plugin"},
	}
	privilegesMariaDB = []privilege{
		{[]string{"SLAVE MONITOR", "REPLICA MONITOR", "SUPER"}, SeverityMust, "to see replication", ""},
		{[]string{"SELECT"}, SeverityMust, "to see functions, views and the server's identity", ""},
		{[]string{"SHOW VIEW"}, SeverityMust, "to see what views reach", ""},
		{[]string{"READ_ONLY ADMIN"}, SeverityMust, "to open and close nodes for writes", ""},
		{[]string{"BINLOG MONITOR", "REPLICATION CLIENT"}, SeverityAdvice, "to see the binary log", ""},
		{[]string{"CONNECTION ADMIN"}, SeverityAdvice, "to log in when a node is full, and to end queries and the connections to a former master", ""},
		{[]string{"PROCESS"}, SeverityAdvice, "to see the connections to a former master", ""},
		{[]string{"EVENT"}, SeverityAdvice, reasonEvents, ""},
		{[]string{"SET USER"}, SeverityAdvice, reasonDefiners, ""},
		{[]string{"REPLICATION SLAVE ADMIN", "REPLICATION REPLICA ADMIN"}, SeverityAdvice, "to set up replication", ""},
		{[]string{"REPLICATION SLAVE", "REPLICATION REPLICA"}, SeverityAdvice, "to follow the binary log", ""},
		{[]string{"RELOAD"}, SeverityAdvice, "to promote", ""},
		{[]string{"BINLOG ADMIN"}, SeverityAdvice, "to set how the binary log is written", ""},
		{[]string{"REPLICATION MASTER ADMIN"}, SeverityAdvice, "to have commits wait until they are stored", ""},
		{[]string{"SUPER"}, SeverityAdvice, "to set innodb_flush_log_at_trx_commit and binlog_annotate_row_events", ""},
	}
)

// assessPrivileges returns one finding for each privilege that is missing, or
// one that nothing is.
func (f *facts) assessPrivileges() (out []Finding) {
	have, account := grantsByObject(f.grants)
	for _, p := range f.privileges() {
		if have[everything].any(p.names) || have[p.on].any(p.names) {
			continue
		}
		on := orElse(p.on, everything)
		sql := fmt.Sprintf("GRANT %s ON %s TO %s;", p.names[0], on, account)
		out = append(out, f.finding("privilege "+p.names[0], p.severity, "not granted", p.reason, sql))
	}
	if len(out) == 0 {
		out = append(out, f.finding("privileges", SeverityOK, "all granted", "", ""))
	}
	return out
}

// privileges are those that the account needs on this server.
func (f *facts) privileges() (out []privilege) {
	version := parseVersion(f.server.version)
	switch {
	case f.server.flavour == FlavourMariaDB:
		out = slices.Clone(privilegesMariaDB)
	case slices.Compare(version[:], []int{8, 2, 0}) < 0:
		out = append(slices.Clone(privilegesMySQL), definersBefore)
	default:
		out = append(slices.Clone(privilegesMySQL), definersSince)
	}
	if f.heartbeat {
		out = append(out, privilegesHeartbeat...)
	}
	if f.changedAlone {
		out = append(out, privilegesAlone...)
	}
	return out
}

// granted are the privileges on one object.
type granted map[string]bool

func (g granted) any(names []string) bool {
	return g["ALL PRIVILEGES"] || slices.ContainsFunc(names, func(name string) bool { return g[name] })
}

// grantsByObject reads SHOW GRANTS: what is granted on "*.*", or on "db.table",
// and to whom.
func grantsByObject(grants []string) (have map[string]granted, account string) {
	have = map[string]granted{}
	for _, grant := range grants {
		list, rest, ok := strings.Cut(strings.TrimPrefix(grant, "GRANT "), " ON ")
		object, who, to := strings.Cut(rest, " TO ")
		if !ok || !to {
			continue
		}
		account, _, _ = strings.Cut(who, " ")
		object = strings.ReplaceAll(object, "`", "")
		if have[object] == nil {
			have[object] = granted{}
		}
		for name := range strings.SplitSeq(list, ",") {
			have[object][strings.ToUpper(strings.TrimSpace(name))] = true
		}
	}
	return have, account
}
