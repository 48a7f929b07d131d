package router

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

var mysql = Dialect{Flavour: cluster.FlavourMySQL}

func TestHitAllocatesNothing(t *testing.T) {
	c, s, topology := NewClassifier(64), new(Scratch), plainTopology()
	topology.Catalogue.Unsafe = map[string]struct{}{"v": {}}
	sql := []byte("SELECT c FROM sbtest1 WHERE id IN (1, 2, 'x') AND k = 12345")
	hint := []byte("SELECT /* bellwether: slave */ a FROM t")
	write := []byte("INSERT INTO t VALUES (1, 'a', NULL), (2, 'b', NULL)")
	for _, text := range [][]byte{sql, hint, write} {
		n := testing.AllocsPerRun(100, func() {
			Decide(c.Classify(text, mysql, s), Facts{Autocommit: true}, topology, nil)
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

func TestListsOfAnyLengthAreOneShape(t *testing.T) {
	c, s := NewClassifier(64), new(Scratch)
	shapes := map[string]func(n int) string{
		"in list":     func(n int) string { return "SELECT a FROM t WHERE b IN (" + repeat("1", n) + ")" },
		"negative":    func(n int) string { return "SELECT a FROM t WHERE b IN (" + repeat("-1", n) + ")" },
		"strings":     func(n int) string { return "SELECT a FROM t WHERE b IN (" + repeat("'x'", n) + ")" },
		"params":      func(n int) string { return "SELECT a FROM t WHERE b IN (" + repeat("?", n) + ")" },
		"rows":        func(n int) string { return "INSERT INTO t (a, b, c) VALUES " + repeat("(1, 'x', NULL)", n) },
		"row of call": func(n int) string { return "INSERT INTO t VALUES " + repeat("(1, NOW(), x + 1)", n) },
		"pairs":       func(n int) string { return "SELECT a FROM t WHERE (b, c) IN (" + repeat("(1, 'x')", n) + ")" },
		"nulls": func(n int) string {
			return "INSERT INTO t VALUES " + repeat("(NULL, TRUE), (DEFAULT, 5)", n)
		},
		"row constructor": func(n int) string { return "VALUES " + repeat("ROW(1, 2)", n) },
	}
	for name, shape := range shapes {
		one := c.Classify([]byte(shape(1)), mysql, s)
		for _, n := range []int{2, 3, 1000} {
			if other := c.Classify([]byte(shape(n)), mysql, s); other.Fingerprint != one.Fingerprint {
				t.Errorf("%s of %d: %.200s, want %s", name, n, other.Fingerprint, one.Fingerprint)
			}
		}
	}
}

func repeat(item string, n int) string {
	return strings.TrimSuffix(strings.Repeat(item+", ", n), ", ")
}

func TestDialectIsPartOfTheKey(t *testing.T) {
	c, s := NewClassifier(64), new(Scratch)
	sql := []byte(`SELECT "a\" FROM t FOR UPDATE -- "`)
	plain := c.Classify(sql, mysql, s)
	ansi := c.Classify(sql, Dialect{Flavour: cluster.FlavourMySQL, ANSIQuotes: true}, s)
	if !plain.Flags.Has(OnlyReads) || ansi.Flags.Has(OnlyReads) {
		t.Errorf("plain %v, ansi %v", plain.Flags, ansi.Flags)
	}
}

func TestCacheIsBounded(t *testing.T) {
	c, s := NewClassifier(16), new(Scratch)
	hot := []byte("SELECT hot FROM t")
	for i := range 1000 {
		c.Classify(fmt.Appendf(nil, "SELECT c%d FROM t", i), mysql, s)
		first := c.Classify(hot, mysql, s)
		if !first.Flags.Has(OnlyReads) {
			t.Fatal("a plain read is none")
		}
	}
	filled := 0
	for i := range c.slots {
		if c.slots[i].Load() != nil {
			filled++
		}
	}
	if filled > 16 || filled < 8 {
		t.Errorf("%d slots are filled", filled)
	}
	first := c.Classify(hot, mysql, s)
	if second := c.Classify(hot, mysql, s); first != second {
		t.Error("a hot statement is not remembered")
	}
}

func TestSecretsAreNotRemembered(t *testing.T) {
	c, s := NewClassifier(16), new(Scratch)
	for _, sql := range []string{
		"SET PASSWORD = 'secret'", "SET @a = 'secret'", "SELECT GET_LOCK('secret', 1)", "KILL 777",
		"CREATE USER u IDENTIFIED BY 'secret'", "SET @a = X'secret'",
	} {
		if f := c.Classify([]byte(sql), mysql, s).Fingerprint; strings.Contains(f, "secret") || strings.Contains(f, "777") {
			t.Errorf("%s: fingerprint %s", sql, f)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	c := NewClassifier(32)
	topology := plainTopology()
	var workers sync.WaitGroup
	for w := range 8 {
		workers.Go(func() {
			s := new(Scratch)
			for i := range 2000 {
				table := (i*7 + w) % 100
				read := c.Classify(fmt.Appendf(nil, "SELECT a FROM t%d WHERE b = %d", table, i), mysql, s)
				if want := fmt.Sprintf("select a from t%d where b=?", table); read.Fingerprint != want {
					t.Errorf("got %s, want %s", read.Fingerprint, want)
				}
				if d := Decide(read, Facts{Autocommit: true}, topology, nil); d.Target != TargetSlave {
					t.Errorf("a read goes to %v", d)
				}
			}
		})
	}
	workers.Wait()
}

func TestVerdictFollowsTheCatalogue(t *testing.T) {
	s := NewClassifier(8).Classify([]byte("SELECT * FROM v"), mysql, new(Scratch))
	for version := range uint64(6) {
		c := &cluster.Catalogue{Version: version, Known: true, Unsafe: map[string]struct{}{}}
		want := ReasonNone
		if version%2 == 1 {
			c.Unsafe["v"] = struct{}{}
			want = ReasonStoredFunction
		}
		for range 2 {
			if got := s.Certain(c, nil); got != want {
				t.Errorf("version %d: %s, want %s", version, got, want)
			}
		}
	}
}

// TestLongStatementsTakeLinearTime compares a pattern with the same pattern
// eight times as long. The square would take 64 times as long; what the machine
// does beside it may disturb a measurement or two, hardly all of them.
func TestLongStatementsTakeLinearTime(t *testing.T) {
	const short, long, most, attempts = 8 << 10, 64 << 10, 32, 5
	patterns := []string{
		"(", "((a),", "f(", "f(a,", "'", "'\\", "`", "``", "\\", "-", "--", "-- \n", "#", "/*", "/**/", "/*!", "*/", "a.", "1,", "(1),", "(1,a),",
		"(f(1),a),", ";", "select 1;", "set @a=1;", "@a", "@@", "?", "-1,", "\"", "x'", "é", "1e", "set statement a=1 for ",
		"begin ", "for update ", "/* bellwether: a */", "w(a) as (", "get_lock('", "a b ", "`a`", ".", ".5", "a(", "a)", ",",
	}
	for _, start := range []string{"SELECT ", "SET a=", "INSERT INTO t VALUES ", "CREATE PROCEDURE p ", ""} {
		for _, p := range patterns {
			for attempt := 1; ; attempt++ {
				few := max(timeToClassify(t, start, p, short), time.Millisecond)
				many := timeToClassify(t, start, p, long)
				if many <= most*few {
					break
				}
				if attempt == attempts {
					t.Errorf("%s%s...: %v of processor time for %d bytes, %v for %d", start, p, few, short, many, long)
					break
				}
			}
		}
	}
}

// timeToClassify gives the processor time of classifying start and then pattern
// again and again, to size bytes, and fails where more than a session's share is kept.
func timeToClassify(t *testing.T, start, pattern string, size int) time.Duration {
	t.Helper()
	sql := append([]byte(start), bytes.Repeat([]byte(pattern), size/len(pattern))...)
	s := new(Scratch)
	before := processor()
	NewClassifier(8).Classify(sql, mysql, s)
	took := processor() - before
	if cap(s.out) > maxRetained {
		t.Errorf("%s%s...: %d bytes are kept", start, pattern, cap(s.out))
	}
	return took
}

// TestLentVariables: what SET STATEMENT sets is named apart from what SET sets.
func TestLentVariables(t *testing.T) {
	c := NewClassifier(16)
	sql := "SET STATEMENT Time_Zone = IF(1, '+01:00', ''), sort_buffer_size=5 FOR SET @a = 1, autocommit = 1"
	s := c.Classify([]byte(sql), Dialect{Flavour: cluster.FlavourMariaDB}, &Scratch{})
	if got := fmt.Sprint(s.Lent, s.Variables); got != "[time_zone sort_buffer_size] [autocommit]" {
		t.Errorf("%s: %s", sql, got)
	}
}
