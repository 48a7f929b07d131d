//go:build soak

package acceptance

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// TestReplicationSoak writes for BELLWETHER_SOAK whatever servers can replicate,
// through the proxy, and wants at the end equal GTID sets on all nodes and in
// the stored log, and every object and every table's checksum the same.
func TestReplicationSoak(t *testing.T) {
	onFed(t, func(f *fed) {
		f.must(f.servers.Master.Exec(f.Context(), "SET GLOBAL event_scheduler = ON"))
		f.run(soakSchema(f.mariadb())...)
		ctx, cancel := context.WithTimeout(f.Context(), soakFor(f.T))
		defer cancel()
		var group sync.WaitGroup
		for _, l := range soakLoads(f) {
			group.Go(func() { l.run(ctx, f) })
		}
		group.Wait()
		f.run("ALTER EVENT soak.tick DISABLE")
		f.compresses()
		f.converge()
		f.Logf("%d objects are the same on every node", f.same())
		for _, n := range f.servers.Nodes {
			f.hasTraces(n)
		}
		f.seesDifferences()
	})
}

// load is one client's work, turn after turn.
type load struct {
	name  string
	pause time.Duration // between two turns
	turn  func(t turn) error
}

// turn is what one turn of a load works with.
type turn struct {
	ctx    context.Context
	conn   *sql.Conn
	open   func() (*sql.Conn, error) // another one
	random *rand.Rand
	number int
	maria  bool
	long   bool // the soak is one of many minutes
}

// do runs statements, which may have the turn's number as %[1]d.
func (t turn) do(statements ...string) error {
	for _, s := range statements {
		if _, err := t.conn.ExecContext(t.ctx, fmt.Sprintf(s+"%[2]s", t.number, "")); err != nil {
			return fmt.Errorf("%s: %w", clipped(s, 120), err)
		}
	}
	return nil
}

// turnPatience bounds one turn, on a busy machine.
const turnPatience = 5 * time.Minute

// run takes turns until ctx ends; the last one is finished.
func (l load) run(ctx context.Context, f *fed) {
	db := f.clients(1)
	random := rand.New(rand.NewPCG(uint64(environment("BELLWETHER_SEED", 1)), uint64(len(l.name))))
	number, whole, began := 0, 0, time.Now()
	for ; ctx.Err() == nil; number++ {
		done, err := l.one(f, db, turn{random: random, number: number, maria: f.mariadb(), long: f.long()})
		if err != nil {
			f.Errorf("%s, turn %d: %v", l.name, number, err)
			break
		}
		if done {
			whole++
		}
		rest(ctx, l.pause)
	}
	f.Logf("%s: %d turns in %v, %d of them to their end", l.name, number, time.Since(began).Round(time.Second), whole)
	if whole == 0 {
		f.Errorf("%s: none of %d turns came to its end", l.name, number)
	}
}

// one takes a turn. It reports whether that came to its end, and was not given up
// for a lock.
func (l load) one(f *fed, db *sql.DB, t turn) (done bool, _ error) {
	ctx, cancel := context.WithTimeout(f.Context(), turnPatience)
	defer cancel()
	conn, err := db.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	t.ctx, t.conn, t.open = ctx, conn, func() (*sql.Conn, error) { return db.Conn(ctx) }
	err = l.turn(t)
	if refused := (*mysql.MySQLError)(nil); errors.As(err, &refused) && (refused.Number == 1213 || refused.Number == 1205) {
		_, err = conn.ExecContext(ctx, "ROLLBACK") // a deadlock is the client's own affair
		return false, err
	}
	return err == nil, err
}

func soakLoads(f *fed) []load {
	// Slaves apply definitions one after the other, whatever they do in parallel:
	// without longer pauses they would fall behind all the time.
	loads := []load{
		{"every type", 20 * time.Millisecond, everyType},
		{"definitions", time.Second, definitions},
		{"accounts", time.Second, accounts},
		{"programs", time.Second, programs},
		{"40 MB rows", max(5*time.Second, soakFor(f.T)/10), largeRows},
		{"transactions of many rows", time.Second, manyRows},
		{"compressed", 50 * time.Millisecond, compressed},
		{"temporary tables", 50 * time.Millisecond, temporary},
		{"foreign keys", 20 * time.Millisecond, foreignKeys},
		{"triggers and partitions", 20 * time.Millisecond, triggered},
		{"XA", 50 * time.Millisecond, distributed},
	}
	if f.mariadb() {
		loads = append(loads, load{"sequences", 50 * time.Millisecond, sequences})
	}
	return loads
}

func everyType(t turn) error {
	insert := insertKinds
	if t.maria {
		insert = insertKindsMaria
	}
	if t.number%10 == 0 { // what a session sets changes what its rows mean
		zone := strconv.Itoa(t.random.IntN(10))
		if err := t.do("SET time_zone = '+0"+zone+":00'", "SET NAMES "+[]string{"utf8mb4", "latin1"}[t.random.IntN(2)]); err != nil {
			return err
		}
	}
	id := strconv.Itoa(t.random.IntN(t.number + 1))
	return t.do("BEGIN", insert, "INSERT INTO soak.kinds (ti, vc) VALUES (NULL, 'ä%%')", "COMMIT",
		"UPDATE soak.kinds SET d = -d, lb = REPEAT(vb, 500), j = JSON_SET(j, '$.a', RAND()), b12 = b12 + 1, dt = NOW(6), e = NULL WHERE id = "+id,
		"UPDATE soak.kinds SET id = -id WHERE id = "+id+" + 2",
		"DELETE FROM soak.kinds WHERE id = "+id+" - 5")
}

// definitions makes, changes and drops tables; some stay.
func definitions(t turn) error {
	return t.do(
		"DROP TABLE IF EXISTS soakddl.a%[1]d, soakddl.b%[1]d",
		"CREATE TABLE soakddl.a%[1]d (id INT AUTO_INCREMENT PRIMARY KEY, n INT, v VARCHAR(100) CHARACTER SET latin1)",
		"INSERT INTO soakddl.a%[1]d (n, v) VALUES (%[1]d, 'one'), (2, 'two'), (3, 'three')",
		"ALTER TABLE soakddl.a%[1]d ADD COLUMN late DECIMAL(20,5) DEFAULT 1.5 FIRST, ADD INDEX (n), MODIFY v VARCHAR(200) CHARACTER SET utf8mb4",
		"INSERT INTO soakddl.a%[1]d (late, n, v) SELECT late + 1, n, CONCAT(v, '€') FROM soakddl.a%[1]d",
		"CREATE TABLE soakddl.b%[1]d LIKE soakddl.a%[1]d", "INSERT INTO soakddl.b%[1]d SELECT * FROM soakddl.a%[1]d",
		"CREATE TABLE soakddl.c%[1]d AS SELECT id, n, UUID() AS u FROM soakddl.a%[1]d",
		"TRUNCATE soakddl.b%[1]d", "ALTER TABLE soakddl.b%[1]d DROP COLUMN v, RENAME INDEX n TO m",
		"RENAME TABLE soakddl.a%[1]d TO soakddl.d%[1]d, soakddl.b%[1]d TO soakddl.a%[1]d",
		"CREATE OR REPLACE VIEW soakddl.seen AS SELECT id, n + %[1]d AS n FROM soakddl.d%[1]d",
		"DROP TABLE soakddl.c%[1]d", "OPTIMIZE TABLE soakddl.a%[1]d",
		"CREATE DATABASE soakddl%[1]d", "CREATE TABLE soakddl%[1]d.t (id INT PRIMARY KEY) ENGINE=MyISAM",
		"INSERT INTO soakddl%[1]d.t VALUES (1), (2)", keepSome(t.number, "DROP DATABASE soakddl%[1]d"),
		keepSome(t.number, "DROP TABLE soakddl.a%[1]d"))
}

// keepSome lets every tenth object stay.
func keepSome(number int, drop string) string {
	if number%10 == 0 {
		return "DO 0"
	}
	return drop
}

func accounts(t turn) error {
	return t.do(
		"CREATE USER 'soak%[1]d'@'%%' IDENTIFIED BY 'secret %[1]d'", "GRANT SELECT, INSERT ON soak.* TO 'soak%[1]d'@'%%' WITH GRANT OPTION",
		"GRANT UPDATE (n) ON soak.plain TO 'soak%[1]d'@'%%'", "CREATE ROLE soakrole%[1]d", "GRANT SELECT ON soakddl.* TO soakrole%[1]d",
		"GRANT soakrole%[1]d TO 'soak%[1]d'@'%%'", "REVOKE INSERT ON soak.* FROM 'soak%[1]d'@'%%'",
		"ALTER USER 'soak%[1]d'@'%%' IDENTIFIED BY 'another %[1]d'", "RENAME USER 'soak%[1]d'@'%%' TO 'soakr%[1]d'@'10.%%'",
		keepSome(t.number, "DROP USER 'soakr%[1]d'@'10.%%'"), keepSome(t.number, "DROP ROLE soakrole%[1]d"))
}

func programs(t turn) error {
	return t.do("USE soakddl",
		"DROP FUNCTION IF EXISTS plus", "CREATE FUNCTION plus(a INT) RETURNS INT DETERMINISTIC RETURN a + %[1]d",
		"CREATE PROCEDURE write%[1]d(n INT) BEGIN INSERT INTO soak.plain (n, v) VALUES (n, 'called'); UPDATE soak.plain SET v = 'again' WHERE v = 'called' LIMIT 3; END",
		"CALL write%[1]d(%[1]d)", keepSome(t.number, "DROP PROCEDURE write%[1]d"),
		"CREATE TRIGGER soak.t%[1]d BEFORE INSERT ON soak.calm FOR EACH ROW SET NEW.n = NEW.n + 1",
		"INSERT INTO soak.calm (n) VALUES (%[1]d), (plus(1))", "DROP TRIGGER soak.t%[1]d",
		"CREATE EVENT later%[1]d ON SCHEDULE AT NOW() + INTERVAL 1 DAY DO INSERT INTO soak.plain (n) VALUES (1)",
		"ALTER EVENT later%[1]d COMMENT 'changed'", keepSome(t.number, "DROP EVENT later%[1]d"))
}
