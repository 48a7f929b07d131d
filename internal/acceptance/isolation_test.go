package acceptance

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestNothingLeaksBetweenClients has clients leave a state behind, over and over
// on the same pooled connections, and others look for it.
func TestNothingLeaksBetweenClients(t *testing.T) {
	const reuses = 1000
	onEachFlavour(t, func(t *testing.T, w *world) {
		w.stage(t, "accleak")
		for i := range reuses {
			if err := leave(w, i); err != nil {
				t.Fatalf("client %d: %v", i, err)
			}
			for _, look := range []func(*world, int) error{lookForInsertID, look} {
				if err := look(w, i); err != nil {
					t.Fatalf("after client %d, which did %q: %v", i, traces[i%len(traces)], err)
				}
			}
		}
	})
}

// traces are what clients leave behind; what begins with "?" may fail.
var traces = [][]string{
	{"SET @leak = 1"},
	{"SELECT @leak := 5"},
	{"SET sql_mode = 'ANSI_QUOTES'"},
	{"SET time_zone = '+05:00'", "SET NAMES latin1", "SELECT 1"},
	{"SET SESSION group_concat_max_len = 7", "SELECT GROUP_CONCAT(b) FROM t1"},
	{"CREATE TEMPORARY TABLE leaked (x INT)"},
	{"CREATE TEMPORARY TABLE t2 (leaked INT)"},
	{"SET autocommit = 0", "INSERT INTO log (what) VALUES ('leak')"},
	{"BEGIN", "INSERT INTO log (what) VALUES ('leak')"},
	{"PREPARE leaked FROM 'SELECT 1'"},
	{"SELECT GET_LOCK('leaked', 0)"},
	{"LOCK TABLES t1 WRITE"},
	{"USE {db2}", "SELECT * FROM t1"},
	{"SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SELECT 1"},
	{"SELECT SQL_CALC_FOUND_ROWS id FROM t1 LIMIT 1"},
	{"INSERT INTO t1 (b) VALUES ('x')", "SELECT LAST_INSERT_ID()"},
	{"INSERT INTO log (what) VALUES ('x'); SELECT 1"},
	{"INSERT INTO log (what) VALUES ('x'); BEGIN; COMMIT"},
	{"?INSERT INTO t1 (b, a) VALUES ('x', NULL), ('y', 10)"},
	{"?INSERT INTO t1 (b) VALUES ('x') RETURNING id"},
	{"?BEGIN NOT ATOMIC INSERT INTO log (what) VALUES ('x'); SELECT 1; END"},
	{"LOAD DATA LOCAL INFILE 'rows-2' INTO TABLE log LINES TERMINATED BY ',' (what)"},
	{"CALL p_tx(1)"},
	{"SELECT CAST('x' AS SIGNED)"},
	{"!prepare h SELECT 1", "!execute h"},
	{"SET TRANSACTION READ ONLY"},
	{"HANDLER t1 OPEN"},
	{"SET SESSION div_precision_increment = 9", "SET sql_select_limit = 1", "SELECT id FROM t1"},
}

// leave runs a trace and goes, every other time without saying goodbye.
func leave(w *world, i int) error {
	c, err := open(w.proxy.proxyAddr, client{schema: true, multi: true}, "accleak")
	if err != nil {
		return err
	}
	defer c.conn.Close()
	for _, s := range traces[i%len(traces)] {
		s, may := strings.CutPrefix(s, "?")
		if answer, err := step(s).run(c); err != nil || answer.Err() != "" && !may {
			return fmt.Errorf("run %q: %w %s", s, err, answer.Err())
		}
	}
	if i%2 == 0 {
		return c.conn.Quit()
	}
	return nil
}

// lookForInsertID asks on its own: what asks for user variables, too, gets a
// connection that was reset. A database is given at the login or not at all.
func lookForInsertID(w *world, i int) error {
	database := i/len(traces)%2 == 0
	c, err := open(w.proxy.proxyAddr, client{schema: database}, "accleak")
	if err != nil {
		return err
	}
	rows, err := ask(c.conn, "SELECT LAST_INSERT_ID()")
	if err := errors.Join(err, c.conn.Quit()); err != nil {
		return err
	}
	if got := fmt.Sprint(rows[0]); got != "[0]" {
		return fmt.Errorf("LAST_INSERT_ID() of a fresh session (with a database: %t) is %s", database, got)
	}
	return nil
}

// look is a fresh client that must find a fresh session, on the master and on
// a slave.
func look(w *world, _ int) error {
	c, err := open(w.proxy.proxyAddr, client{schema: true}, "accleak")
	if err != nil {
		return err
	}
	defer c.conn.Close()
	const fresh = `SELECT DATABASE(), @leak, @@group_concat_max_len < 1024, @@autocommit, @@time_zone, @@div_precision_increment > 8,
		@@sql_mode LIKE '%ANSI%', CHARSET('x'), LAST_INSERT_ID(), (SELECT COUNT(*) FROM t1 WHERE id < 6)`
	const want = "[accleak NULL 0 1 SYSTEM 0 0 utf8mb4 0 5]"
	for _, hint := range []string{"master", "slave"} {
		rows, err := ask(c.conn, "/* bellwether: "+hint+" */ "+fresh)
		if err != nil {
			return err
		}
		if got := fmt.Sprint(rows[0]); got != want {
			return fmt.Errorf("on the %s a fresh session has %s, want %s", hint, got, want)
		}
	}
	return lookForObjects(c)
}

func lookForObjects(c *session) error {
	for sql, want := range map[string]uint16{
		"/* bellwether: master */ SELECT * FROM leaked": 1146,
		"/* bellwether: master */ SELECT note FROM t2":  0,
		"EXECUTE leaked":                                   1243,
		"HANDLER t1 READ FIRST":                            1109,
		"INSERT INTO log (what) VALUES ('free')":           0,
		"SELECT 1 / IS_FREE_LOCK('leaked')":                0,
		"SELECT 1 FROM log WHERE what = 'leak' FOR UPDATE": 0,
	} {
		answer, err := c.conn.Query(sql)
		if err != nil {
			return err
		}
		code := uint16(0)
		for _, p := range answer {
			code = max(code, p.Code())
		}
		if code != want {
			return fmt.Errorf("%q: error %d, want %d", sql, code, want)
		}
	}
	return nil
}
