package router

import (
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/golden"
	"pgregory.net/rapid"
)

// goldenStatements are the inputs of all golden files.
func goldenStatements(tb testing.TB) []string {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		tb.Fatal("no golden files")
	}
	var all []string
	for _, name := range files {
		cases, err := golden.Load(name)
		if err != nil {
			tb.Fatal(err)
		}
		for _, c := range cases {
			for _, s := range c.Steps {
				all = append(all, s.Input)
			}
		}
	}
	return all
}

// dialectOf unpacks a byte into a dialect, for random ones.
func dialectOf(b byte) Dialect {
	return Dialect{
		Flavour: cluster.Flavour(b & 3 % 3), ANSIQuotes: b&4 != 0, NoBackslashEscapes: b&8 != 0,
		IgnoreSpace: b&16 != 0, UnsafeCharset: b&32 != 0,
	}
}

func FuzzClassify(f *testing.F) {
	for i, sql := range goldenStatements(f) {
		f.Add([]byte(sql), byte(i))
	}
	c, s := NewClassifier(64), new(Scratch)
	f.Fuzz(func(t *testing.T, sql []byte, b byte) {
		d := dialectOf(b)
		before := string(sql)
		one := c.Classify(sql, d, s)
		two := c.Classify(sql, d, new(Scratch))
		if one.Kind != two.Kind || one.Flags != two.Flags || one.Reason != two.Reason || one.Fingerprint != two.Fingerprint {
			t.Fatalf("%q: %+v and %+v", sql, one, two)
		}
		if string(sql) != before {
			t.Fatalf("%q was changed", before)
		}
		if one.Flags.Has(OnlyReads) != (one.Reason == ReasonNone) {
			t.Fatalf("%q: only-reads and %s", sql, one.Reason)
		}
		pieces, odd := twin(before, d)
		if !one.Flags.Has(OnlyReads) {
			return
		}
		if locks(pieces) && !odd {
			t.Fatalf("%q locks and is only-reads", sql)
		}
		Decide(one, Facts{Autocommit: true}, plainTopology(), nil)
	})
}

// TestTwin compares the words of the stripped text with those that the twin
// sees, for random statements.
func TestTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sql := "select " + strings.Join(rapid.SliceOf(rapid.SampledFrom(fragments)).Draw(t, "sql"), "")
		d := dialectOf(rapid.Byte().Draw(t, "dialect"))
		pieces, odd := twin(sql, d)
		if odd || refused.MatchString(sql) {
			return
		}
		var s Scratch
		s.strip([]byte(sql), d)
		text := string(s.out[prefix:])
		tokens, _ := lex(text, d)
		var fast, slow []string
		for i, x := range tokens {
			if x.kind == tokenOdd {
				t.Fatalf("%q: %q is odd", sql, s.out)
			}
			if x.kind == tokenWord || x.kind == tokenUser && userNameByte(firstByte(text[x.pos+1:])) {
				fast = append(fast, strings.Split(x.text, ".")...)
			}
			_ = i
		}
		for i, p := range pieces {
			if p.kind == "word" && !prefixes(pieces, i) {
				slow = append(slow, strings.ToLower(p.text))
			}
		}
		if f, l := distinct(fast), distinct(slow); !slices.Equal(f, l) {
			t.Fatalf("%q: %q: fast %q, slow %q", sql, s.out, f, l)
		}
	})
}

// refused matches what no server takes, and the two take differently.
var refused = regexp.MustCompile("(?i)(null|default)\\.[0-9]|@[`0-9]")

func firstByte(s string) byte {
	if s == "" {
		return 0
	}
	return s[0]
}

// prefixes reports whether the word at i is the x of x'1F'.
func prefixes(pieces []piece, i int) bool {
	return strings.Contains("xbnXBN", pieces[i].text) && len(pieces[i].text) == 1 && i+1 < len(pieces) &&
		pieces[i+1].kind == "string" && pieces[i+1].text[0] == '\'' && !pieces[i+1].space
}

// distinct sorts words and drops those that a list of literals may swallow.
func distinct(list []string) []string {
	list = slices.DeleteFunc(list, func(w string) bool {
		return w == "" || w == "null" || w == "true" || w == "false" || w == "default"
	})
	slices.Sort(list)
	return slices.Compact(list)
}

// fragments are what random statements are made of.
var fragments = []string{
	" ", "\n", "\t", "a", "b1", "for", "update", "FOR", "Share", "lock", "in", "null", "default", "x", "N", "1", "2.5", ".5", "1e5",
	"1e", "0x1F", "0x", "0b1", "1a", "'", "''", "'s'", "\"", "\"q\"", "`", "`i`", "``", "\\", "--", "-- ", "#", "/*", "*/", "/*!",
	"/*!50000", "/*M!", "(", ")", "),(", ",", ".", ";", "=", "+", "-", "*", "/", "@", "@v", "@@", ":=", ":", "<", "_utf8", "$", "get_lock(",
	"?", "!", "\x00",
}

// TestSpellingDoesNotMatter writes the golden statements otherwise: other
// blanks, comments, case and literals leave kind, flags and reason alone.
func TestSpellingDoesNotMatter(t *testing.T) {
	all := goldenStatements(t)
	rapid.Check(t, func(t *rapid.T) {
		sql := rapid.SampledFrom(all).Draw(t, "sql")
		d := Dialect{Flavour: rapid.SampledFrom(flavours).Draw(t, "flavour")}
		pieces, odd := twin(sql, d)
		if odd || strings.Contains(sql, "/*") {
			return
		}
		other := respell(pieces, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)))
		c, s := NewClassifier(8), new(Scratch)
		one, two := c.Classify([]byte(sql), d, s), c.Classify([]byte(other), d, s)
		if one.Kind != two.Kind || one.Flags != two.Flags || one.Reason != two.Reason {
			t.Fatalf("%s: %v %v %v\n%s: %v %v %v", sql, one.Kind, one.Flags, one.Reason, other, two.Kind, two.Flags, two.Reason)
		}
	})
}

// respell writes the pieces in another way.
func respell(pieces []piece, r *rand.Rand) string {
	blanks := []string{" ", "  ", "\n", "\t", " -- x FOR UPDATE\n", "/* INTO @a */", " /**/ ", "#'\n", "\r\n"}
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	var b strings.Builder
	for _, p := range pieces {
		if p.space {
			b.WriteString(pick(blanks...))
		}
		switch {
		case p.kind == "word" && r.IntN(2) == 0:
			b.WriteString(strings.ToUpper(p.text))
		case p.kind == "number" && r.IntN(2) == 0 && p.text != "0":
			// A blank behind it: digits and letters together are a name.
			b.WriteString(pick("7 ", "123456 ", "9 "))
		default:
			b.WriteString(p.text)
		}
	}
	return b.String() + pick("", " ", ";", " ;\n", " -- end")
}
