package cluster

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"time"
)

// sound are the facts of a node that needs no change.
func sound(flavour Flavour, name, id string) facts {
	f := facts{
		node:   NodeConfig{Name: name, Addr: name + ":3306"},
		server: server{flavour: flavour, version: "9.7.4", identity: "id-" + name},
		variables: map[string]string{
			"gtid_mode": "ON", "enforce_gtid_consistency": "ON", "log_bin": "ON", "log_replica_updates": "ON", "binlog_row_image": "FULL",
			"sync_binlog": "1", "innodb_flush_log_at_trx_commit": "1", "binlog_format": "ROW", "server_id": id, "read_only": "ON",
			"max_connections": "500", "rpl_semi_sync_source_enabled": "OFF",
		},
		startsAs: "ON", anonymousOK: true,
		channels: []channel{{receiver: "Yes", applier: "Yes"}},
		grants:   []string{"GRANT ALL PRIVILEGES ON *.* TO `op`@`%`"},
	}
	if flavour == FlavourMariaDB {
		f.server.version = "10.11.19-MariaDB-log"
		maps.Copy(f.variables, map[string]string{"gtid_strict_mode": "ON", "log_slave_updates": "ON", "rpl_semi_sync_master_enabled": "OFF"})
		for _, name := range []string{"gtid_mode", "enforce_gtid_consistency", "log_replica_updates", "rpl_semi_sync_source_enabled"} {
			delete(f.variables, name)
		}
	}
	return f
}

func TestAssessSound(t *testing.T) {
	for _, flavour := range []Flavour{FlavourMySQL, FlavourMariaDB} {
		master := sound(flavour, "db1", "1")
		master.node.Master, master.channels, master.variables["read_only"] = true, nil, "OFF"
		for _, f := range assess([]facts{master, sound(flavour, "db2", "2")}, 100) {
			if f.Severity != SeverityOK {
				t.Errorf("%v: %+v", flavour, f)
			}
		}
	}
}

// lessDefiners are all that an account needs but the one to name a definer.
var lessDefiners = []string{
	"GRANT SELECT, SHOW VIEW, RELOAD, EVENT, PROCESS, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `op`@`%`",
	"GRANT SYSTEM_USER,SYSTEM_VARIABLES_ADMIN,CONNECTION_ADMIN,REPLICATION_SLAVE_ADMIN,PERSIST_RO_VARIABLES_ADMIN ON *.* TO `op`@`%`",
	"GRANT INSERT ON `mysql`.`plugin` TO `op`@`%`",
}

// Each case spoils one thing of db2 and wants exactly one line about it.
func TestAssess(t *testing.T) {
	set := func(name, value string) func(*facts) { return func(f *facts) { f.variables[name] = value } }
	tests := []struct {
		flavour Flavour
		spoil   func(*facts)
		want    string // name|severity|have|sql
	}{
		{FlavourMySQL, func(f *facts) { f.err = errors.New("connection\nrefused") }, "connection|must|connection refused|"},
		{FlavourMySQL, func(f *facts) { f.server.version = "8.0.20" }, "version|must|8.0.20|"},
		{FlavourMariaDB, func(f *facts) { f.server.version = "5.5.5-10.4.1-MariaDB" }, "version|must|5.5.5-10.4.1-MariaDB|"},
		{FlavourMySQL, set("gtid_mode", "OFF"), "gtid_mode|must|OFF|SET PERSIST enforce_gtid_consistency = ON; SET PERSIST gtid_mode = OFF_PERMISSIVE; SET PERSIST gtid_mode = ON_PERMISSIVE; SET PERSIST gtid_mode = ON;"},
		{FlavourMySQL, set("enforce_gtid_consistency", "WARN"), "enforce_gtid_consistency|must|WARN|SET PERSIST enforce_gtid_consistency = ON;"},
		{FlavourMariaDB, set("gtid_strict_mode", "OFF"), "gtid_strict_mode|advice|OFF|SET GLOBAL gtid_strict_mode = ON;"},
		{FlavourMariaDB, set("log_bin", "OFF"), "log_bin|must|OFF|"},
		{FlavourMariaDB, set("log_slave_updates", "OFF"), "log_slave_updates|must|OFF|"},
		{FlavourMySQL, set("binlog_row_image", "MINIMAL"), "binlog_row_image|advice|MINIMAL|SET PERSIST binlog_row_image = 'FULL';"},
		{FlavourMySQL, set("replica_preserve_commit_order", "OFF"),
			"replica_preserve_commit_order|advice|OFF|STOP REPLICA SQL_THREAD; SET PERSIST replica_preserve_commit_order = ON; START REPLICA SQL_THREAD;"},
		{FlavourMariaDB, set("sync_binlog", "0"), "sync_binlog|advice|0|SET GLOBAL sync_binlog = 1;"},
		{FlavourMariaDB, set("binlog_format", "MIXED"), "binlog_format|advice|MIXED|SET GLOBAL binlog_format = 'ROW';"},
		{FlavourMySQL, set("binlog_format", "STATEMENT"), "binlog_format|must|STATEMENT|STOP REPLICA SQL_THREAD; SET PERSIST binlog_format = 'ROW'; START REPLICA SQL_THREAD;"},
		{FlavourMySQL, set("server_id", "0"), "server_id|must|0|"},
		{FlavourMySQL, set("read_only", "OFF"), "read_only|must|OFF|SET GLOBAL super_read_only = ON;"},
		{FlavourMariaDB, set("read_only", "OFF"), "read_only|must|OFF|SET GLOBAL read_only = ON;"},
		{FlavourMySQL, set("max_connections", "50"), "max_connections|advice|50|SET PERSIST max_connections = 120;"},
		{FlavourMySQL, func(f *facts) { f.startsAs = "OFF" }, "read-only at start|advice|OFF|SET PERSIST_ONLY super_read_only = ON;"},
		{FlavourMariaDB, func(f *facts) { f.startsAs = "" }, "read-only at start|advice|not known, it was set since|"},
		{FlavourMySQL, func(f *facts) { delete(f.variables, "rpl_semi_sync_source_enabled") }, "semi-sync plugin|advice|not installed|INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so';"},
		{FlavourMySQL, func(f *facts) { f.channels[0].applier = "No" }, "replication|must|replication is stopped: the applier does not run|START REPLICA;"},
		{FlavourMariaDB, func(f *facts) { f.channels = nil }, "replication|advice|none|"},
		{FlavourMySQL, func(f *facts) {
			f.grants = []string{"GRANT SELECT, SHOW VIEW, SUPER, RELOAD, EVENT, PROCESS, SYSTEM_USER, REPLICATION SLAVE, PERSIST_RO_VARIABLES_ADMIN ON *.* TO `op`@`%` WITH GRANT OPTION", "GRANT INSERT ON `mysql`.`plugin` TO `op`@`%`"}
		}, "privilege REPLICATION CLIENT|must|not granted|GRANT REPLICATION CLIENT ON *.* TO `op`@`%`;"},
		{FlavourMySQL, func(f *facts) { f.server.version, f.grants = "8.0.36", lessDefiners }, "privilege SET_USER_ID|advice|not granted|GRANT SET_USER_ID ON *.* TO `op`@`%`;"},
		{FlavourMySQL, func(f *facts) {
			f.changedAlone, f.grants = true, append([]string{"GRANT SET_ANY_DEFINER, INSERT, UPDATE, DELETE, CREATE ON *.* TO `op`@`%`"}, lessDefiners...)
		}, "privilege DROP|advice|not granted|GRANT DROP ON *.* TO `op`@`%`;"},
		{FlavourMySQL, func(f *facts) { f.server.version, f.grants = "9.7.4", lessDefiners }, "privilege SET_ANY_DEFINER|advice|not granted|GRANT SET_ANY_DEFINER ON *.* TO `op`@`%`;"},
		{FlavourMariaDB, func(f *facts) { f.anonymous = []string{"localhost"} }, "anonymous accounts|advice|''@localhost|DROP USER ''@'localhost';"},
		{FlavourMySQL, func(f *facts) { f.anonymousOK = false }, "anonymous accounts|advice|not known|"},
		{FlavourMySQL, func(f *facts) { f.skew = -3 * time.Second }, "clock|advice|-3s from Bellwether's|"},
	}
	for _, test := range tests {
		all := []facts{sound(test.flavour, "db1", "1"), sound(test.flavour, "db2", "2")}
		test.spoil(&all[1])
		var got []string
		for _, f := range assess(all, 100) {
			if f.Severity != SeverityOK {
				got = append(got, strings.Join([]string{f.Name, f.Severity.String(), f.Have, f.SQL}, "|"))
			}
		}
		if text := strings.Join(got, "\n"); text != test.want {
			t.Errorf("%v:\n got %s\nwant %s", test.flavour, text, test.want)
		}
	}
}

func TestAssessTogether(t *testing.T) {
	a, b := sound(FlavourMySQL, "db1", "1"), sound(FlavourMySQL, "db2", "1")
	b.server.identity = a.server.identity
	r := Report{assess([]facts{a, b, sound(FlavourMariaDB, "db3", "3")}, 0)}
	counts := map[string]int{}
	for _, f := range r.Findings {
		if f.Severity == SeverityMust {
			counts[f.Name]++
		}
	}
	if !r.MustChange() || counts["server_id"] != 2 || counts["identity"] != 2 || counts["version"] != 3 {
		t.Errorf("found %v", counts)
	}
}

func TestReportString(t *testing.T) {
	r := Report{[]Finding{
		{"db1", "gtid_mode", SeverityOK, "ON", "", ""},
		{"db2", "gtid_mode", SeverityMust, "OFF", "ON", "SET X;"},
	}}
	want := `NODE  CHECK      VERDICT  HAVE  WANT
db1   gtid_mode  ok       ON    
db2   gtid_mode  must     OFF   ON

On db2:
  SET X;  -- must: gtid_mode
`
	if got := r.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
