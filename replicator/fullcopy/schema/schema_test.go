package schema

import (
	"strings"
	"testing"
)

func TestWhere(t *testing.T) {
	table := &Table{Schema: "s", Name: "t", Key: []Column{{Name: "a", Type: "int"}, {Name: "b", Type: "varchar", Charset: "utf8mb4"}}}
	low := table.KeyOf(map[string]string{"k0": "1", "k1": "x'ü"})
	high := table.KeyOf(map[string]string{"k0": "9", "k1": ""})
	for _, c := range []struct {
		name string
		r    Range
		want string
	}{
		{"everything", Range{}, ""},
		{"from the beginning", Range{UpTo: high}, " WHERE (`a` < 9 OR `a` = 9 AND `b` <= _utf8mb4 X'')"},
		{"to the end", Range{After: low}, " WHERE (`a` > 1 OR `a` = 1 AND `b` > _utf8mb4 X'7827c3bc')"},
		{"between", Range{low, high}, " WHERE (`a` > 1 OR `a` = 1 AND `b` > _utf8mb4 X'7827c3bc') AND (`a` < 9 OR `a` = 9 AND `b` <= _utf8mb4 X'')"},
	} {
		if got := table.Where(c.r); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

func TestComparable(t *testing.T) {
	for _, c := range []struct {
		name, create, want string
		next               uint64
	}{
		{"none", "CREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB", "CREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB", 0},
		{"an option", "CREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB AUTO_INCREMENT=12 DEFAULT CHARSET=x", "CREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB DEFAULT CHARSET=x", 12},
		{"in comments only", "CREATE TABLE `t` (\n  `a` int COMMENT ' AUTO_INCREMENT=3'\n) ENGINE=InnoDB COMMENT='x AUTO_INCREMENT=4'", "CREATE TABLE `t` (\n  `a` int COMMENT ' AUTO_INCREMENT=3'\n) ENGINE=InnoDB COMMENT='x AUTO_INCREMENT=4'", 0},
		{"a charset that goes without saying", "CREATE TABLE `t` (\n  `a` text CHARACTER SET latin1 COLLATE latin1_bin\n) ENGINE=InnoDB", "CREATE TABLE `t` (\n  `a` text COLLATE latin1_bin\n) ENGINE=InnoDB", 0},
	} {
		table := &Table{Create: c.create}
		if got := table.Comparable(); got != c.want || table.AutoIncrement() != c.next {
			t.Errorf("%s: %q, next %d", c.name, got, table.AutoIncrement())
		}
	}
}

func TestLoadInto(t *testing.T) {
	table := &Table{Schema: "s", Name: "t", Columns: []Column{
		{Name: "id", Type: "int", Numbers: true}, {Name: "e", Type: "enum"}, {Name: "g", Type: "int", Generated: true}, {Name: "j", Type: "json"}, {Name: "b", Type: "blob"},
	}}
	if got, want := table.LoadInto("x"), "(@v0, @v1, @v2, `b`) SET `id` = @v0, `e` = CAST(@v1 AS UNSIGNED), `j` = CONVERT(@v2 USING utf8mb4)"; !strings.HasSuffix(got, want) {
		t.Errorf("%s\nwant at its end\n%s", got, want)
	}
	if got, want := table.Select(Range{}), "SELECT `id`, CAST(`e` AS UNSIGNED), `j`, `b` FROM `s`.`t`"; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	hollow := &Table{Schema: "s", Name: "t", Columns: []Column{{Name: "g", Generated: true}}}
	if got := hollow.Select(Range{}) + hollow.LoadInto("x"); !strings.HasPrefix(got, "SELECT 0 FROM") || !strings.HasSuffix(got, "(@v0)") {
		t.Error(got)
	}
}

func TestEventComparable(t *testing.T) {
	on := Definition{Kind: KindEvent, SQL: "CREATE DEFINER=`a``b`@`%` EVENT `e` ON SCHEDULE EVERY 1 DAY ON COMPLETION NOT PRESERVE ENABLE DO SET @x = 'ENABLE'"}
	off := on
	off.SQL = strings.Replace(on.SQL, "PRESERVE ENABLE", "PRESERVE DISABLE ON SLAVE", 1)
	other := on
	other.SQL = strings.Replace(on.SQL, "'ENABLE'", "'DISABLE'", 1)
	if on.Comparable() != off.Comparable() || on.Comparable() == other.Comparable() {
		t.Errorf("%q, %q, %q", on.Comparable(), off.Comparable(), other.Comparable())
	}
	if who := on.Definer(); who != "`a``b`@`%`" {
		t.Errorf("definer %q", who)
	}
}
