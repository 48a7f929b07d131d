package proxy

import (
	"errors"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// told is one statement of a story: what it was answered by, and where.
type told struct {
	sql    string
	conn   *backend.Conn
	answer wire.Answer
}

// classed classifies a statement as a session would.
func classed(flavour cluster.Flavour, sql string) *router.Statement {
	return router.NewClassifier(16).Classify([]byte(sql), router.Dialect{Flavour: flavour}, &router.Scratch{})
}

// TestQuestionsGoWhereTheAnswerIs: after a story, each question has one place.
func TestQuestionsGoWhereTheAnswerIs(t *testing.T) {
	slave, master := &backend.Conn{}, &backend.Conn{}
	read := told{"SELECT id FROM t", slave, wire.Answer{HasRows: true, AnyRows: true}}
	write := told{"INSERT INTO t VALUES (1)", master, wire.Answer{}}
	failed := told{"SELECT nothing FROM t", master, wire.Answer{Code: 1054}}
	call := told{"CALL p(1)", master, wire.Answer{}}
	at := func(c *backend.Conn) source { return source{kind: sourceConn, conn: c} }
	for _, tc := range []struct {
		name  string
		story []told
		after func(*previous)
		asks  string
		want  source
		err   error
	}{
		{"the last statement", []told{read, write}, nil, "SELECT ROW_COUNT()", at(master), nil},
		{"the SELECT before it", []told{read, write}, nil, "SELECT FOUND_ROWS()", at(slave), nil},
		{"both, a write last", []told{read, write}, nil, "SELECT FOUND_ROWS(), ROW_COUNT()", source{}, errTwo},
		{"both, an error last", []told{read, failed}, nil, "SELECT FOUND_ROWS(), ROW_COUNT()", at(slave), nil},
		{"both, errors last, also where the SELECT ran", []told{read, {"XA COMMIT 'x'", slave, wire.Answer{Code: 1397}}, failed}, nil,
			"SELECT FOUND_ROWS(), ROW_COUNT()", at(slave), nil},
		{"both, an error last, a write where the SELECT ran", []told{read, {"DO 1", slave, wire.Answer{}}, failed}, nil,
			"SELECT FOUND_ROWS(), ROW_COUNT()", source{}, errTwo},
		{"both, on one connection", []told{read}, nil, "SELECT FOUND_ROWS(), ROW_COUNT()", at(slave), nil},
		{"a procedure may have selected", []told{read, call}, nil, "SELECT FOUND_ROWS()", source{}, errLost},
		{"a new session", nil, nil, "SHOW WARNINGS", source{kind: sourceAny, left: backend.LeavesNothing}, nil},
		{"no SELECT yet", []told{failed}, nil, "SELECT FOUND_ROWS()",
			source{kind: sourceAny, left: backend.LeavesRead | backend.LeavesNoFound}, nil},
		{"a lost write", []told{write}, func(p *previous) { p.gone(master) }, "SELECT ROW_COUNT()", source{}, errLost},
		{"a lost read", []told{read}, func(p *previous) { p.gone(slave) }, "SELECT ROW_COUNT()",
			source{kind: sourceAny, left: backend.LeavesRead}, nil},
		{"a lost read's rows", []told{read}, func(p *previous) { p.gone(slave) }, "SELECT FOUND_ROWS()", source{}, errLost},
		{"a value that was fetched", []told{read, write}, func(p *previous) { p.found = found{kind: foundValue, value: "3"} },
			"SELECT FOUND_ROWS() AS n", source{kind: sourceValue}, nil},
		{"a value and the row count of an error", []told{read, failed}, func(p *previous) { p.found = found{kind: foundValue, value: "3"} },
			"SELECT FOUND_ROWS(), ROW_COUNT() AS r", source{kind: sourceValue, left: backend.LeavesRead}, nil},
		{"a value and the row count of a write", []told{read, write}, func(p *previous) { p.found = found{kind: foundValue, value: "3"} },
			"SELECT FOUND_ROWS(), ROW_COUNT()", source{}, errTwo},
		{"a value in several rows", []told{read, write}, func(p *previous) { p.found = found{kind: foundValue, value: "3"} },
			"SELECT FOUND_ROWS() AS n FROM t", source{}, errTwo},
		{"a value in an expression", []told{read, write}, func(p *previous) { p.found = found{kind: foundValue, value: "3"} },
			"SELECT FOUND_ROWS() + 1", source{}, errTwo},
		{"a question of the proxy's own", []told{read}, func(p *previous) { slave.Asked = true; p.asked(slave) },
			"SELECT FOUND_ROWS()", source{}, errLost},
		{"a write before a prepare", []told{write}, func(p *previous) { p.prepared(slave, false) }, "SELECT ROW_COUNT()", at(master), nil},
		{"warnings of a prepare", []told{write}, func(p *previous) { p.prepared(slave, true) }, "SHOW WARNINGS", at(slave), nil},
		{"a prepare first of all", nil, func(p *previous) { p.prepared(slave, false) }, "SHOW WARNINGS", at(slave), nil},
		{"warnings before COM_INIT_DB", []told{read}, func(p *previous) { p.warned = true; p.changedSchema(master) },
			"SHOW WARNINGS", at(slave), nil},
		{"all before COM_INIT_DB", []told{read}, func(p *previous) { p.warned = true; p.changedSchema(master) },
			"SELECT FOUND_ROWS(), ROW_COUNT(), @@warning_count", at(slave), nil},
		{"after a reset", []told{read, write}, (*previous).reset, "SELECT FOUND_ROWS()", at(slave), nil},
	} {
		var p previous
		for _, s := range tc.story {
			statement := classed(cluster.FlavourMySQL, s.sql)
			p.list(s.conn, true)
			p.ran(s.conn, &s.answer, effectOnFound(cluster.FlavourMySQL, statement, &s.answer))
		}
		if tc.after != nil {
			tc.after(&p)
		}
		got, err := p.about(questionOf(classed(cluster.FlavourMySQL, tc.asks)))
		if got != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("%s: %+v, %v, want %+v, %v", tc.name, got, err, tc.want, tc.err)
		}
	}
}

// TestWarningsStayWhereTheyAre: MariaDB keeps the list over statements that name
// no table, wherever they run.
func TestWarningsStayWhereTheyAre(t *testing.T) {
	slave, master := &backend.Conn{}, &backend.Conn{}
	p := previous{last: slave, warned: true}
	list := questionOf(classed(cluster.FlavourMariaDB, "SHOW WARNINGS"))
	p.list(master, false)
	p.ran(master, &wire.Answer{}, foundLeaves)
	if got, err := p.about(list); err != nil || got.conn != slave {
		t.Errorf("after a statement that keeps it: %+v, %v", got, err)
	}
	p.gone(slave)
	if _, err := p.about(list); !errors.Is(err, errLost) {
		t.Errorf("after its connection is gone: %v", err)
	}
	p.list(master, true)
	p.ran(master, &wire.Answer{}, foundLeaves)
	if got, err := p.about(list); err != nil || got.conn != master {
		t.Errorf("after one that clears it: %+v, %v", got, err)
	}
}

func TestWhatClearsWarnings(t *testing.T) {
	for sql, want := range map[string]bool{
		"SELECT id FROM t1 WHERE id = 1": true, "SELECT*FROM`t1`": true, "INSERT INTO t VALUES (1)": true, "SHOW TABLES": true,
		"CREATE TABLE t (a INT)": true, "SELECT 1": false, "SELECT LAST_INSERT_ID() FROM DUAL": false, "SET a = 1": false,
		"SELECT EXTRACT(YEAR FROM '2024-01-01')": false, "SELECT (SELECT a FROM t)": false, "SELECT from_days": false,
		"SHOW GRANTS": false, "BEGIN": false, "SELECT x FROM (SELECT 1 AS x) AS y": false,
		"SELECT id FROM t; SHOW WARNINGS": true, "SET a = 1; INSERT INTO t VALUES (';')": true, "BEGIN; SELECT 'INSERT '": false,
	} {
		if got := clearsWarnings(classed(cluster.FlavourMariaDB, sql)); got != want {
			t.Errorf("%s: %v, want %v", sql, got, want)
		}
	}
}

// TestEffectsOnFoundRows holds what was seen on real servers: mysql, mariadb.
func TestEffectsOnFoundRows(t *testing.T) {
	rows := wire.Answer{HasRows: true, AnyRows: true}
	for _, tc := range []struct {
		sql            string
		answer         wire.Answer
		mysql, mariadb foundEffect
	}{
		{"SELECT 1", rows, foundSets, foundSets},
		{"SELECT nothing", wire.Answer{Code: 1054}, foundLeaves, foundLeaves},
		{"(SELECT 1) UNION (SELECT 2)", rows, foundSets, foundSets},
		{"SELECT id FROM t FOR UPDATE", rows, foundSets, foundSets},
		{"SELECT COUNT(*) FROM t INTO @n", wire.Answer{}, foundSets, foundSets},
		{"VALUES (1)", rows, foundSets, foundLeaves},
		{"EXPLAIN SELECT 1", rows, foundLeaves, foundLeaves},
		{"DESCRIBE t", rows, foundSets, foundSets},
		{"SHOW TABLES", rows, foundSets, foundSets},
		{"SHOW CREATE TABLE t", rows, foundLeaves, foundLeaves},
		{"SHOW GRANTS", rows, foundLeaves, foundLeaves},
		{"SHOW WARNINGS", rows, foundLeaves, foundLeaves},
		{"UPDATE t SET a = 1", wire.Answer{}, foundSets, foundLeaves},
		{"UPDATE t JOIN u ON u.a = t.a SET t.b = 1", wire.Answer{}, foundSets, foundSets},
		{"DELETE FROM t WHERE a = 1", wire.Answer{}, foundLeaves, foundLeaves},
		{"DELETE t FROM t JOIN u ON u.a = t.a", wire.Answer{}, foundSets, foundSets},
		{"INSERT INTO t VALUES (1)", wire.Answer{}, foundLeaves, foundLeaves},
		{"WITH x AS (SELECT 1 AS i) UPDATE t, x SET t.b = 1", wire.Answer{}, foundSets, foundMaySet},
		{"WITH x AS (SELECT 6 AS i) DELETE t FROM t JOIN x ON t.id = x.i", wire.Answer{}, foundSets, foundMaySet},
		{"WITH x AS (SELECT 6 AS i) DELETE FROM t WHERE id IN (SELECT i FROM x)", wire.Answer{}, foundMaySet, foundMaySet},
		{"INSERT INTO t VALUES (1) RETURNING a", rows, foundLeaves, foundLeaves},
		{"INSERT INTO t SELECT a FROM u", wire.Answer{}, foundSets, foundSets},
		{"SET @a = (SELECT 1)", wire.Answer{}, foundLeaves, foundSets},
		{"DO 1", wire.Answer{}, foundSets, foundLeaves},
		{"CREATE TABLE u AS SELECT a FROM t", wire.Answer{}, foundLeaves, foundSets},
		{"CREATE VIEW v AS SELECT a FROM t", wire.Answer{}, foundLeaves, foundLeaves},
		{"CALL p(1)", wire.Answer{AnyRows: true}, foundSets, foundSets},
		{"CALL p(1)", wire.Answer{}, foundMaySet, foundMaySet},
		{"BEGIN", wire.Answer{}, foundLeaves, foundLeaves},
		{"USE d", wire.Answer{}, foundLeaves, foundLeaves},
		{"SELECT 1; SELECT nothing", wire.Answer{Code: 1054, Sent: true, AnyRows: true}, foundSets, foundSets},
		{"BEGIN; SELECT 1", rows, foundSets, foundSets},
	} {
		for flavour, want := range map[cluster.Flavour]foundEffect{cluster.FlavourMySQL: tc.mysql, cluster.FlavourMariaDB: tc.mariadb} {
			if got := effectOnFound(flavour, classed(flavour, tc.sql), &tc.answer); got != want {
				t.Errorf("%s on %v: %d, want %d", tc.sql, flavour, got, want)
			}
		}
	}
}
