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
}

// The privileges of the operator account. Every node can become the master or
// a slave, so each needs all of them.
var (
	privilegesMySQL = []privilege{
		{[]string{"REPLICATION CLIENT"}, SeverityMust, "to see replication"},
		{[]string{"SELECT"}, SeverityMust, "to see functions and views"},
		{[]string{"SHOW VIEW"}, SeverityMust, "to see what views reach"},
		{[]string{"SYSTEM_VARIABLES_ADMIN", "SUPER"}, SeverityMust, "to open and close nodes for writes"},
		{[]string{"CONNECTION_ADMIN", "SUPER"}, SeverityAdvice, "to log in when a node is full, and to end queries"},
		{[]string{"REPLICATION_SLAVE_ADMIN", "SUPER"}, SeverityAdvice, "to set up replication"},
		{[]string{"REPLICATION SLAVE"}, SeverityAdvice, "to follow the binary log"},
		{[]string{"RELOAD"}, SeverityAdvice, "to promote"},
	}
	privilegesMariaDB = []privilege{
		{[]string{"SLAVE MONITOR", "REPLICA MONITOR", "SUPER"}, SeverityMust, "to see replication"},
		{[]string{"SELECT"}, SeverityMust, "to see functions, views and the server's identity"},
		{[]string{"SHOW VIEW"}, SeverityMust, "to see what views reach"},
		{[]string{"READ_ONLY ADMIN"}, SeverityMust, "to open and close nodes for writes"},
		{[]string{"BINLOG MONITOR", "REPLICATION CLIENT"}, SeverityAdvice, "to see the binary log"},
		{[]string{"CONNECTION ADMIN"}, SeverityAdvice, "to log in when a node is full, and to end queries"},
		{[]string{"REPLICATION SLAVE ADMIN", "REPLICATION REPLICA ADMIN"}, SeverityAdvice, "to set up replication"},
		{[]string{"REPLICATION SLAVE", "REPLICATION REPLICA"}, SeverityAdvice, "to follow the binary log"},
		{[]string{"RELOAD"}, SeverityAdvice, "to promote"},
	}
)

// assessPrivileges returns one finding for each privilege that is missing, or
// one that nothing is.
func (f *facts) assessPrivileges() (out []Finding) {
	wanted := privilegesMySQL
	if f.server.flavour == FlavourMariaDB {
		wanted = privilegesMariaDB
	}
	have, account := globalGrants(f.grants)
	for _, p := range wanted {
		if slices.ContainsFunc(p.names, func(name string) bool { return have[name] }) || have["ALL PRIVILEGES"] {
			continue
		}
		sql := fmt.Sprintf("GRANT %s ON *.* TO %s;", p.names[0], account)
		out = append(out, f.finding("privilege "+p.names[0], p.severity, "not granted", p.reason, sql))
	}
	if len(out) == 0 {
		out = append(out, f.finding("privileges", SeverityOK, "all granted", "", ""))
	}
	return out
}

// globalGrants reads SHOW GRANTS: what is granted on *.*, and to whom.
func globalGrants(grants []string) (have map[string]bool, account string) {
	have = map[string]bool{}
	for _, grant := range grants {
		list, rest, ok := strings.Cut(strings.TrimPrefix(grant, "GRANT "), " ON *.* TO ")
		if !ok {
			continue
		}
		account, _, _ = strings.Cut(rest, " ")
		for name := range strings.SplitSeq(list, ",") {
			have[strings.ToUpper(strings.TrimSpace(name))] = true
		}
	}
	return have, account
}
