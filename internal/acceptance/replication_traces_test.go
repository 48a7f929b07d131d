//go:build soak

package acceptance

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// trace is what a load of TestReplicationSoak must have left, so that none has run
// in vain: a query, and the least that it answers.
type trace struct {
	load, query string
	least       int
}

// traces are those of all loads but of those that leave nothing for long.
func (f *fed) traces() []trace {
	rows := 10_000
	if f.long() {
		rows = 100_000
	}
	all := []trace{
		{"every type", "SELECT COUNT(*) FROM soak.kinds WHERE bi IS NOT NULL AND j IS NOT NULL AND g IS NOT NULL AND special IS NOT NULL", 1},
		{"every type, NULL", "SELECT COUNT(*) FROM soak.kinds WHERE bi IS NULL AND j IS NULL AND special IS NULL", 1},
		{"definitions", "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'soakddl' AND TABLE_NAME LIKE 'd%'", 1},
		{"databases", "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'soakddl_%'", 1},
		{"accounts", "SELECT COUNT(*) FROM mysql.user WHERE User LIKE 'soakr%' AND User NOT LIKE 'soakrole%'", 1},
		{"roles", "SELECT COUNT(*) FROM mysql.user WHERE User LIKE 'soakrole%'", 1},
		{"procedures", "SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'soakddl'", 1},
		{"what an event wrote", "SELECT COUNT(*) FROM soak.ticks", 1},
		{"40 MB rows", fmt.Sprintf("SELECT COUNT(*) FROM soak.large WHERE LENGTH(b) >= %d", largeRow), 1},
		{"transactions of many rows", "SELECT MAX(c) FROM (SELECT COUNT(*) AS c FROM soak.bulk GROUP BY n) AS t", rows},
		{"foreign keys", "SELECT COUNT(*) FROM soak.child WHERE parent < 0", 1},
		{"triggers", "SELECT COUNT(*) FROM soak.seen WHERE v LIKE 'in %'", 1},
		{"partitions", "SELECT COUNT(*) FROM soak.parts", 1},
		{"XA", "SELECT COUNT(*) FROM soak.prepared", 1},
	}
	if f.mariadb() {
		return append(all, trace{"sequences", "SELECT COUNT(*) FROM soak.numbered", 2})
	}
	// The server counts the transactions that it has compressed.
	return append(all, trace{"compressed", "SELECT IF(@@read_only, 1, COALESCE(SUM(TRANSACTION_COUNTER), 0)) FROM performance_schema.binary_log_transaction_compression_stats WHERE LOG_TYPE = 'BINARY' AND COMPRESSION_TYPE = 'ZSTD'", 1})
}

// hasTraces wants each load to have left something on a node.
func (f *fed) hasTraces(n *playground.Node) {
	f.Helper()
	for _, t := range f.traces() {
		text, err := n.Query(f.Context(), t.query)
		got := 0
		if err == nil {
			_, err = fmt.Sscan(text, &got)
		}
		if err != nil || got < t.least {
			f.Errorf("%s: %s has left %q (%v), want at least %d", n.Name, t.load, text, err, t.least)
		}
	}
}

// compresses makes sure that a MariaDB master writes compressed events while that
// is on, which it does not count.
func (f *fed) compresses() {
	f.Helper()
	if !f.mariadb() {
		return
	}
	db := f.on(f.servers.Master, 1)
	defer db.Close()
	position, err := table(f.Context(), db, "SHOW MASTER STATUS")
	f.must(err)
	f.run("SET GLOBAL log_bin_compress = ON", "INSERT INTO soak.plain (n, v) SELECT d, REPEAT('long and dull ', 20) FROM soak.digits")
	events, err := table(f.Context(), db, fmt.Sprintf("SHOW BINLOG EVENTS IN '%s' FROM %s LIMIT 100", position[0][0], position[0][1]))
	f.must(err)
	if !slices.ContainsFunc(events, func(row []string) bool { return strings.Contains(row[2], "compressed") }) {
		f.Errorf("nothing is compressed: %q", events)
	}
}

// spoilings are what no slave may have done by itself, and what of it the
// comparison must name. Immutable.
var spoilings = []struct{ sql, name string }{
	{"UPDATE soak.calm SET n = n + 1 ORDER BY id LIMIT 1", "CHECKSUM TABLE `soak`.`calm`"},
	{"DELETE FROM soak.large ORDER BY id LIMIT 1", "CHECKSUM TABLE `soak`.`large`"},
	{"INSERT INTO soak.parts VALUES (-1, 1, 'only here')", "CHECKSUM TABLE `soak`.`parts`"},
	{"UPDATE soak.kinds SET b12 = COALESCE(b12, 0) ^ 1 ORDER BY id LIMIT 1", "CHECKSUM TABLE `soak`.`kinds`"},
	{"ALTER TABLE soak.digits COMMENT 'only here'", "SHOW CREATE TABLE `soak`.`digits`"},
	{"CREATE TABLE soak.extra (a INT)", "SHOW CREATE TABLE `soak`.`extra`"},
	{"DROP TRIGGER soak.three", "SHOW CREATE TRIGGER `soak`.`three`"},
	{"DROP FUNCTION soakddl.plus", "SHOW CREATE FUNCTION `soakddl`.`plus`"},
	{"ALTER DATABASE soakddl CHARACTER SET utf8mb4", "SHOW CREATE DATABASE `soakddl`"},
	{"CREATE USER 'soak-only'@'here'", "SHOW CREATE USER 'soak-only'@'here'"},
}

// seesDifferences spoils a slave, and wants the comparison to see each thing:
// otherwise that it has found nothing would say nothing.
func (f *fed) seesDifferences() {
	f.Helper()
	f.must(f.proxy.stop())
	defer f.start()
	slave := f.servers.Slaves()[0]
	statements := []string{"SET GLOBAL read_only = 0", "SET SESSION sql_log_bin = 0"}
	for _, s := range spoilings {
		statements = append(statements, s.sql)
	}
	f.must(slave.Exec(f.Context(), statements...))
	want, err := f.portrait(f.servers.Master)
	f.must(err)
	got, err := f.portrait(slave)
	f.must(err)
	found := differences(want, got)
	for _, s := range spoilings {
		if !slices.Contains(found, s.name) {
			f.Errorf("after %q the comparison has found %q, and not %s", s.sql, found, s.name)
		}
	}
}
