package downstream

import "strings"

// tokenKind is what a token of a question is. The zero value is the end.
type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenWord
	tokenNumber
	tokenString
	tokenUserVariable   // text is the name, lower case
	tokenSystemVariable // text is the name without its scope, lower case
	tokenSymbol         // one character
)

// String names the kind.
func (k tokenKind) String() string {
	return [...]string{"end", "word", "number", "string", "user variable", "system variable", "symbol"}[min(k, tokenSymbol)]
}

// token is one word of a question. It is a value.
type token struct {
	kind       tokenKind
	text       string // words and names in lower case
	global     bool   // of a system variable: @@global.
	begin, end int    // where it stands in the question
}

func (t token) is(kind tokenKind, text string) bool { return t.kind == kind && t.text == text }

// lexer takes a question apart. It knows as much of SQL as slaves speak.
type lexer struct {
	text string
	at   int
}

// next returns the next token; what cannot be understood is a symbol.
func (l *lexer) next() token {
	l.skipSpace()
	t := token{begin: l.at}
	if l.at >= len(l.text) {
		t.end = l.at
		return t
	}
	switch c := l.text[l.at]; {
	case strings.HasPrefix(l.text[l.at:], "@@"):
		l.at += 2
		t.kind = tokenSystemVariable
		t.text, t.global = l.scoped()
	case c == '@':
		l.at++
		t.kind, t.text = tokenUserVariable, l.name()
	case c == '\'' || c == '"':
		t.kind, t.text = tokenString, l.quoted(c)
	case c == '`':
		t.kind, t.text = tokenWord, strings.ToLower(l.quoted(c))
	case '0' <= c && c <= '9':
		t.kind, t.text = tokenNumber, l.word()
	case wordByte(c):
		t.kind, t.text = tokenWord, strings.ToLower(l.word())
	default:
		l.at++
		t.kind, t.text = tokenSymbol, string(c)
	}
	t.end = l.at
	return t
}

// skipSpace passes over white space and comments; the comments that servers
// execute are none to slaves.
func (l *lexer) skipSpace() {
	for l.at < len(l.text) {
		rest := l.text[l.at:]
		switch {
		case strings.IndexByte(" \t\r\n\f\v\x00", rest[0]) >= 0:
			l.at++
		case strings.HasPrefix(rest, "/*") && !strings.HasPrefix(rest, "/*!") && !strings.HasPrefix(rest, "/*M!"):
			l.passBehind("*/")
		case strings.HasPrefix(rest, "-- "), rest[0] == '#':
			l.passBehind("\n")
		default:
			return
		}
	}
}

func (l *lexer) passBehind(end string) {
	if i := strings.Index(l.text[l.at:], end); i >= 0 {
		l.at += i + len(end)
		return
	}
	l.at = len(l.text)
}

// wordByte says whether c can stand in a name without quotes.
func wordByte(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

func (l *lexer) word() string {
	begin := l.at
	for l.at < len(l.text) && wordByte(l.text[l.at]) {
		l.at++
	}
	return l.text[begin:l.at]
}

// name reads what may be quoted.
func (l *lexer) name() string {
	if l.at < len(l.text) && strings.IndexByte("'\"`", l.text[l.at]) >= 0 {
		return strings.ToLower(l.quoted(l.text[l.at]))
	}
	return strings.ToLower(l.word())
}

// scoped reads the name of a system variable behind @@.
func (l *lexer) scoped() (name string, global bool) {
	name = l.name()
	if l.at >= len(l.text) || l.text[l.at] != '.' {
		return name, false
	}
	l.at++
	return l.name(), name == "global"
}

// quoted reads a string in quotes, which are doubled or escaped inside.
func (l *lexer) quoted(quote byte) string {
	var b strings.Builder
	for l.at++; l.at < len(l.text); l.at++ {
		c := l.text[l.at]
		switch {
		case c == '\\' && quote != '`' && l.at+1 < len(l.text):
			l.at++
			c = l.text[l.at]
		case c == quote && strings.HasPrefix(l.text[l.at+1:], string(quote)):
			l.at++
		case c == quote:
			l.at++
			return b.String()
		}
		b.WriteByte(c)
	}
	return b.String()
}
