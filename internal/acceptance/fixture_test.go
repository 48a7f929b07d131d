package acceptance

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/bellwether-db/bellwether/internal/acceptance/rawclient"
)

// account is a login of the nodes.
type account struct{ user, password string }

var (
	// app may do everything in the schemas of the tests and nothing else, so
	// that a write which strays to a slave is refused there.
	app = account{"app", "secret-of-app"}
	// boss has every privilege, as an operator has.
	boss = account{"boss", "secret-of-boss"}
)

// schemaOnce is the part of a program's schema that programs cannot change.
func schemaOnce(flavour string) []string {
	statements := []string{
		"DROP DATABASE IF EXISTS {db}", "DROP DATABASE IF EXISTS {db2}",
		"CREATE DATABASE {db} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
		"CREATE DATABASE {db2} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
		"USE {db}",
	}
	statements = append(statements, tables(flavour)...)
	return append(statements, routines...)
}

// tables are dropped and made again, with their first rows.
func tables(flavour string) []string {
	var statements []string
	if flavour == "mariadb" {
		statements = append(statements, "CREATE OR REPLACE SEQUENCE sq")
	}
	statements = append(statements,
		"DROP TABLE IF EXISTS t1, t2, log, log2, made_table, {db2}.t1",
		`CREATE TABLE t1 (id INT AUTO_INCREMENT PRIMARY KEY, a INT, b VARCHAR(40), c DECIMAL(10,2), d DATETIME, e DOUBLE,
			UNIQUE KEY (a)) ENGINE = InnoDB`,
		"CREATE TABLE t2 (id INT PRIMARY KEY, t1_id INT, note TEXT, flag TINYINT, KEY (t1_id)) ENGINE = InnoDB",
		"CREATE TABLE log (n INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(100)) ENGINE = InnoDB",
		"CREATE TABLE {db2}.t1 (id INT PRIMARY KEY, b VARCHAR(40)) ENGINE = InnoDB")
	return append(statements, rows...)
}

// rows empty the tables and fill them again. What AUTO_INCREMENT has counted
// stays, on both sides alike.
var rows = []string{
	"BEGIN", "DELETE FROM t1", "DELETE FROM t2", "DELETE FROM log", "DELETE FROM {db2}.t1",
	`INSERT INTO t1 VALUES (1, 10, 'apple', 1.50, '2024-01-02 03:04:05', 0.5), (2, 20, 'Bär', NULL, '2023-12-31 23:59:59', 1e10),
		(3, 30, 'cherry', -2.25, NULL, -0.125), (4, NULL, NULL, 99999.99, '2000-02-29 00:00:00', NULL), (5, 50, '', 0, '2038-01-19 03:14:07', 3)`,
	"INSERT INTO t2 VALUES (1, 1, 'first', 0), (2, 1, 'second', 1), (3, 2, 'third', 1), (4, NULL, NULL, NULL)",
	"INSERT INTO {db2}.t1 VALUES (1, 'other one'), (2, 'other two')", "COMMIT",
}

var routines = []string{
	"CREATE VIEW v1 AS SELECT id, a, b FROM t1 WHERE a > 10",
	"CREATE FUNCTION f_add(x INT) RETURNS INT DETERMINISTIC NO SQL RETURN x + 1",
	"CREATE FUNCTION f_read() RETURNS INT READS SQL DATA RETURN (SELECT COUNT(*) FROM t2)",
	// It says that it only reads, and writes: what servers do not enforce.
	`CREATE FUNCTION f_log(w VARCHAR(100)) RETURNS INT READS SQL DATA
		BEGIN INSERT INTO log (what) VALUES (w); RETURN (SELECT COUNT(*) FROM log); END`,
	"CREATE VIEW v2 AS SELECT id, f_add(id) AS more FROM t1",
	"CREATE VIEW v_log AS SELECT f_log('view') AS logged",
	`CREATE PROCEDURE p_sets(n INT) BEGIN SELECT n AS n, n * 2 AS twice; SELECT id, b FROM t1 WHERE id <= n ORDER BY id; END`,
	`CREATE PROCEDURE p_out(IN x INT, OUT y INT, INOUT z INT) BEGIN SET y = x * 2; SET z = IFNULL(z, 0) + x; END`,
	`CREATE PROCEDURE p_tmp(n INT) BEGIN DROP TEMPORARY TABLE IF EXISTS made; CREATE TEMPORARY TABLE made (x INT);
		INSERT INTO made VALUES (n), (n + 1); END`,
	`CREATE PROCEDURE p_err(n INT) BEGIN SELECT n; SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'from p_err'; END`,
	`CREATE PROCEDURE p_tx(keep INT) BEGIN START TRANSACTION; INSERT INTO log (what) VALUES ('p_tx');
		IF keep THEN COMMIT; ELSE ROLLBACK; END IF; END`,
}

// script runs statements on a connection and stops at the first error.
func script(c *rawclient.Conn, schema string, statements []string) error {
	s := &session{conn: c, schema: schema}
	for _, sql := range statements {
		answer, err := step(sql).run(s)
		if err != nil {
			return fmt.Errorf("run %q: %w", clipped(sql, 80), err)
		}
		if answer.Err() != "" {
			return fmt.Errorf("run %q: %s", clipped(sql, 80), answer.Err())
		}
	}
	return nil
}

// resetSQL gives a schema its first content again, after a program that may
// have changed the tables themselves or only their rows.
func resetSQL(flavour string, definitions bool) []string {
	if definitions {
		return append([]string{"USE {db}"}, tables(flavour)...)
	}
	return append([]string{"USE {db}"}, rows...)
}

// defines says whether a program may have changed what its tables are.
func (p program) defines() bool {
	for _, s := range p.steps {
		if definition.MatchString(string(s)) {
			return true
		}
	}
	return false
}

var definition = regexp.MustCompile(`\b(ALTER|RENAME|INDEX|made_table|sq|XA PREPARE)\b`)

// forgetXA ends the transactions that a failed program has left prepared, which
// would hold its tables.
func forgetXA(c *rawclient.Conn, flavour, schema string) error {
	answer, err := c.Query("XA RECOVER")
	if err != nil {
		return fmt.Errorf("list prepared transactions: %w", err)
	}
	for _, row := range answer.Rows() {
		if !strings.HasPrefix(row[len(row)-1], schema+"-") {
			continue
		}
		// Its connection may just be going: until then it is nobody else's.
		if flavour == "mariadb" {
			if err := eventually(func() error { return noneHeld(c) }); err != nil {
				return err
			}
		}
		rollback := []string{"XA ROLLBACK '" + row[len(row)-1] + "'"}
		if err := eventually(func() error { return script(c, schema, rollback) }); err != nil {
			return err
		}
	}
	return nil
}

// noneHeld is an error while a connection to MariaDB has a prepared transaction.
// The server lets others end it a moment before its engine has taken it from a
// connection that goes: then nothing ends, and its locks stay until a restart.
func noneHeld(c *rawclient.Conn) error {
	answer, err := c.Query("SHOW ENGINE INNODB STATUS")
	if err != nil || answer.Err() != "" {
		return fmt.Errorf("ask for prepared transactions: %w %s", err, answer.Err())
	}
	if held := preparedHeld.FindString(answer.Rows()[0][2]); held != "" {
		return fmt.Errorf("a connection has it still: %s", held)
	}
	return nil
}

// preparedHeld matches a prepared transaction that is not marked as recovered.
var preparedHeld = regexp.MustCompile(`(?m)^---TRANSACTION \d+, ACTIVE \(PREPARED\) \d+ sec$`)
