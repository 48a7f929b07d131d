package router

import "strings"

// kind is the kind of a token of the stripped text.
type kind uint8

const (
	tokenEnd    kind = iota
	tokenWord        // a keyword or an unquoted identifier, in lower case
	tokenQuoted      // a quoted identifier, text without its quotes
	tokenString      // a string that was kept, text with its quotes
	tokenNumber      // a number that was kept
	tokenParam       // ?: a literal, a list of them, or a placeholder
	tokenUser        // @name, text without the @
	tokenSystem      // @@, the name follows
	tokenAssign      // :=
	tokenPunct       // any other byte
	tokenOpen        // an executable comment begins
	tokenClose       // it ends
	tokenOdd         // something that the server may read otherwise
)

// token is one token of the stripped text.
type token struct {
	kind  kind
	text  string
	after bool // a blank stands before it
	pos   int  // where it begins and ends in the stripped text
	end   int
}

// is reports whether the token is this keyword.
func (t token) is(word string) bool { return t.kind == tokenWord && t.text == word }

// punct reports whether the token is this byte.
func (t token) punct(c byte) bool { return t.kind == tokenPunct && t.text[0] == c }

// ident reports whether the token may be an identifier.
func (t token) ident() bool { return t.kind == tokenWord || t.kind == tokenQuoted }

// lexer cuts the stripped text, which has no comments any more, into tokens.
type lexer struct {
	text    string
	src     []byte // the same bytes
	pos     int
	dialect Dialect
	tokens  []token
	hint    Hint
}

// lex returns the tokens of the stripped text and the hint in it.
func lex(text string, d Dialect) ([]token, Hint) {
	l := lexer{text: text, src: []byte(text), dialect: d, tokens: make([]token, 0, len(text)/4+4)}
	for l.pos < len(text) {
		l.next()
	}
	return l.tokens, l.hint
}

func (l *lexer) add(k kind, end int) {
	after := l.pos > 0 && l.text[l.pos-1] == ' '
	l.tokens = append(l.tokens, token{k, l.text[l.pos:end], after, l.pos, end})
	l.pos = end
}

func (l *lexer) next() {
	switch c := l.text[l.pos]; {
	case c == ' ':
		l.pos++
	case c == markOdd:
		l.add(tokenOdd, l.pos+1)
	case c == markOpen:
		l.add(tokenOpen, l.pos+1)
	case c == markClose:
		l.add(tokenClose, l.pos+1)
	case c == markHint:
		l.takeHint()
	case c == '?':
		l.add(tokenParam, l.pos+1)
	case c == '`' || c == '"' && l.dialect.ANSIQuotes:
		l.quoted(c)
	case c == '\'' || c == '"':
		end, _ := skipText(l.src, l.pos, c, !l.dialect.NoBackslashEscapes)
		l.add(tokenString, end)
	case c == '@':
		l.at()
	case c == ':' && strings.HasPrefix(l.text[l.pos:], ":="):
		l.add(tokenAssign, l.pos+2)
	case identLower[c] != 0:
		l.word()
	case c == '.' && l.numberFollows():
		l.add(tokenNumber, fractionEnd(l.src, l.pos))
	default:
		l.add(tokenPunct, l.pos+1)
	}
}

// numberFollows reports whether the point here begins a number that was kept.
func (l *lexer) numberFollows() bool {
	if l.pos+1 >= len(l.text) || byteClass[l.text[l.pos+1]] != classDigit {
		return false
	}
	return len(l.tokens) == 0 || !l.tokens[len(l.tokens)-1].ident()
}

func (l *lexer) quoted(quote byte) {
	end, _ := skipText(l.src, l.pos, quote, false)
	start := l.pos
	l.add(tokenQuoted, end)
	l.tokens[len(l.tokens)-1].text = unquote(l.text[start:end])
}

// unquote strips the quotes of an identifier or of a variable's name.
func unquote(s string) string {
	if len(s) < 2 || s[0] != '`' && s[0] != '"' && s[0] != '\'' {
		return s
	}
	quote := s[:1]
	return strings.ReplaceAll(strings.TrimSuffix(s[1:], quote), quote+quote, quote)
}

func (l *lexer) word() {
	end := l.pos
	if byteClass[l.text[end]] == classDigit && !l.afterDot() {
		if end = numberEnd(l.src, l.pos); end > l.pos {
			l.add(tokenNumber, end)
			return
		}
	}
	for end < len(l.text) && identLower[l.text[end]] != 0 {
		end++
	}
	if end == l.pos+1 && end < len(l.text) && l.text[end] == '\'' && strings.IndexByte("xbn", l.text[l.pos]) >= 0 {
		end, _ = skipText(l.src, end, '\'', !l.dialect.NoBackslashEscapes)
		l.add(tokenString, end)
		return
	}
	l.add(tokenWord, end)
}

func (l *lexer) afterDot() bool { return l.pos > 0 && l.text[l.pos-1] == '.' }

// at takes @name, @'name' or @@.
func (l *lexer) at() {
	if strings.HasPrefix(l.text[l.pos:], "@@") {
		l.add(tokenSystem, l.pos+2)
		return
	}
	start := l.pos + 1
	end := start
	if end < len(l.text) {
		switch c := l.text[end]; c {
		case '`', '\'', '"':
			end, _ = skipText(l.src, end, c, c != '`' && !l.dialect.NoBackslashEscapes)
		case '?':
			end++
		}
	}
	for end == start || end > start && end < len(l.text) && userNameByte(l.text[end]) {
		if end >= len(l.text) || !userNameByte(l.text[end]) {
			break
		}
		end++
	}
	l.add(tokenUser, end)
	l.tokens[len(l.tokens)-1].text = strings.ToLower(unquote(l.text[start:end]))
}

// userNameByte reports whether c may stand in an unquoted user variable's name.
func userNameByte(c byte) bool { return identLower[c] != 0 || c == '.' }

func (l *lexer) takeHint() {
	end := l.pos + 1 + strings.IndexByte(l.text[l.pos+1:], markHint)
	l.hint.join(parseHint(l.text[l.pos+1 : end]))
	l.pos = end + 1
}
