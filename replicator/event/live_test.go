package event_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/bellwether-db/bellwether/replicator/event"
)

// The statements that make the binary logs which the tests read: one
// connection for each list. They hold what ends a transaction in a way of its
// own: DDL, XA, LOAD DATA, compression, temporary and non-transactional
// tables, statement and row format.
var common = []string{
	"CREATE DATABASE d", "USE d",
	"CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(100) DEFAULT 'x', d DOUBLE) ENGINE=InnoDB",
	"CREATE TABLE m (id INT AUTO_INCREMENT PRIMARY KEY, v INT) ENGINE=MyISAM",
	"INSERT INTO t (v) VALUES ('one'), ('two')",
	"BEGIN", "INSERT INTO t (v) VALUES ('three')", "SAVEPOINT a", "UPDATE t SET v='COMMIT' WHERE id=1", "ROLLBACK TO SAVEPOINT a", "DELETE FROM t WHERE id=2", "COMMIT",
	"INSERT INTO m (v) VALUES (2), (3)",
	"CREATE USER u@localhost", "GRANT SELECT ON d.* TO u@localhost",
	"CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.d = 1",
	"CREATE PROCEDURE p() BEGIN INSERT INTO t (v) VALUES ('p1'); INSERT INTO t (v) VALUES ('p2'); END", "CALL p()",
	"CREATE EVENT e ON SCHEDULE EVERY 1 YEAR DO DELETE FROM t",
	"XA START 'x1','b',7", "INSERT INTO t (v) VALUES ('xa')", "XA END 'x1','b',7", "XA PREPARE 'x1','b',7", "XA COMMIT 'x1','b',7",
	"XA START 'x2'", "INSERT INTO t (v) VALUES ('xa2')", "XA END 'x2'", "XA COMMIT 'x2' ONE PHASE",
	"XA START 'x3'", "INSERT INTO t (v) VALUES ('xa3')", "XA END 'x3'", "XA PREPARE 'x3'", "XA ROLLBACK 'x3'",
	"SET binlog_format=STATEMENT",
	"INSERT INTO t (v) VALUES (LAST_INSERT_ID())", "SET @a='COMMIT'", "INSERT INTO t (v, d) VALUES (@a, RAND())",
	"INSERT INTO m (v) VALUES (4)",
	"BEGIN", "INSERT INTO t (v) VALUES ('s1')", "SAVEPOINT b", "INSERT INTO t (v) VALUES ('s2')", "ROLLBACK TO SAVEPOINT b", "INSERT INTO t (v) VALUES ('s3')", "COMMIT",
	"LOAD DATA INFILE '{file}' INTO TABLE t (v)", "LOAD DATA INFILE '{file}' INTO TABLE m (v)",
	"XA START 'x4'", "INSERT INTO t (v) VALUES ('xa4')", "XA END 'x4'", "XA PREPARE 'x4'", "XA COMMIT 'x4'",
	"SET binlog_format=MIXED", "CREATE TEMPORARY TABLE tt (v INT)", "INSERT INTO tt VALUES (1)", "INSERT INTO t (v) SELECT v FROM tt", "DROP TEMPORARY TABLE tt",
	"SET binlog_format=ROW", "LOAD DATA INFILE '{file}' INTO TABLE t (v)", "TRUNCATE m", "DROP TABLE m",
	"ALTER TABLE t ADD COLUMN w INT DEFAULT 5", "ANALYZE TABLE t",
}

var special = map[playground.Flavour][]string{
	playground.MySQL: {
		"USE d", "CREATE TABLE c AS SELECT * FROM t",
		"SET binlog_transaction_compression=ON", "INSERT INTO t (v) SELECT REPEAT('z', 90) FROM t",
		"SET binlog_transaction_compression=OFF", "SET binlog_rows_query_log_events=ON", "INSERT INTO t (v) VALUES ('told')",
		"SET gtid_next='AUTOMATIC:blue_9'", "INSERT INTO t (v) VALUES ('tagged')", "DROP TABLE c",
		"SET gtid_next='5e11fa47-71ca-11e1-9e33-c80aa94295ff:700'", "BEGIN", "COMMIT", "SET gtid_next=AUTOMATIC",
	},
	playground.MariaDB: {
		"USE d", "CREATE TABLE m (v INT) ENGINE=MyISAM", "BEGIN", "INSERT INTO t (v) VALUES ('gone')", "INSERT INTO m (v) VALUES (1)", "ROLLBACK",
		"CREATE TABLE c SELECT * FROM t", "CREATE SEQUENCE s", "SELECT NEXTVAL(s)",
		"CREATE TABLE ar (v INT) ENGINE=Aria", "INSERT INTO ar VALUES (1)", "CREATE OR REPLACE TABLE c SELECT 1 AS one",
		"SET GLOBAL log_bin_compress=ON", "SET GLOBAL log_bin_compress_min_len=10", "INSERT INTO t (v) VALUES (REPEAT('z', 99))",
		"SET binlog_format=STATEMENT", "INSERT INTO t (v) VALUES ('zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz')", "SET binlog_format=ROW",
		"CREATE TABLE zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz (v INT)", "SET GLOBAL log_bin_compress=OFF",
		"SET gtid_domain_id=3", "INSERT INTO t (v) VALUES ('domain')", "SET SESSION server_id=77", "INSERT INTO t (v) VALUES ('server')",
	},
}

func TestLiveBinaryLogs(t *testing.T) {
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) {
			t.Parallel()
			c := playground.ForTest(t, playground.Options{Flavour: flavour, Relaxed: true})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := c.OpenMaster(ctx, c.Master); err != nil {
				t.Fatal(err)
			}
			before := executed(ctx, t, c)
			write(ctx, t, c)
			compareWithServer(ctx, t, c, before)
		})
	}
}

// write runs the statements in a binary log of their own and closes it.
func write(ctx context.Context, t *testing.T, c *playground.Cluster) {
	file := filepath.Join(t.TempDir(), "rows.txt")
	if err := os.WriteFile(file, []byte("1\n2\n3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, list := range [][]string{{"FLUSH BINARY LOGS"}, common, special[c.Flavour], {"FLUSH BINARY LOGS"}} {
		list = slices.Clone(list)
		for i := range list {
			list[i] = strings.ReplaceAll(list[i], "{file}", file)
		}
		if err := c.Master.Exec(ctx, list...); err != nil {
			t.Fatal(err)
		}
	}
}

func executed(ctx context.Context, t *testing.T, c *playground.Cluster) *cluster.GTIDSet {
	flavour, ask := cluster.FlavourMySQL, "SELECT @@global.gtid_executed"
	if c.Flavour == playground.MariaDB {
		flavour, ask = cluster.FlavourMariaDB, "SELECT @@global.gtid_binlog_pos"
	}
	text, err := c.Master.Query(ctx, ask)
	if err != nil {
		t.Fatal(err)
	}
	set, err := cluster.ParseGTIDSet(flavour, text)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// compareWithServer reads the file before the last one: what it says of its
// beginning and the transactions found in it are what the server has executed.
func compareWithServer(ctx context.Context, t *testing.T, c *playground.Cluster, before *cluster.GTIDSet) {
	names, err := filepath.Glob(filepath.Join(c.Master.DataDir(), "binlog.0*"))
	if err != nil || len(names) < 2 {
		t.Fatal(names, err)
	}
	raw, err := os.ReadFile(names[len(names)-2])
	if err != nil {
		t.Fatal(err)
	}
	story, set := tell(t, raw)
	if want := executed(ctx, t, c); !set.Equal(want) {
		t.Errorf("the file ends at %s, the server at %s:\n%s", set, want, story)
	}
	last, err := os.ReadFile(names[len(names)-1])
	if err != nil {
		t.Fatal(err)
	}
	if _, next := tell(t, last); !next.Equal(set) {
		t.Errorf("the next file begins behind %s, not %s", next, set)
	}
	compareSets(t, last)
	if !strings.Contains(story, "before "+before.String()+"\n") {
		t.Errorf("the file does not begin behind %s", before)
	}
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		name := filepath.Join("testdata", c.Flavour.String()+".binlog")
		if err := os.WriteFile(name, raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// compareSets encodes the sets of GTIDs in a MySQL binary log, which have tags
// here, as the server did.
func compareSets(t *testing.T, raw []byte) {
	for _, e := range split(t, raw) {
		if e.Type() != event.PreviousGTIDs {
			continue
		}
		set, err := event.ParseSet(e, true)
		if err != nil {
			t.Fatal(err)
		}
		if again := event.AppendPreviousGTIDs(nil, set, stampOf(e)); !bytes.Equal(again, e) {
			t.Errorf("the set %s is\n%x, the server writes\n%x", set, again, []byte(e))
		}
	}
}

// tell reads a binary log and says, a line for each event, what it is; and
// what has been executed at its end.
func tell(t *testing.T, raw []byte) (string, *cluster.GTIDSet) {
	t.Helper()
	var story strings.Builder
	var set *cluster.GTIDSet
	tracker := event.NewTracker(event.Format{})
	rest, ok := bytes.CutPrefix(raw, []byte("\xfebin"))
	for ok && len(rest) > 0 {
		e, err := event.Next(rest)
		if err != nil {
			t.Fatalf("%v, after\n%s", err, &story)
		}
		rest = rest[len(e):]
		mark, err := tracker.Next(e)
		if err != nil || !e.ChecksumOK() {
			t.Fatalf("%v, checksum %v, after\n%s", err, e.ChecksumOK(), &story)
		}
		if e.Type() == event.PreviousGTIDs || e.Type() == event.MariaGTIDList {
			if set, err = event.ParseSet(e, true); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&story, "before %s\n", set)
		}
		if mark.Part == event.End {
			set = set.With(mark.GTID)
		}
		fmt.Fprintf(&story, "%s %s", e.Type(), mark.Part)
		if mark.Part == event.Begin {
			fmt.Fprintf(&story, " %s", mark.GTID)
		}
		if mark.ThreadID != 0 {
			fmt.Fprintf(&story, " thread")
		}
		story.WriteString("\n")
	}
	if tracker.Inside() {
		t.Errorf("the file ends inside a transaction:\n%s", &story)
	}
	return story.String(), set
}
