//go:build soak

package acceptance

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-sql-driver/mysql"
)

// largeRow is a row's size, in bytes.
const largeRow = 40 << 20

// largeRows writes rows of 40 MB, as a parameter and as a text, changes and
// deletes them.
func largeRows(t turn) error {
	content := make([]byte, largeRow)
	for i := range content {
		content[i] = "abcdefghijklmnop"[t.random.Uint32()>>28]
	}
	if _, err := t.conn.ExecContext(t.ctx, "INSERT INTO soak.large VALUES (?, ?)", t.number, content); err != nil {
		return fmt.Errorf("insert as a parameter: %w", err)
	}
	return t.do("INSERT INTO soak.large VALUES (-%[1]d - 1, '"+string(content)+"')",
		"UPDATE soak.large SET b = CONCAT('x', b) WHERE id = %[1]d", "DELETE FROM soak.large WHERE ABS(id) <= %[1]d - 1")
}

// manyRows makes transactions of 100,000 rows, in a short soak of 10,000.
func manyRows(t turn) error {
	digits := "soak.digits a, soak.digits b, soak.digits c, soak.digits d"
	if t.long {
		digits += ", soak.digits e"
	}
	return t.do("BEGIN", "INSERT INTO soak.bulk (n, v) SELECT %[1]d, REPEAT(a.d, 20) FROM "+digits, "COMMIT",
		"UPDATE soak.bulk SET v = CONCAT(n, 'changed') WHERE n = %[1]d", "BEGIN", "DELETE FROM soak.bulk WHERE n < %[1]d - 1", "COMMIT")
}

// compressed has the master compress its binary log: for the session, or on
// MariaDB, where only all can, for everybody.
func compressed(t turn) error {
	on := []string{"ON", "OFF"}[t.number/20%2]
	set := "SET SESSION binlog_transaction_compression = " + on
	if t.maria {
		set = "SET GLOBAL log_bin_compress = " + on
	}
	return t.do(set, "BEGIN", "INSERT INTO soak.plain (n, v) VALUES (%[1]d, REPEAT('long and dull ', 15))",
		"INSERT INTO soak.plain (n, v) SELECT n, v FROM soak.plain ORDER BY id DESC LIMIT 20",
		"UPDATE soak.plain SET n = n + 1 WHERE n = %[1]d", "COMMIT", "DELETE FROM soak.plain WHERE n < %[1]d - 100 LIMIT 50")
}

func temporary(t turn) error {
	// After a deadlock it is still there.
	return t.do("DROP TEMPORARY TABLE IF EXISTS soak.tmp", "CREATE TEMPORARY TABLE soak.tmp (id INT PRIMARY KEY, v VARCHAR(50))", "INSERT INTO soak.tmp VALUES (1, 'a'), (2, 'b'), (%[1]d + 3, UUID())",
		"ALTER TABLE soak.tmp ADD COLUMN n INT", "BEGIN", "UPDATE soak.tmp SET n = id", "INSERT INTO soak.plain (n, v) SELECT n, v FROM soak.tmp", "COMMIT",
		"BEGIN", "INSERT INTO soak.plain (n) VALUES (1)", "INSERT INTO soak.tmp (id) VALUES (-1)", "ROLLBACK",
		"DROP TEMPORARY TABLE soak.tmp")
}

func foreignKeys(t turn) error {
	return t.do("INSERT INTO soak.parent VALUES (%[1]d, 1)", "INSERT INTO soak.child (parent, v) VALUES (%[1]d, 'a'), (%[1]d, 'b'), (NULL, 'c')",
		"UPDATE soak.parent SET id = -id - 1 WHERE id = %[1]d AND %[1]d %% 3 = 0", "DELETE FROM soak.parent WHERE id < %[1]d - 20 AND id >= 0",
		"BEGIN", "INSERT INTO soak.child (parent, v) SELECT id, 'd' FROM soak.parent LIMIT 3", "SAVEPOINT s", "DELETE FROM soak.parent", "ROLLBACK TO s", "COMMIT")
}

// triggered writes what triggers copy elsewhere, into partitions that come and go.
func triggered(t turn) error {
	if t.number%50 == 49 {
		if err := t.do("ALTER TABLE soak.parts TRUNCATE PARTITION p0", "ALTER TABLE soak.parts REORGANIZE PARTITION p1 INTO (PARTITION p1 VALUES LESS THAN (%[1]d + 60))"); err != nil {
			return err
		}
	}
	return t.do("INSERT INTO soak.watched (n, v) VALUES (%[1]d, 'new'), (%[1]d, RAND())", "UPDATE soak.watched SET v = 'old' WHERE n = %[1]d - 3",
		"DELETE FROM soak.watched WHERE n = %[1]d - 30", "INSERT INTO soak.parts VALUES (%[1]d, %[1]d, UUID())", "UPDATE soak.parts SET y = y + 1 WHERE id = %[1]d",
		"REPLACE INTO soak.watched (id, n) VALUES (1, %[1]d)", "INSERT INTO soak.watched (id, n) VALUES (1, 7) ON DUPLICATE KEY UPDATE n = n + 1")
}

// distributed prepares a transaction, and commits it or not, there or, once its
// own connection is gone, on another.
func distributed(t turn) error {
	id := "'soak-" + strconv.Itoa(t.number) + "'"
	if err := t.do("XA START "+id, "INSERT INTO soak.prepared (n) VALUES (%[1]d)", "UPDATE soak.prepared SET v = v + 1 WHERE n > %[1]d - 3", "XA END "+id, "XA PREPARE "+id); err != nil {
		return err
	}
	end := "XA COMMIT " + id
	if t.number%4 == 0 {
		end = "XA ROLLBACK " + id
	}
	if t.number%2 == 0 {
		return t.do(end)
	}
	// The pool of clients forgets a connection that is said to be bad.
	if err := t.conn.Raw(func(any) error { return driver.ErrBadConn }); !errors.Is(err, driver.ErrBadConn) {
		return err
	}
	return t.elsewhere(end)
}

// elsewhere runs a statement on a connection of its own, again and again while
// the transaction still belongs to the connection that has gone.
func (t turn) elsewhere(sql string) error {
	for {
		conn, err := t.open()
		if err != nil {
			return err
		}
		_, err = conn.ExecContext(t.ctx, sql)
		conn.Close()
		if refused := (*mysql.MySQLError)(nil); !errors.As(err, &refused) || refused.Number != 1397 || t.ctx.Err() != nil {
			return err
		}
		rest(t.ctx, 20*time.Millisecond)
	}
}

func sequences(t turn) error {
	var n int
	if err := t.conn.QueryRowContext(t.ctx, "SELECT NEXTVAL(soak.numbers)").Scan(&n); err != nil {
		return fmt.Errorf("next value: %w", err)
	}
	return t.do("INSERT INTO soak.numbered (v) VALUES (%[1]d), (%[1]d)", "DO SETVAL(soak.numbers, %[1]d000)",
		"CREATE OR REPLACE SEQUENCE soak.short START WITH 1%[1]d", "DO NEXTVAL(soak.short)")
}

// soakSchema is what the loads write into.
func soakSchema(maria bool) []string {
	statements := []string{
		"CREATE DATABASE soak CHARACTER SET utf8mb4", "CREATE DATABASE soakddl CHARACTER SET latin1", kindsTable(maria),
		"CREATE TABLE soak.plain (id INT AUTO_INCREMENT PRIMARY KEY, n INT, v VARCHAR(300), KEY (n))",
		"CREATE TABLE soak.calm (id INT AUTO_INCREMENT PRIMARY KEY, n INT)",
		"CREATE TABLE soak.large (id INT PRIMARY KEY, b LONGBLOB)",
		"CREATE TABLE soak.digits (d INT PRIMARY KEY)", "INSERT INTO soak.digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)",
		"CREATE TABLE soak.bulk (id INT AUTO_INCREMENT PRIMARY KEY, n INT, v VARCHAR(60), KEY (n))",
		"CREATE TABLE soak.parent (id INT PRIMARY KEY, n INT)",
		"CREATE TABLE soak.child (id INT AUTO_INCREMENT PRIMARY KEY, parent INT, v VARCHAR(10), FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE ON UPDATE CASCADE)",
		"CREATE TABLE soak.watched (id INT AUTO_INCREMENT PRIMARY KEY, n INT, v VARCHAR(50), KEY (n))",
		"CREATE TABLE soak.seen (n INT, v VARCHAR(60), KEY (n))", // no row has a name of its own
		"CREATE TRIGGER soak.one AFTER INSERT ON soak.watched FOR EACH ROW INSERT INTO soak.seen VALUES (NEW.id, CONCAT('in ', NEW.v))",
		"CREATE TRIGGER soak.two BEFORE UPDATE ON soak.watched FOR EACH ROW SET NEW.v = CONCAT(UUID(), OLD.id)",
		"CREATE TRIGGER soak.three AFTER DELETE ON soak.watched FOR EACH ROW DELETE FROM soak.seen WHERE n = OLD.id",
		"CREATE TABLE soak.parts (id INT, y INT, v VARCHAR(50), PRIMARY KEY (id, y)) PARTITION BY RANGE (y) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (100))",
		"CREATE TABLE soak.prepared (id INT AUTO_INCREMENT PRIMARY KEY, n INT, v INT DEFAULT 0, KEY (n))",
		"CREATE TABLE soak.ticks (id INT AUTO_INCREMENT PRIMARY KEY, at TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6), who INT)",
		"CREATE EVENT soak.tick ON SCHEDULE EVERY 1 SECOND DO INSERT INTO soak.ticks (who) VALUES (@@server_id)",
	}
	if maria {
		statements = append(statements, "CREATE SEQUENCE soak.numbers CACHE 10",
			"CREATE TABLE soak.numbered (id INT DEFAULT NEXTVAL(soak.numbers) PRIMARY KEY, v INT)")
	}
	return statements
}

// kindsTable has a column of every type.
func kindsTable(maria bool) string {
	special := "VECTOR(3)"
	if maria {
		special = "UUID, ip INET6, ip4 INET4, cv VARCHAR(3000) COMPRESSED, cb BLOB COMPRESSED"
	}
	return `CREATE TABLE soak.kinds (id INT AUTO_INCREMENT PRIMARY KEY,
		ti TINYINT, si SMALLINT UNSIGNED, mi MEDIUMINT, i INT ZEROFILL, b BIGINT UNSIGNED, d DECIMAL(40,15), bo BOOL,
		f FLOAT, dbl DOUBLE, bi BIT(64), b12 BIT(12), da DATE, dt DATETIME(6), ts TIMESTAMP(6) NULL, tm TIME(3), y YEAR,
		c CHAR(40), vc VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, l1 VARCHAR(40) CHARACTER SET latin1, u16 VARCHAR(40) CHARACTER SET utf16,
		bin BINARY(5), vb VARBINARY(300), tb TINYBLOB, bl BLOB, mb MEDIUMBLOB, lb LONGBLOB, tt TINYTEXT, tx TEXT, mt MEDIUMTEXT, lt LONGTEXT,
		e ENUM('a','b','ü'), s SET('x','y','z','ü'), j JSON, g GEOMETRY, p POINT, special ` + special + `,
		made INT AS (si + 1) STORED, seen VARCHAR(60) AS (CONCAT(l1, '!')) VIRTUAL,
		now TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, KEY (vc(20)), KEY (seen))`
}

const (
	insertKinds      = insertKindsStart + ") SELECT " + kindsValues + ", TO_VECTOR('[1.5,-2,3e10]')" + insertKindsEnd
	insertKindsMaria = insertKindsStart + ", ip, ip4, cv, cb) SELECT " + kindsValues + ", UUID(), '2001:db8::1', '192.0.2.7', REPEAT(UUID(), 1 + RAND() * 50), REPEAT(UUID(), 1 + RAND() * 500)" + insertKindsEnd
	insertKindsStart = "INSERT INTO soak.kinds (ti, si, mi, i, b, d, bo, f, dbl, bi, b12, da, dt, ts, tm, y, c, vc, l1, u16, bin, vb, tb, bl, mb, lb, tt, tx, mt, lt, e, s, j, g, p, special"
	insertKindsEnd   = " FROM soak.digits WHERE d < 3"
	kindsValues      = `FLOOR(RAND() * 256) - 128, FLOOR(RAND() * 65536), FLOOR(RAND() * 16000000) - 8000000, FLOOR(RAND() * 4000000), FLOOR(RAND() * POW(2, 62)), RAND() * 1e20, RAND() > 0.5,
		RAND() * 1e30, RAND() * 1e300, FLOOR(RAND() * POW(2, 60)), FLOOR(RAND() * 4000), '2000-01-01' + INTERVAL FLOOR(RAND() * 10000) DAY, NOW(6) - INTERVAL d YEAR, NOW(6), SEC_TO_TIME(RAND() * 3000000), 1970 + FLOOR(RAND() * 80),
		UUID(), CONCAT('äöü€😀', RAND()), 'äöü', 'äöü€', LEFT(UUID(), 5), RANDOM_BYTES(1 + FLOOR(RAND() * 299)), RANDOM_BYTES(20), REPEAT(UUID(), 100), REPEAT(UUID(), FLOOR(RAND() * 2000)), REPEAT('lb', FLOOR(RAND() * 20000)),
		UUID(), REPEAT(UUID(), 30), '', 'long', 1 + FLOOR(RAND() * 3), FLOOR(RAND() * 16), JSON_OBJECT('a', RAND(), 'b', UUID(), 'ü', JSON_ARRAY(1, NULL, 2.5)),
		ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))'), ST_GeomFromText(CONCAT('POINT(', RAND(), ' ', -RAND(), ')'))`
)
