package router

import (
	"bytes"
	"unicode/utf8"
)

// maxRetained is the largest buffer that a Scratch keeps between statements.
const maxRetained = 64 << 10

// maxOpen is how many nested parentheses are watched for repeated groups.
const maxOpen = 32

// Scratch is the working memory of one classification after another. One
// goroutine at a time; the zero value is ready.
//
// It holds the stripped text: the statement in lower case, without comments,
// one space at most between two words, with a ? for each literal or list of
// literals where literals cannot matter, and each repeated group of a list
// once. The text alone decides the class, so two statements of one text are
// of one class.
type Scratch struct {
	out []byte
	src []byte

	dialect Dialect
	space   bool // blank or comment since the last token
	keep    bool // literals matter in this statement
	exec    bool // inside an executable comment
	words   int8 // words of this statement so far, as far as they matter
	depth   int
	open    [maxOpen]int // where in out the open parentheses are
}

// strip leaves the stripped text of sql in s.out, behind the dialect's byte.
// It makes one pass.
func (s *Scratch) strip(sql []byte, d Dialect) {
	if cap(s.out) > maxRetained {
		s.out = nil
	}
	s.out = append(s.out[:0], d.key(), ';')
	s.src, s.dialect = sql, d
	s.space, s.keep, s.exec, s.words, s.depth = false, false, false, 0, 0
	for i := 0; i < len(sql); {
		switch byteClass[sql[i]] {
		case classSpace:
			s.space = true
			i++
		case classLetter:
			i = s.word(i)
		case classPunct:
			s.out = append(s.out, sql[i])
			s.space = false
			i++
		default:
			i = s.token(i)
		}
	}
	if s.exec {
		s.out = append(s.out, markOdd)
	}
	s.src = nil
}

// token takes the token at i and returns where the next one begins.
func (s *Scratch) token(i int) int {
	c := s.src[i]
	switch byteClass[c] {
	case classDigit:
		return s.number(i)
	case classSingle:
		return s.text(i, c)
	case classDouble:
		if s.dialect.ANSIQuotes {
			return s.quoted(i, c)
		}
		return s.text(i, c)
	case classBacktick:
		return s.quoted(i, c)
	case classMinus:
		return s.minus(i)
	case classHash:
		return s.lineComment(i + 1)
	case classSlash:
		return s.slash(i)
	case classStar:
		return s.star(i)
	case classDot:
		return s.dot(i)
	case classOpen:
		return s.openGroup(i)
	case classClose:
		return s.closeGroup(i)
	case classSemicolon:
		s.keep, s.words, s.depth = false, 0, 0
		return s.punct(i)
	case classParam:
		return s.numeral(i, i+1)
	case classBackslash:
		return s.backslash(i)
	case classOdd:
		s.out = append(s.out, markOdd)
		s.space = false
		return i + 1
	}
	return s.punct(i)
}

// last is the last byte of the text.
func (s *Scratch) last() byte { return s.out[len(s.out)-1] }

func (s *Scratch) punct(i int) int {
	s.out = append(s.out, s.src[i])
	s.space = false
	return i + 1
}

// separate keeps two words apart.
func (s *Scratch) separate() {
	if wordish[s.last()] {
		s.out = append(s.out, ' ')
	}
	s.space = false
}

// word takes a keyword or an unquoted identifier.
func (s *Scratch) word(i int) int {
	src, out := s.src, s.out
	before := out[len(out)-1]
	if wordish[before] {
		out = append(out, ' ')
	}
	start := len(out)
	var high byte
	for ; i < len(src); i++ {
		c := identLower[src[i]]
		if c == 0 {
			break
		}
		high |= c
		out = append(out, c)
	}
	s.out, s.space = out, false
	if high >= 0x80 || len(out) == start+1 || s.words < 2 || before == ',' || before == '(' {
		return s.oddWord(i, start, high)
	}
	return i
}

// oddWord looks closer at a word that may be more than one.
func (s *Scratch) oddWord(i, start int, high byte) int {
	if high >= 0x80 {
		s.checkHigh(start)
	}
	if len(s.out)-start == 1 && i < len(s.src) && s.src[i] == '\'' {
		return s.prefixed(i, start)
	}
	if s.words < 2 {
		s.opening(start)
	} else if before := s.out[start-1]; before == ',' || before == '(' {
		s.literalWord(start)
	}
	return i
}

// checkHigh marks a word whose bytes a session of an 8-bit character set may
// read otherwise: 0xA0 is a blank in latin1.
func (s *Scratch) checkHigh(start int) {
	word := s.out[start:]
	if !utf8.Valid(word) || bytes.IndexByte(word, 0xA0) >= 0 {
		s.out = append(s.out, markOdd)
	}
}

// prefixed takes the rest of x'..', b'..' and n'..'.
func (s *Scratch) prefixed(i, start int) int {
	switch s.out[start] {
	case 'x', 'b', 'n':
	default:
		return i
	}
	if s.keep {
		end, closed := skipText(s.src, i, '\'', !s.dialect.NoBackslashEscapes)
		s.raw(i, end, closed)
		return end
	}
	s.out = s.out[:start]
	return s.text(i, '\'')
}

// opening looks at the first words of a statement, which say whether its
// literals matter.
func (s *Scratch) opening(start int) {
	word := s.out[start:]
	switch {
	case s.words == 0 && (string(word) == "set" || string(word) == "kill"):
		s.keep = true
		s.words = 1
	case s.words == 1 && string(word) == "statement":
		s.keep = false
		s.words = 2
	default:
		s.words = 2
	}
}

// literalWord turns NULL, TRUE, FALSE and DEFAULT inside a list into a literal,
// so that rows of a list look alike.
func (s *Scratch) literalWord(start int) {
	if s.keep {
		return
	}
	switch string(s.out[start:]) {
	case "null", "true", "false", "default":
		s.out = s.out[:start]
		s.literal()
	}
}

// literal writes a ?, or nothing where it only lengthens a list of literals.
func (s *Scratch) literal() {
	out := s.out
	if n := len(out); (out[n-1] == '-' || out[n-1] == '+') && opensOperand(out[n-2]) {
		out = out[:n-1]
	}
	n := len(out)
	switch {
	case out[n-1] == ',' && out[n-2] == '?':
		out = out[:n-1]
	case out[n-1] == '?':
	case wordish[out[n-1]]:
		out = append(out, ' ', '?')
	default:
		out = append(out, '?')
	}
	s.out = out
	s.space = false
}

// opensOperand reports whether a sign after c is a number's own.
func opensOperand(c byte) bool {
	switch c {
	case ',', '(', '=', '<', '>':
		return true
	}
	return false
}

// quoted takes a quoted identifier.
func (s *Scratch) quoted(i int, quote byte) int {
	s.separate()
	end, closed := skipText(s.src, i, quote, false)
	if !closed {
		s.out = append(s.out, markOdd)
	}
	for _, c := range s.src[i:end] {
		s.out = append(s.out, lower[c])
	}
	s.words = 2
	return end
}

// text takes a string.
func (s *Scratch) text(i int, quote byte) int {
	end, closed := skipText(s.src, i, quote, !s.dialect.NoBackslashEscapes)
	switch {
	case s.keep || s.namesLock() || s.last() == '@' && !s.space:
		s.separate()
		s.raw(i, end, closed)
	default:
		s.literal()
		if !closed {
			s.out = append(s.out, markOdd)
		}
	}
	return end
}

// raw copies a piece of the statement as it is.
func (s *Scratch) raw(i, end int, closed bool) {
	if !closed { // before it, because what reads the text reads to its end
		s.out = append(s.out, markOdd)
	}
	s.out = append(s.out, s.src[i:end]...)
	s.space = false
}

// namesLock reports whether a string here is the name of a user-level lock.
func (s *Scratch) namesLock() bool {
	return bytes.HasSuffix(s.out, lockCall)
}

// lockCall ends GET_LOCK(, RELEASE_LOCK(, IS_FREE_LOCK( and IS_USED_LOCK(.
var lockCall = []byte("_lock(")

// skipText returns the end of the quoted piece that begins at i, and whether
// it is closed. A doubled quote stands for one.
func skipText(src []byte, i int, quote byte, backslash bool) (int, bool) {
	next := i + 1 // where the next backslash may be
	i++
	for {
		q := bytes.IndexByte(src[i:], quote)
		if q < 0 {
			return len(src), false
		}
		i += q
		if backslash {
			if b := bytes.IndexByte(src[next:i], '\\'); b >= 0 {
				next += b + 2
				i = max(i, next)
				if i > len(src) {
					return len(src), false
				}
				if next <= i {
					continue
				}
			}
		}
		if i+1 >= len(src) || src[i+1] != quote {
			return i + 1, true
		}
		i += 2
		next = i
	}
}
