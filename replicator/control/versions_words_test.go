package control

import (
	"maps"
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/internal/fakemysql"
	"github.com/bellwether-db/bellwether/replicator/dialect"
)

// What each version has, by its manual: nothing of package dialect's table is
// used here.

// newScripted is a fresh server of a version, none of whose settings are right.
func newScripted(t *testing.T, version string) *scripted {
	s := &scripted{
		version: version, ignored: "scratch", words: map[string]string{}, persisted: map[string]string{}, changed: map[string]bool{}, plugins: map[string]bool{},
		variables: map[string]string{
			"log_bin": "ON", "binlog_format": "MIXED", "binlog_row_image": "MINIMAL", "binlog_checksum": "NONE", "sync_binlog": "0",
			"innodb_flush_log_at_trx_commit": "2", "read_only": "OFF",
		},
	}
	if strings.Contains(version, "MariaDB") {
		s.mariaDB()
	} else {
		s.mysql(version)
	}
	s.server = fakemysql.New(t, s.serve)
	s.server.Version = version
	s.server.Start()
	return s
}

func (s *scripted) mariaDB() {
	maps.Copy(s.words, map[string]string{
		"slave": "SLAVE", "Slave": "Slave", "Master": "Master", "option": "MASTER", "change": "CHANGE MASTER TO",
		"status": "SHOW ALL SLAVES STATUS", "log status": "SHOW MASTER STATUS", "origins": originsMariaDB, "identified": "BY ",
	})
	maps.Copy(s.variables, map[string]string{
		"gtid_strict_mode": "OFF", "binlog_annotate_row_events": "OFF", "log_slave_updates": "OFF", "slave_parallel_threads": "0",
		"slave_parallel_mode": "none", "slave_net_timeout": "60", "gtid_slave_pos": "", "gtid_current_pos": "0-1-5",
		"rpl_semi_sync_slave_enabled": "OFF", "relay_log_recovery": "OFF",
	})
	addSemiSync(s.variables, "master", "slave")
}

// mysql's words changed in 8.0.22 (statements), 8.0.23 (options) and 8.0.26
// (variables).
func (s *scripted) mysql(version string) {
	maps.Copy(s.words, map[string]string{
		"slave": "SLAVE", "Slave": "Slave", "Master": "Master", "option": "MASTER", "change": "CHANGE MASTER TO",
		"status": "SHOW SLAVE STATUS", "log status": "SHOW MASTER STATUS", "heartbeat": "yes", "source": "master", "replica": "slave", "identified": "BY ",
	})
	maps.Copy(s.variables, map[string]string{
		"gtid_mode": "OFF", "enforce_gtid_consistency": "OFF", "super_read_only": "OFF", "gtid_executed": "", "relay_log_recovery": "OFF",
	})
	of := func(n string) bool { return atLeastVersion(version, n) }
	if of("8.0.0") {
		maps.Copy(s.words, map[string]string{"persist": "yes", "public key": "yes", "origins": originsMySQL, "identified": "WITH caching_sha2_password BY "})
	}
	if of("8.0.22") {
		maps.Copy(s.words, map[string]string{"slave": "REPLICA", "Slave": "Replica", "Master": "Source", "status": "SHOW REPLICA STATUS"})
	}
	if of("8.0.23") {
		maps.Copy(s.words, map[string]string{"option": "SOURCE", "change": "CHANGE REPLICATION SOURCE TO"})
	}
	if of("8.2.0") {
		s.words["log status"] = "SHOW BINARY LOG STATUS"
	}
	prefix := "slave"
	if of("8.0.26") {
		prefix = "replica"
		maps.Copy(s.words, map[string]string{"source": "source", "replica": "replica"})
	}
	maps.Copy(s.variables, map[string]string{
		"log_" + prefix + "_updates": "OFF", prefix + "_parallel_workers": "0", prefix + "_preserve_commit_order": "OFF", prefix + "_net_timeout": "60",
	})
	if !of("9.0.0") {
		s.variables[prefix+"_parallel_type"] = "DATABASE"
	}
}

func atLeastVersion(version, other string) bool {
	a, errA := dialect.For(version)
	b, errB := dialect.For(other)
	if errA != nil || errB != nil {
		return false
	}
	x, y := a.Version(), b.Version()
	for i := range x {
		if x[i] != y[i] {
			return x[i] > y[i]
		}
	}
	return true
}
