package compose

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

var users = Table{Database: "testdb", Name: "users"}

// made runs one composition by the name of its fragment.
func made(c *Composer, kind, fragment string) (Statement, error) {
	switch kind {
	case "values":
		return c.Insert(users, Insert{Values: fragment})
	case "names":
		return c.Insert(users, Insert{Columns: fragment, Values: "1"})
	case "columns":
		return c.Select(users, Select{Columns: fragment})
	case "where":
		return c.Select(users, Select{Where: Condition{SQL: fragment}})
	case "update":
		return c.Update(users, Assignments{SQL: "a = 1"}, Condition{SQL: fragment})
	case "delete":
		return c.Delete(users, Condition{SQL: fragment})
	case "order":
		return c.Select(users, Select{Order: fragment})
	case "set":
		return c.Update(users, Assignments{SQL: fragment}, Condition{SQL: "TRUE"})
	case "schema":
		return c.CreateTable(users, fragment)
	case "change":
		return c.AlterTable(users, fragment)
	}
	return Statement{}, errors.New("no such kind")
}

func TestFragments(t *testing.T) {
	const in = "`testdb`.`users`"
	for _, c := range []struct{ kind, fragment, want string }{
		{"values", `NULL, "John Doe", "john@example.com", 30`, "INSERT INTO " + in + " VALUES (NULL, 'John Doe', 'john@example.com', 30)"},
		{"values", `DEFAULT, 'it''s \\ "x"', -1.50, NOW()`, "INSERT INTO " + in + ` VALUES (DEFAULT, 'it''s \\ "x"', -1.50, NOW())`},
		{"values", `18446744073709551615, 123456789012345678901234567890.12, 0xABC, b'101', TRUE`,
			"INSERT INTO " + in + " VALUES (18446744073709551615, 123456789012345678901234567890.12, x'0abc', b'101', TRUE)"},
		{"names", "name, `e``mail`", "INSERT INTO " + in + " (`name`, `e``mail`) VALUES (1)"},
		{"columns", "Id, name AS n, users.age, COUNT(*)", "SELECT `Id`, `name` AS `n`, `users`.`age`, COUNT(1) AS `COUNT(*)` FROM " + in},
		{"where", "Id = 1", "SELECT * FROM " + in + " WHERE `Id` = 1"},
		{"where", `name LIKE "%x" AND (age > 3 OR age IS NULL)`, "SELECT * FROM " + in + " WHERE `name` LIKE '%x' AND (`age` > 3 OR `age` IS NULL)"},
		{"where", "d >= DATE '2026-01-01' + INTERVAL 1 DAY", "SELECT * FROM " + in + " WHERE `d` >= DATE_ADD(DATE '2026-01-01', INTERVAL 1 DAY)"},
		{"where", "testdb.users.age BETWEEN 1 AND 2", "SELECT * FROM " + in + " WHERE `testdb`.`users`.`age` BETWEEN 1 AND 2"},
		{"where", "name = 'a;b -- c /* d */ #'", "SELECT * FROM " + in + " WHERE `name` = 'a;b -- c /* d */ #'"},
		{"delete", "Id = 1", "DELETE FROM " + in + " WHERE `Id` = 1"},
		{"order", "age DESC, name", "SELECT * FROM " + in + " ORDER BY `age` DESC, `name`"},
		{"set", `name = "Jane Doe", age = 31`, "UPDATE " + in + " SET `name` = 'Jane Doe', `age` = 31 WHERE TRUE"},
		{"schema", "name VARCHAR(100), email VARCHAR(100), age INT",
			"CREATE TABLE " + in + " (" + implicitKey + ", `name` VARCHAR(100), `email` VARCHAR(100), `age` INT)"},
		{"schema", "k INT PRIMARY KEY, c INT CHECK (c > 0)", "CREATE TABLE " + in + " (`k` INT PRIMARY KEY, `c` INT CHECK (`c`>0))"},
		{"schema", "a INT, b DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6), PRIMARY KEY (a), UNIQUE KEY u (b), CHECK (a > 1)",
			"CREATE TABLE " + in + " (`a` INT, `b` DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6), PRIMARY KEY(`a`), UNIQUE `u`(`b`), CHECK (`a`>1))"},
		{"change", "ADD COLUMN city VARCHAR(50) NOT NULL DEFAULT '' AFTER name, DROP COLUMN age",
			"ALTER TABLE " + in + " ADD COLUMN `city` VARCHAR(50) NOT NULL DEFAULT '' AFTER `name`, DROP COLUMN `age`"},
	} {
		t.Run(c.kind+" "+c.fragment, func(t *testing.T) {
			got, err := made(new(Composer), c.kind, c.fragment)
			if err != nil {
				t.Fatal(err)
			}
			if plain(got.Text) != plain(c.want) || len(got.Args) != 0 {
				t.Errorf("got  %s %v\nwant %s", got.Text, got.Args, c.want)
			}
		})
	}
}

// plain forgets the spaces around operators.
func plain(s string) string { return strings.NewReplacer(" > ", ">", " = ", "=").Replace(s) }

func TestRefusals(t *testing.T) {
	for _, c := range []struct{ kind, fragment, want string }{
		{"values", "", "is missing"},
		{"values", "1), (2", "without its ("},
		{"values", "(SELECT password FROM mysql.user LIMIT 1)", "subquery"},
		{"values", "LOAD_FILE('/etc/passwd')", "reads files"},
		{"values", "1) ON DUPLICATE KEY UPDATE a = (1", "without its ("},
		{"where", "1; DROP TABLE users", "semicolon"},
		{"where", "1 = 1 -- x", "begins a comment"},
		{"where", "1 # x", "comment"},
		{"where", "1 /*! OR 1 */", "executable comment (/*!)"},
		{"where", "1 /*M! OR 1 */", "executable comment (/*M!)"},
		{"where", "1 /*M!100100 INTO OUTFILE 'x' */", "executable comment"},
		{"where", "1 UNION SELECT 2", "more than that"},
		{"where", "1 ORDER BY a", "goes on with something else"},
		{"where", "1 LIMIT 1", "goes on with something else"},
		{"where", "1 INTO OUTFILE '/tmp/x'", "goes on with something else"},
		{"where", "1 FOR UPDATE", "goes on with something else"},
		{"where", "1 GROUP BY a", "goes on with something else"},
		{"where", "EXISTS (SELECT 1 FROM other)", "subquery"},
		{"where", "a IN (SELECT 1)", "subquery"},
		{"where", "a = ANY (SELECT 1)", "subquery"},
		{"where", "SLEEP(9) = 0", "SLEEP, which waits"},
		{"where", "sys.ps_thread_id(1) = 0", "stored functions"},
		{"where", "mine(1) = 0", "not one of the builtin"},
		{"where", "`sleep`(1)", "SLEEP, which waits"},
		{"where", "@a := 1", "variable"},
		{"where", "@@version = 1", "variable"},
		{"where", "a = ?", "bound"},
		{"where", "other.a = 1", "names another table"},
		{"where", "mysql.users.a = 1", "names another table"},
		{"where", "a = _latin1 'x'", "string in latin1"},
		{"where", "a = 'x", "without its end"},
		{"where", "ROW_NUMBER() OVER ()", "no call takes"},
		{"where", strings.Repeat("(", 101) + "1" + strings.Repeat(")", 101), "100 deep"},
		{"where", strings.Repeat("1+", 40000) + "1", "64 KB"},
		{"where", strings.Repeat("9", 70), "65 digits"},
		{"columns", "* FROM mysql.user, users", "not understood"},
		{"columns", "a INTO OUTFILE '/tmp/x'", "not understood"},
		{"columns", "a INTO @x", "not understood"},
		{"columns", "DISTINCT a", "goes on with something else"},
		{"columns", "other.*", "names another table"},
		{"order", "a LIMIT 1", "goes on with something else"},
		{"set", "a = 1 WHERE 1", "goes on with something else"},
		{"set", "other.a = 1", "names another table"},
		{"set", "a = (SELECT 1)", "subquery"},
		{"schema", "a INT) SELECT * FROM (mysql.user", "without its ("},
		{"schema", "a INT REFERENCES other (b)", "foreign keys"},
		{"schema", "a INT, FOREIGN KEY (a) REFERENCES other (b)", "foreign keys"},
		{"schema", "Id INT", "write PRIMARY KEY"},
		{"schema", "a INT DEFAULT (SLEEP(1))", "SLEEP"},
		{"schema", "a INT CHECK (a IN (SELECT 1))", "subquery"},
		{"schema", "LIKE other", "more than that"},
		{"change", "RENAME TO other", "renames the table"},
		{"change", "EXCHANGE PARTITION p WITH TABLE other", "something else"},
		{"change", "ENGINE = MyISAM", "something else"},
		{"change", "ADD COLUMN a INT REFERENCES other (b)", "foreign keys"},
	} {
		t.Run(c.kind+" "+c.fragment[:min(40, len(c.fragment))], func(t *testing.T) {
			got, err := made(new(Composer), c.kind, c.fragment)
			var refused *Refusal
			if !errors.As(err, &refused) {
				t.Fatalf("%q, %v", got.Text, err)
			}
			if !strings.Contains(refused.Reason, c.want) {
				t.Errorf("refused with %q, want %q", refused, c.want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	c := new(Composer)
	for _, table := range []Table{{"", "t"}, {"d", ""}, {"mysql", "user"}, {"SYS", "t"}, {"d", "t "}, {"d", "t\x00"}, {"d", strings.Repeat("x", 65)}, {"d", "\xff"}} {
		if s, err := c.Select(table, Select{}); err == nil {
			t.Errorf("%q is taken: %s", table, s.Text)
		}
	}
	few, none := uint64(3), uint64(0)
	for want, in := range map[string]Select{
		"*":                                     {},
		"* LIMIT 3 OFFSET 4":                    {Limit: &few, Offset: 4},
		"* LIMIT 0":                             {Limit: &none},
		"* LIMIT 18446744073709551615 OFFSET 4": {Offset: 4},
		"COUNT(1) AS `COUNT(*)`, `a`, MAX(`b`) AS `m`, `a` + 1 AS `a + 1`": {Columns: "COUNT(*), a, max(b) m, a + 1"},
	} {
		s, err := c.Select(Table{"a`b", "c; DROP TABLE d -- `"}, in)
		columns, rest, _ := strings.Cut(want, " LIMIT")
		if rest != "" {
			rest = " LIMIT" + rest
		}
		if want = "SELECT " + columns + " FROM `a``b`.`c; DROP TABLE d -- ```" + rest; err != nil || s.Text != want {
			t.Errorf("%s, %v, want %s", s.Text, err, want)
		}
	}
}

func TestFields(t *testing.T) {
	for _, c := range []struct {
		set, where, text string
		args             []any
		refused          string
	}{
		{`{"name":"Jane","age":31,"x":null}`, `{"Id":1}`, "`age` = 31, `name` = ?, `x` = NULL WHERE `Id` = 1", []any{"Jane"}, ""},
		{`{"a":12345678901234567890.5}`, `{"b":["x",2],"a":null}`, "`a` = 12345678901234567890.5 WHERE `a` IS NULL AND `b` IN (?, 2)", []any{"x"}, ""},
		{`{"a":{"base64":"AAH/"},"j":{"k":[1]}}`, `{"a":{">":1,"<=":5},"n":{"like":"J%"}}`,
			"`a` = ?, `j` = ? WHERE `a` <= 5 AND `a` > 1 AND `n` LIKE ?", []any{[]byte{0, 1, 255}, `{"k":[1]}`, "J%"}, ""},
		{`{"a` + "`" + `b":true}`, `{"n":{"!=":null}}`, "`a``b` = TRUE WHERE `n` IS NOT NULL", nil, ""},
		{`{"a":1}`, `{"b":{"sounds like":1}}`, "", nil, "no comparison"},
		{`{"a":1}`, `{"b":{"<":null}}`, "", nil, "finds nothing"},
		{`{"a":1}`, `{"b":[]}`, "", nil, "1 to 1000"},
		{`{"a":1}`, `{}`, "", nil, "is empty"},
		{`{}`, `{"b":1}`, "", nil, "is empty"},
		{`{"a":1}`, `""`, "", nil, "is missing"},
	} {
		t.Run(c.set+c.where, func(t *testing.T) {
			var set Assignments
			var where Condition
			if err := errors.Join(json.Unmarshal([]byte(c.set), &set), json.Unmarshal([]byte(c.where), &where)); err != nil {
				t.Fatal(err)
			}
			s, err := new(Composer).Update(users, set, where)
			if c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("%s, %v", s.Text, err)
				}
				return
			}
			if want := "UPDATE `testdb`.`users` SET " + c.text; err != nil || s.Text != want || !reflect.DeepEqual(s.Args, c.args) {
				t.Errorf("%v\ngot  %s %v\nwant %s %v", err, s.Text, s.Args, want, c.args)
			}
		})
	}
}

func TestRows(t *testing.T) {
	var rows []Fields
	if err := json.Unmarshal([]byte(`[{"b":"x","a":1},{"a":2,"b":null}]`), &rows); err != nil {
		t.Fatal(err)
	}
	s, err := new(Composer).Insert(users, Insert{Rows: rows})
	if err != nil || s.Text != "INSERT INTO `testdb`.`users` (`a`, `b`) VALUES (1, ?), (2, NULL)" || !reflect.DeepEqual(s.Args, []any{"x"}) {
		t.Errorf("%s %v, %v", s.Text, s.Args, err)
	}
	if err := json.Unmarshal([]byte(`{"a":1,"b":{"a":2},"a":2}`), &rows[0]); err == nil || !strings.Contains(err.Error(), `"a" is named twice`) {
		t.Errorf("a column with two values: %v", err)
	}
	rows[1] = Fields{"a": json.RawMessage("1")}
	if _, err := new(Composer).Insert(users, Insert{Rows: rows}); err == nil {
		t.Error("rows of different columns are taken")
	}
}

func TestDatabases(t *testing.T) {
	c := new(Composer)
	if s, err := c.AlterDatabase("d", "utf8mb4", "utf8mb4_bin"); err != nil || s.Text != "ALTER DATABASE `d` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin" {
		t.Errorf("%s, %v", s.Text, err)
	}
	for _, err := range []error{
		second(c.AlterDatabase("d", "", "")), second(c.AlterDatabase("d", "utf8 READ ONLY=1", "")),
		second(c.CreateDatabase("mysql")), second(c.DropDatabase("Information_Schema")), second(c.DropDatabase("")),
	} {
		if err == nil {
			t.Error("taken")
		}
	}
}

func second(_ Statement, err error) error { return err }
