package router

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/bellwether-db/bellwether/cluster"
)

func TestNormalise(t *testing.T) {
	for _, c := range []struct{ sql, want string }{
		{"SELECT c FROM sbtest1 WHERE id=12345", "SELECT c FROM sbtest1 WHERE id = ?"},
		{"select  A.b ,\n c\tfrom `My Table` a -- why\nwhere x<=-5.5e3 and y IN (1, 'two', 0x3, NULL)",
			"select A.b, c from `My Table` a where x <= ? and y IN (?)"},
		{"INSERT INTO t (a,b) VALUES (1,'x'),(2,'y'),(3,NULL)", "INSERT INTO t (a, b) VALUES (?)"},
		{"INSERT INTO t VALUES (1,now()),(2,now())", "INSERT INTO t VALUES (?, now())"},
		{"VALUES ROW(1,2), ROW(3,4)", "VALUES ROW(?)"},
		{"SELECT abs(1), s(1)", "SELECT abs(?), s(?)"},
		{"SELECT count(*), t.* FROM t", "SELECT count(*), t.* FROM t"},
		{"SELECT a-1, -b, a*-2, b--1", "SELECT a - ?, - b, a * - ?, b - - ?"},
		{"SELECT @a, @@global.x, @'b c', @`d`:=1", "SELECT @a, @@global.x, @'b c', @`d` := ?"},
		{"SELECT doc->>'$.a', doc->'$.b'", "SELECT doc ->> ?, doc -> ?"},
		{"CREATE USER 'u'@'%' IDENTIFIED BY 'secret'", "CREATE USER ?@'%' IDENTIFIED BY ?"},
		{"SET PASSWORD = 'secret', x=1", "SET PASSWORD = ?, x = ?"},
		{"SELECT /* password: secret */ /*+ NO_INDEX(t) */ 1 # secret", "SELECT ?"},
		{"/* Bellwether: master */ SELECT 1", "/* bellwether: master */ SELECT ?"},
		{"/*!50100 SELECT*/ 1", "/*! SELECT */ ?"},
		{"SELECT 'a''b\\'c' 'd', \"e\", x'41', N'f', _utf8'g'", "SELECT ?, _utf8 ?"},
		{"SELECT t.5a, .5, 5., 1a FROM t.1b", "SELECT t.5a, ?, 1a FROM t.1b"},
		{"SELECT 1; UPDATE t SET a = DEFAULT WHERE b = (TRUE)", "SELECT ?; UPDATE t SET a = DEFAULT WHERE b = (?)"},
		{"SELECT 'unclosed", "SELECT ?"},
		{"SELECT `unclosed", "SELECT `unclosed`"},
		{"SELECT gr\xc3\xb6\xc3\x9fe FROM stra\xdfe", "SELECT größe FROM stra\uFFFDe"},
		{" \x00\x01", ""},
	} {
		if got := Normalise([]byte(c.sql), Dialect{Flavour: cluster.FlavourMySQL}, 1000); got != c.want {
			t.Errorf("%q:\ngot  %q\nwant %q", c.sql, got, c.want)
		}
	}
}

func TestNormaliseReadsTheDialect(t *testing.T) {
	const sql = `SELECT "a\", b, "c"`
	for _, c := range []struct {
		dialect Dialect
		want    string
	}{
		{Dialect{}, `SELECT ? c ?`},
		{Dialect{ANSIQuotes: true}, `SELECT "a\", b, "c"`},
		{Dialect{NoBackslashEscapes: true}, `SELECT ?, b, ?`},
	} {
		if got := Normalise([]byte(sql), c.dialect, 1000); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.dialect, got, c.want)
		}
	}
}

func TestNormaliseIsBounded(t *testing.T) {
	sql := "SELECT " + strings.Repeat("größe + ", 1000)
	got := Normalise([]byte(sql), Dialect{}, 101)
	if len(got) > 104 || !utf8.ValidString(got) || !strings.HasSuffix(got, "...") {
		t.Errorf("got %d bytes: %q", len(got), got)
	}
	rows := "INSERT INTO t VALUES " + strings.Repeat("(1, 'a', now()), ", 100_000) + "(1, 'a', now())"
	if got := Normalise([]byte(rows), Dialect{}, 100); got != "INSERT INTO t VALUES (?, now())" {
		t.Errorf("many rows: %q", got)
	}
}

// FuzzNormalise wants no panic, valid text without a literal, and what is normal
// left as it is.
func FuzzNormalise(f *testing.F) {
	for _, seed := range []string{
		"SELECT c FROM t WHERE id = -1 -- x", "a . 5b) . 5b", "@'a' @ 'b' @@c", "/*!50100 a*/ */ /* bellwether: node=a */", "`a``", `"a\"`, `\N \ N`,
		"f((1),(1)),f((2),(2))", "- - - 1", "x'4' n 'a'", "1.e5.5..6", "->>-->", "(\x00,\xff)", "'a\\",
	} {
		f.Add([]byte(seed), byte(0))
		f.Add([]byte(seed), byte(3))
	}
	f.Fuzz(func(t *testing.T, sql []byte, flags byte) {
		d := Dialect{Flavour: cluster.FlavourMySQL, ANSIQuotes: flags&1 != 0, NoBackslashEscapes: flags&2 != 0}
		once := Normalise(sql, d, 1<<20)
		if !utf8.ValidString(once) {
			t.Fatalf("%q: %q is no valid text", sql, once)
		}
		if twice := Normalise([]byte(once), d, 1<<20); twice != once {
			t.Fatalf("%q:\nonce  %q\ntwice %q", sql, once, twice)
		}
	})
}
