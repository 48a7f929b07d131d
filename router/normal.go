package router

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// Normalise returns the text of a statement for people: without its literals
// and comments, each list of literals and each repeated group of a list once,
// one blank between words; names and keywords as they were written. A comment
// that asks Bellwether for something stays, and so do the marks of executable
// ones. It takes any bytes, and leaves its own result as it is.
//
// Where the text is longer than most bytes, its beginning is returned with three
// dots behind it. Two statements of one class may differ in it by case and
// blanks: see Statement.Fingerprint for what they share.
func Normalise(sql []byte, d Dialect, most int) string {
	n := normaliser{src: sql, dialect: d}
	for i := 0; i < len(sql) && len(n.out) <= 2*most; {
		i = n.next(i)
	}
	text := strings.ToValidUTF8(string(n.out), "\uFFFD")
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "..."
}

// normaliser is one run of Normalise. It reads tokens as Scratch does.
type normaliser struct {
	src     []byte
	out     []byte
	dialect Dialect
	blank   bool  // a blank or a comment stands before the next token
	exec    bool  // inside an executable comment
	open    []int // where in out the open parentheses are
}

// next takes the blank, comment or token at i and returns where the next begins.
func (n *normaliser) next(i int) int {
	switch c := n.src[i]; byteClass[c] {
	case classSpace, classOdd:
		n.blank = true
		return i + 1
	case classLetter:
		return n.word(i)
	case classDigit:
		return n.number(i)
	case classSingle, classDouble, classBacktick:
		return n.quote(i, c)
	case classHash:
		return n.line(i)
	case classMinus:
		return n.minus(i)
	case classSlash:
		return n.slash(i)
	case classStar:
		return n.star(i)
	case classParam:
		return n.literal(i + 1)
	case classDot:
		return n.dot(i)
	case classOpen:
		return n.openGroup(i)
	case classClose:
		return n.closeGroup(i)
	case classBackslash:
		if i+1 < len(n.src) && n.src[i+1] == 'N' {
			return n.literal(i + 2)
		}
	}
	return n.token(i, n.operatorEnd(i))
}

// last is the last byte of the text, 0 where it is empty.
func (n *normaliser) last() byte {
	if len(n.out) == 0 {
		return 0
	}
	return n.out[len(n.out)-1]
}

// token writes the source from i to end as it is.
func (n *normaliser) token(i, end int) int {
	n.put(n.src[i:end])
	return end
}

// put writes a token, with a blank before it where one belongs there.
func (n *normaliser) put(token []byte) {
	if n.apart(token[0]) {
		n.out = append(n.out, ' ')
	}
	n.out = append(n.out, token...)
	n.blank = false
}

// apart reports whether a blank belongs before a token that begins with c.
// Where the source decides, it does so again for the result.
func (n *normaliser) apart(c byte) bool {
	switch last := n.last(); {
	case last == 0 || c == ',' || c == ')' || c == ';' || c == '.' || last == '(':
		return false
	case last == '.':
		return n.blank && byteClass[c] == classDigit
	case last == '@', (c == '(' || c == '@') && wordish[last]:
		return n.blank
	}
	return true
}

// operatorEnd is the end of the operator at i, which may have several bytes.
func (n *normaliser) operatorEnd(i int) int {
	end := i + 1
	if n.src[i] == '@' {
		if end < len(n.src) && n.src[end] == '@' {
			end++
		}
		return end
	}
	for partOfOperator[n.src[i]] && end < len(n.src) && partOfOperator[n.src[end]] {
		end++
	}
	return end
}

// partOfOperator holds the bytes that operators of several bytes have; immutable.
var partOfOperator = [256]bool{'<': true, '>': true, '=': true, '!': true, ':': true, '|': true, '&': true}

// word takes a keyword, an unquoted identifier, or a literal that is spelt as one.
func (n *normaliser) word(i int) int {
	end := i
	for end < len(n.src) && identLower[n.src[end]] != 0 {
		end++
	}
	if end == i+1 && end < len(n.src) && n.src[end] == '\'' && bytes.IndexByte(literalPrefixes, lower[n.src[i]]) >= 0 {
		return n.text(end)
	}
	if last := n.last(); last == ',' || last == '(' {
		for _, word := range literalWords {
			if bytes.EqualFold(n.src[i:end], word) {
				return n.literal(end)
			}
		}
	}
	return n.token(i, end)
}

// literalPrefixes stand before a quote, literalWords in a list; immutable.
var (
	literalPrefixes = []byte("xbn")
	literalWords    = [][]byte{[]byte("null"), []byte("true"), []byte("false"), []byte("default")}
)

// number takes what begins with a digit.
func (n *normaliser) number(i int) int {
	end := numberEnd(n.src, i)
	if n.last() == '.' && !n.blank || end == i {
		return n.word(i)
	}
	return n.literal(end)
}

// dot takes a point: of a number, or between identifiers.
func (n *normaliser) dot(i int) int {
	joined := !n.blank && wordish[n.last()] && n.last() != '?'
	if !joined && i+1 < len(n.src) && byteClass[n.src[i+1]] == classDigit {
		return n.literal(fractionEnd(n.src, i))
	}
	return n.token(i, i+1)
}

// text takes the string at i.
func (n *normaliser) text(i int) int {
	end, _ := skipText(n.src, i, n.src[i], !n.dialect.NoBackslashEscapes)
	return n.literal(end)
}

// quote takes a string, a quoted identifier, or the quoted name behind an @.
func (n *normaliser) quote(i int, quote byte) int {
	identifier := quote == '`' || quote == '"' && n.dialect.ANSIQuotes
	named := n.last() == '@' && !n.blank
	if !identifier && !named {
		return n.text(i)
	}
	end, closed := skipText(n.src, i, quote, !identifier && !n.dialect.NoBackslashEscapes)
	switch {
	case closed:
		return n.token(i, end)
	case identifier:
		n.token(i, end)
		n.out = append(n.out, quote)
		return end
	}
	return n.literal(end)
}

// literal writes a ?, or nothing where it only lengthens a list of literals.
// The literal ends at end in the source.
func (n *normaliser) literal(end int) int {
	n.dropSign()
	if out := n.out; len(out) > 1 && out[len(out)-1] == ',' && out[len(out)-2] == '?' {
		n.out = out[:len(out)-1]
	}
	if n.last() != '?' {
		n.put(placeholder)
	}
	n.blank = false
	return end
}

// placeholder stands for a literal; immutable.
var placeholder = []byte{'?'}

// dropSign takes away the sign before a literal, which is the literal's own.
func (n *normaliser) dropSign() {
	if last := n.last(); last != '-' && last != '+' {
		return
	}
	before := bytes.TrimRight(n.out[:len(n.out)-1], " ")
	if len(before) > 0 && opensOperand(before[len(before)-1]) {
		n.out = before
	}
}

func (n *normaliser) openGroup(i int) int {
	end := n.token(i, i+1)
	n.open = append(n.open, len(n.out)-1)
	return end
}

// closeGroup takes a closing parenthesis, and drops the group if the list has
// the same one just before.
func (n *normaliser) closeGroup(i int) int {
	end := n.token(i, i+1)
	if len(n.open) == 0 {
		return end
	}
	group := n.open[len(n.open)-1]
	n.open = n.open[:len(n.open)-1]
	from := group
	for from > 0 && identLower[n.out[from-1]] != 0 { // ROW(1), ROW(2)
		from--
	}
	before := from - len(listSeparator) - (len(n.out) - from)
	if before < 0 || !bytes.HasSuffix(n.out[:from], listSeparator) || from < group && before > 0 && !beginsItem(n.out[before-1]) {
		return end
	}
	if kept := n.out[:from-len(listSeparator)]; bytes.Equal(kept[before:], n.out[from:]) {
		n.out = kept
	}
	return end
}

// listSeparator stands between the members of a list; immutable.
var listSeparator = []byte(", ")

// minus takes a minus, the arrow of a JSON path, or a comment.
func (n *normaliser) minus(i int) int {
	rest := n.src[i+1:]
	switch {
	case bytes.HasPrefix(rest, []byte(">>")):
		return n.token(i, i+3)
	case bytes.HasPrefix(rest, []byte(">")):
		return n.token(i, i+2)
	case len(rest) == 1 && rest[0] == '-':
		return i + 2
	case len(rest) > 1 && rest[0] == '-' && (byteClass[rest[1]] == classSpace || byteClass[rest[1]] == classOdd):
		return n.line(i)
	}
	return n.token(i, i+1)
}

// line skips a comment to the end of its line.
func (n *normaliser) line(i int) int {
	n.blank = true
	if end := bytes.IndexByte(n.src[i:], '\n'); end >= 0 {
		return i + end
	}
	return len(n.src)
}

// slash takes a slash, a comment, or the mark of an executable one.
func (n *normaliser) slash(i int) int {
	rest := n.src[i+1:]
	switch {
	case len(rest) == 0 || rest[0] != '*':
		return n.token(i, i+1)
	case len(rest) > 1 && rest[1] == '!':
		return n.executable(i + 3)
	case len(rest) > 2 && rest[1]|0x20 == 'm' && rest[2] == '!':
		return n.executable(i + 4)
	}
	n.blank = true
	end := bytes.Index(rest[1:], commentEnd)
	if end < 0 {
		return len(n.src)
	}
	n.hint(rest[1 : 1+end])
	return i + 2 + end + len(commentEnd)
}

// executable opens an executable comment whose version, if any, begins at i.
func (n *normaliser) executable(i int) int {
	n.exec = true
	n.put([]byte("/*!"))
	return min(digits(n.src, i), i+6)
}

// star takes a star or the end of an executable comment.
func (n *normaliser) star(i int) int {
	if n.exec && bytes.HasPrefix(n.src[i:], commentEnd) {
		n.exec = false
		return n.token(i, i+len(commentEnd))
	}
	return n.token(i, i+1)
}

// hint keeps a comment that asks Bellwether for something.
func (n *normaliser) hint(body []byte) {
	body = bytes.TrimSpace(body)
	if len(body) < len(hintWord) || !bytes.EqualFold(body[:len(hintWord)], hintWord) {
		return
	}
	n.put([]byte("/* bellwether: "))
	for _, c := range body[len(hintWord):] {
		if c > ' ' {
			n.out = append(n.out, c)
		}
	}
	n.out = append(n.out, " */"...)
}
