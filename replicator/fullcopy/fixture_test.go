package fullcopy

import "strings"

// fixture makes one of everything on the master, one statement an entry.
func fixture(maria bool) []string {
	out := append([]string{}, common...)
	if maria {
		return append(append(out, mariaOnly...), objects...)
	}
	return append(append(out, mysqlOnly...), objects...)
}

var common = []string{
	"SET NAMES utf8mb4",
	"SET SESSION sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO', time_zone = '+02:00'",
	"CREATE DATABASE shop CHARACTER SET latin1 COLLATE latin1_german1_ci",
	"CREATE DATABASE `odd ``name``; --` CHARACTER SET utf8mb4",
	"CREATE DATABASE hollow",
	`CREATE TABLE shop.kinds (
		id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
		ti TINYINT, si SMALLINT UNSIGNED, mi MEDIUMINT ZEROFILL, i INT, b BIGINT UNSIGNED, d DECIMAL(65,30), bo BOOL,
		f FLOAT, do DOUBLE, bi BIT(64), b1 BIT(1), b12 BIT(12),
		da DATE, dt DATETIME(6), ts TIMESTAMP(6) NULL, tm TIME(3), y YEAR,
		c CHAR(10), vc VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, l1 VARCHAR(20) CHARACTER SET latin1, u16 VARCHAR(20) CHARACTER SET utf16, sj VARCHAR(20) CHARACTER SET sjis,
		bin BINARY(5), vb VARBINARY(300), tb TINYBLOB, bl BLOB, mb MEDIUMBLOB, lb LONGBLOB, tt TINYTEXT, tx TEXT CHARACTER SET utf8mb4, mt MEDIUMTEXT, lt LONGTEXT,
		e ENUM('a','1','2','ä'), s SET('x','y','z','ü'), j JSON, g GEOMETRY, p POINT,
		made INT AS (i + 1) STORED, seen VARCHAR(20) AS (CONCAT(c, '!')) VIRTUAL,
		now TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, dflt INT DEFAULT (1 + 2), def2 VARCHAR(20) DEFAULT 'it''s "ä"' COMMENT 'a comment; with \'quotes\' AUTO_INCREMENT=7',
		KEY (vc(20)), UNIQUE (l1)) ENGINE=InnoDB CHARSET=utf8mb4 COMMENT=') AUTO_INCREMENT=9 ü'`,
	"INSERT INTO shop.kinds (id) VALUES (0)",
	`INSERT INTO shop.kinds (ti, si, mi, i, b, d, bo, f, do, bi, b1, b12, da, dt, ts, tm, y, c, vc, l1, u16, sj, bin, vb, tb, bl, mb, lb, tt, tx, mt, lt, e, s, j, g, p, dflt)
		VALUES (-128, 65535, 7, -2147483648, 18446744073709551615, 12345678901234567890123456789012345.123456789012345678901234567890, 1,
		3.40282e38, 1.7976931348623157e308, b'1111111111111111111111111111111111111111111111111111111111111111', b'1', b'101',
		'0000-00-00', '2024-02-31 23:59:59.999999', '2038-01-19 03:14:07.000001', '-838:59:59', 2155,
		'a  ', 'tab\tline\nreturn\rback\\slash\0nul ''quote'' 😀', 'äöü', 'ünï', _utf8mb4 X'E38182', X'0001FF', X'00090A5C4E', '\\N', REPEAT(X'00FF5C0A09', 1000), REPEAT('x', 70000), '', 'NULL', '\\N', '\\', '\t',
		'1', 'x,z,ü', '{"a": [1, 2.5, "x\\ny", null], "ü": "😀", "big": 12345678901234567890}', ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))', 4326), ST_GeomFromText('POINT(1.5 -2.25)'), NULL)`,
	"INSERT INTO shop.kinds (f, do, e, s, da, dt, tm, y, c, vc, vb) VALUES (1.1, 0.1, 'zzz', '', '2020-00-00', '0000-00-00 00:00:00', '00:00:00.001', 0, '', '', ''), (16777217, -0e0, 4, 9, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (0.333333333, 1/3, 2, 15, '9999-12-31', '1000-01-01', '12:00', 1999, 'ß', 'ß', ' ')",
	"CREATE TABLE shop.lone (c VARCHAR(10) NOT NULL) ENGINE=InnoDB",
	"INSERT INTO shop.lone VALUES (''), (''), ('x'), ('x'), ('\\\\N')",
	"CREATE TABLE shop.computed (a INT AS (5) STORED)",
	"INSERT INTO shop.computed () VALUES (), ()",
	"CREATE TABLE `odd ``name``; --`.`t ``q`` ü` (`a b` INT, `c``d` VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci, v INT, PRIMARY KEY (`c``d`, `a b`))",
	"INSERT INTO `odd ``name``; --`.`t ``q`` ü` VALUES (1, 'a', 1), (2, 'A', 2), (3, 'ä ', 3), (1, '😀\n', 4), (9, '', 5)",
	"CREATE TABLE shop.pairs (a ENUM('z','y','x') NOT NULL, b DATETIME(3) NOT NULL, c VARBINARY(20) NOT NULL, d DECIMAL(10,3) NOT NULL, v INT, PRIMARY KEY (a, b, c, d))",
	"INSERT INTO shop.pairs SELECT 1 + n % 3, '2020-01-01' + INTERVAL n % 17 SECOND, CHAR(n % 200), n / 7, n FROM (SELECT @n := @n + 1 AS n FROM information_schema.COLUMNS, (SELECT @n := 0) AS z LIMIT 700) AS x",
	"CREATE TABLE shop.big (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, v VARCHAR(200), n INT, KEY (n)) AUTO_INCREMENT=100",
	"INSERT INTO shop.big (v, n) SELECT REPEAT('v', 150), 1 FROM information_schema.COLUMNS LIMIT 1200",
	"INSERT INTO shop.big (v, n) SELECT v, 2 FROM shop.big",
	"INSERT INTO shop.big (v, n) SELECT v, 3 FROM shop.big",
	"CREATE TABLE shop.myi (id INT PRIMARY KEY, t TEXT) ENGINE=MyISAM",
	"INSERT INTO shop.myi VALUES (1, 'one'), (2, NULL)",
	"CREATE TABLE shop.parent (id INT PRIMARY KEY, other INT, CHECK (other <> 13))",
	"CREATE TABLE shop.child (id INT PRIMARY KEY, pid INT, FOREIGN KEY (pid) REFERENCES parent (id) ON DELETE CASCADE)",
	"ALTER TABLE shop.parent ADD CONSTRAINT back FOREIGN KEY (other) REFERENCES child (id)",
	"INSERT INTO shop.parent VALUES (1, NULL), (2, NULL)",
	"INSERT INTO shop.child VALUES (1, 1), (2, 2)",
	"UPDATE shop.parent SET other = 2 WHERE id = 1",
	"CREATE TABLE shop.parts (id INT, y INT, v VARCHAR(10), PRIMARY KEY (y, id)) PARTITION BY RANGE (y) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE)",
	"INSERT INTO shop.parts VALUES (1, 1, 'a'), (2, 100, 'b')",
	"CREATE TABLE shop.huge (id INT PRIMARY KEY, b LONGBLOB)",
	"INSERT INTO shop.huge VALUES (1, REPEAT(X'00FF0A5C', 5000000)), (2, NULL)",
	"CREATE TABLE shop.log (at INT, what VARCHAR(50))",
}

var mysqlOnly = []string{
	"CREATE TABLE shop.geo (id INT PRIMARY KEY, p POINT NOT NULL SRID 4326, v VECTOR(3), inv INT DEFAULT 5 INVISIBLE, SPATIAL KEY (p), KEY ((inv + 1)))",
	"INSERT INTO shop.geo (id, p, v, inv) VALUES (1, ST_SRID(POINT(10, 20), 4326), TO_VECTOR('[1.5,-2,3e10]'), 6)",
	"SET SESSION sql_generate_invisible_primary_key = ON",
	"CREATE TABLE shop.gipk (v INT)",
	"INSERT INTO shop.gipk VALUES (1), (1), (2)",
	"SET SESSION sql_generate_invisible_primary_key = OFF",
	"CREATE TABLE shop.arr (id INT PRIMARY KEY, j JSON, KEY ((CAST(j->'$.a' AS UNSIGNED ARRAY))))",
	"INSERT INTO shop.arr VALUES (1, '{\"a\": [1,2,3]}')",
	"CREATE ROLE reader, 'writer'@'%'",
	"CREATE USER 'al`ice'@'10.%' IDENTIFIED BY 'pässword' DEFAULT ROLE reader REQUIRE SSL PASSWORD EXPIRE INTERVAL 90 DAY COMMENT 'hello'",
	"GRANT SELECT ON shop.* TO reader", "GRANT reader TO 'al`ice'@'10.%' WITH ADMIN OPTION",
	"GRANT SELECT (id), UPDATE (v) ON shop.big TO 'al`ice'@'10.%'", "GRANT BACKUP_ADMIN ON *.* TO 'writer'@'%'",
}

var mariaOnly = []string{
	"CREATE TABLE shop.nets (u UUID PRIMARY KEY, a INET6, b INET4)",
	"INSERT INTO shop.nets VALUES (UUID(), '::ffff:1.2.3.44', '255.1.2.3'), (UUID(), '2001:db8::1', NULL), ('00000000-0000-0000-0000-000000000000', NULL, '0.0.0.0')",
	"CREATE SEQUENCE shop.seq START WITH 100 INCREMENT BY 7 CYCLE MAXVALUE 5000",
	"DO NEXTVAL(shop.seq)",
	"CREATE TABLE shop.numbered (id INT DEFAULT NEXTVAL(shop.seq) PRIMARY KEY, v INT, hidden INT DEFAULT 3 INVISIBLE)",
	"INSERT INTO shop.numbered (v) VALUES (1), (2)",
	"CREATE TABLE shop.history (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING",
	"INSERT INTO shop.history VALUES (1, 1), (2, 2)", "UPDATE shop.history SET v = 3 WHERE id = 1", "DELETE FROM shop.history WHERE id = 2",
	"CREATE TABLE shop.history2 (id INT PRIMARY KEY, v INT, a TIMESTAMP(6) GENERATED ALWAYS AS ROW START, z TIMESTAMP(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (a, z)) WITH SYSTEM VERSIONING",
	"INSERT INTO shop.history2 (id, v) VALUES (1, 1)", "UPDATE shop.history2 SET v = 3 WHERE id = 1",
	"CREATE TABLE shop.squeezed (id INT PRIMARY KEY, t TEXT COMPRESSED)", "INSERT INTO shop.squeezed VALUES (1, REPEAT('z', 10000))",
	"CREATE ROLE reader",
	"CREATE USER 'al`ice'@'10.%' IDENTIFIED BY 'pässword' REQUIRE SSL", "GRANT SELECT ON shop.* TO reader", "GRANT reader TO 'al`ice'@'10.%' WITH ADMIN OPTION",
	"SET DEFAULT ROLE reader FOR 'al`ice'@'10.%'", "GRANT SELECT (id), UPDATE (v) ON shop.big TO 'al`ice'@'10.%'",
	"SET SESSION sql_mode = 'ORACLE'",
	"CREATE PACKAGE shop.pack AS FUNCTION one RETURN INT; END",
	"CREATE PACKAGE BODY shop.pack AS FUNCTION one RETURN INT AS BEGIN RETURN 1; END; END",
	"SET SESSION sql_mode = ''",
}

var objects = []string{
	"USE shop",
	"CREATE FUNCTION plus(a INT) RETURNS INT DETERMINISTIC COMMENT 'ä' RETURN a + 1",
	"SET SESSION sql_mode = 'PIPES_AS_CONCAT,ANSI_QUOTES'", "SET NAMES latin1",
	"CREATE DEFINER='al`ice'@'10.%' PROCEDURE shop.say(IN x VARCHAR(10), OUT y TEXT) SQL SECURITY INVOKER BEGIN SET y = x || '" + "\xe4" + "'; END",
	"SET SESSION sql_mode = ''", "SET NAMES utf8mb4",
	"CREATE VIEW zebra AS SELECT id, plus(n) AS p, 'ü' AS u FROM big",
	"CREATE ALGORITHM=MERGE DEFINER='al`ice'@'10.%' SQL SECURITY INVOKER VIEW apple AS SELECT id FROM zebra WHERE id < 200 WITH CASCADED CHECK OPTION",
	"CREATE VIEW middle AS SELECT a.id FROM apple a JOIN zebra z USING (id)",
	"CREATE VIEW `odd ``name``; --`.far AS SELECT * FROM shop.middle",
	"CREATE TABLE gone (id INT)", "CREATE VIEW broken AS SELECT id FROM gone", "DROP TABLE gone",
	"CREATE TRIGGER second BEFORE INSERT ON big FOR EACH ROW SET NEW.n = NEW.n * 2",
	"SET SESSION sql_mode = 'ANSI_QUOTES'",
	"CREATE TRIGGER first BEFORE INSERT ON big FOR EACH ROW PRECEDES second SET NEW.n = NEW.n + 1",
	"SET SESSION sql_mode = ''",
	"CREATE TRIGGER noted AFTER DELETE ON big FOR EACH ROW INSERT INTO log VALUES (OLD.id, 'ü')",
	"SET SESSION time_zone = 'SYSTEM'",
	"CREATE EVENT tick ON SCHEDULE EVERY 1 SECOND STARTS '2020-01-01 00:00:00' COMMENT 'ON COMPLETION PRESERVE ENABLE' DO INSERT INTO shop.log VALUES (1, 'tick')",
	"CREATE DEFINER='al`ice'@'10.%' EVENT off ON SCHEDULE EVERY 1 DAY DISABLE DO SET @x = 1",
	"SET SESSION time_zone = '+00:00'",
}

// junk is what the target has before.
var junk = strings.Split("CREATE DATABASE old;CREATE TABLE old.t (id INT);CREATE DATABASE shop;CREATE TABLE shop.big (id INT PRIMARY KEY);CREATE TABLE shop.extra (id INT);CREATE VIEW shop.zebra AS SELECT 1;CREATE USER ghost", ";")
