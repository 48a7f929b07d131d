package router

import "bytes"

// number takes what begins with a digit: a number, or an identifier. It ends a
// number where the server's lexer does, so that 1e5for is a number and a word.
func (s *Scratch) number(i int) int {
	if s.last() == '.' && !s.space {
		return s.word(i)
	}
	end := numberEnd(s.src, i)
	if end > i {
		return s.numeral(i, end)
	}
	if s.last() == '.' { // behind the blank, or it would be read as a number
		s.out = append(s.out, ' ')
	}
	return s.word(i)
}

// numeral writes the number, or placeholder, from i to end.
func (s *Scratch) numeral(i, end int) int {
	if !s.keep {
		s.literal()
		return end
	}
	s.separate()
	for _, c := range s.src[i:end] {
		s.out = append(s.out, lower[c])
	}
	return end
}

// numberEnd is where the number at i ends, i where it is an identifier.
func numberEnd(src []byte, i int) int {
	if end := hexEnd(src, i); end > i {
		return end
	}
	end := digits(src, i)
	if end == len(src) {
		return end
	}
	if src[end] == '.' {
		return fractionEnd(src, end)
	}
	if identLower[src[end]] == 0 {
		return end
	}
	if exp := exponentEnd(src, end); exp > end {
		return exp
	}
	return i
}

// fractionEnd is the end of a number whose point is at i.
func fractionEnd(src []byte, i int) int {
	end := digits(src, i+1)
	return max(end, exponentEnd(src, end))
}

// exponentEnd is the end of the exponent at i, i where there is none.
func exponentEnd(src []byte, i int) int {
	if i >= len(src) || src[i]|0x20 != 'e' {
		return i
	}
	j := i + 1
	if j < len(src) && (src[j] == '+' || src[j] == '-') {
		j++
	}
	if end := digits(src, j); end > j {
		return end
	}
	return i
}

// hexEnd is the end of 0x1F or 0b01 at i, i where it is no such number.
func hexEnd(src []byte, i int) int {
	if src[i] != '0' || i+2 >= len(src) || src[i+1] != 'x' && src[i+1] != 'b' {
		return i
	}
	end := i + 2
	for end < len(src) && hexDigit(src[end], src[i+1]) {
		end++
	}
	if end == i+2 || end < len(src) && identLower[src[end]] != 0 {
		return i
	}
	return end
}

func hexDigit(c, base byte) bool {
	if base == 'b' {
		return c == '0' || c == '1'
	}
	return byteClass[c] == classDigit || c|0x20 >= 'a' && c|0x20 <= 'f'
}

// digits is where the digits from i on end.
func digits(src []byte, i int) int {
	for i < len(src) && byteClass[src[i]] == classDigit {
		i++
	}
	return i
}

// dot takes a point: of a number, or between identifiers.
func (s *Scratch) dot(i int) int {
	joined := !s.space && wordish[s.last()] && s.last() != '?'
	if !joined && i+1 < len(s.src) && byteClass[s.src[i+1]] == classDigit {
		return s.numeral(i, fractionEnd(s.src, i))
	}
	return s.punct(i)
}

// minus takes a minus, or a comment that begins with two of them and a blank.
func (s *Scratch) minus(i int) int {
	if i+1 >= len(s.src) || s.src[i+1] != '-' {
		return s.punct(i)
	}
	if i+2 == len(s.src) {
		s.space = true
		return i + 2
	}
	switch c := s.src[i+2]; {
	case byteClass[c] == classSpace || byteClass[c] == classOdd:
		return s.lineComment(i + 2)
	case c >= 0x80: // a blank in some character sets
		s.out = append(s.out, markOdd)
	}
	return s.punct(i)
}

// lineComment skips to the end of the line.
func (s *Scratch) lineComment(i int) int {
	s.space = true
	end := len(s.src)
	if n := bytes.IndexByte(s.src[i:], '\n'); n >= 0 {
		end = i + n
	}
	if bytes.IndexByte(s.src[i:end], 0) >= 0 { // the server's lexer stops there
		s.out = append(s.out, markOdd)
	}
	return end
}

// slash takes a slash or a comment.
func (s *Scratch) slash(i int) int {
	if i+1 >= len(s.src) || s.src[i+1] != '*' {
		return s.punct(i)
	}
	rest := s.src[i+2:]
	switch {
	case len(rest) > 0 && rest[0] == '!':
		return s.openExec(i + 3)
	case len(rest) > 1 && rest[0]|0x20 == 'm' && rest[1] == '!':
		return s.openExec(i + 4)
	}
	return s.comment(i + 2)
}

// openExec begins an executable comment: its content is read like the rest,
// between marks. The version is dropped, because nobody knows the server's.
func (s *Scratch) openExec(i int) int {
	if s.exec {
		s.out = append(s.out, markOdd)
	}
	s.exec = true
	s.space = true
	s.out = append(s.out, markOpen)
	return min(digits(s.src, i), i+6)
}

// star takes a star or the end of an executable comment.
func (s *Scratch) star(i int) int {
	if !s.exec || i+1 >= len(s.src) || s.src[i+1] != '/' {
		return s.punct(i)
	}
	s.exec = false
	s.space = true
	s.out = append(s.out, markClose)
	return i + 2
}

// comment skips a comment whose content begins at i, or keeps a hint.
func (s *Scratch) comment(i int) int {
	s.space = true
	n := bytes.Index(s.src[i:], commentEnd)
	if n < 0 {
		s.out = append(s.out, markOdd)
		return len(s.src)
	}
	body := s.src[i : i+n]
	switch {
	case len(body) > 0 && body[0] == '+' && !quotesBalanced(body):
		s.out = append(s.out, markOdd)
	case bytes.IndexByte(body, 0) >= 0:
		s.out = append(s.out, markOdd)
	default:
		s.hint(body)
	}
	return i + n + 2
}

// commentEnd and hintWord are what they say; immutable.
var (
	commentEnd = []byte("*/")
	hintWord   = []byte("bellwether:")
)

// hint keeps what a comment asks of Bellwether.
func (s *Scratch) hint(body []byte) {
	body = bytes.TrimSpace(body)
	if len(body) < len(hintWord) || !bytes.EqualFold(body[:len(hintWord)], hintWord) {
		return
	}
	s.out = append(s.out, markHint)
	for _, c := range bytes.TrimSpace(body[len(hintWord):]) {
		if c > ' ' {
			s.out = append(s.out, c)
		}
	}
	s.out = append(s.out, markHint)
}

// quotesBalanced reports whether every quote of an optimizer hint ends inside
// it: MySQL's hint scanner reads them, where others see a comment.
func quotesBalanced(body []byte) bool {
	for i := 0; i < len(body); i++ {
		switch c := body[i]; c {
		case '\'', '"', '`':
			n := bytes.IndexByte(body[i+1:], c)
			if n < 0 {
				return false
			}
			i += n + 1
		}
	}
	return true
}

// openGroup takes an opening parenthesis. A blank between a name and it is
// kept: COUNT (x) may be a stored function where COUNT(x) is not.
func (s *Scratch) openGroup(i int) int {
	if s.space && !s.dialect.IgnoreSpace && wordish[s.last()] {
		s.out = append(s.out, ' ')
	}
	if s.depth < maxOpen {
		s.open[s.depth] = len(s.out)
	}
	s.depth++
	return s.punct(i)
}

// closeGroup takes a closing parenthesis, and drops the group if the list has
// the same one just before: a list of any length has one shape.
func (s *Scratch) closeGroup(i int) int {
	i = s.punct(i)
	if s.depth == 0 {
		return i
	}
	s.depth--
	if s.depth >= maxOpen || s.keep {
		return i
	}
	from := s.open[s.depth]
	for identLower[s.out[from-1]] != 0 && from > prefix { // ROW(1), ROW(2)
		from--
	}
	before := from - 1 - (len(s.out) - from)
	if before < prefix || s.out[from-1] != ',' || identLower[s.out[from]] != 0 && !beginsItem(s.out[before-1]) {
		return i
	}
	if bytes.Equal(s.out[before:from-1], s.out[from:]) {
		s.out = s.out[:from-1]
	}
	return i
}

// beginsItem reports whether a name behind c is whole: abs(?) ends like s(?), and
// is another function.
func beginsItem(c byte) bool { return c == ',' || c == '(' || c == ' ' }

// backslash takes \N, which is NULL; any other is odd.
func (s *Scratch) backslash(i int) int {
	if i+1 < len(s.src) && s.src[i+1] == 'N' {
		s.literal()
		return i + 2
	}
	s.out = append(s.out, markOdd)
	s.space = false
	return i + 1
}
