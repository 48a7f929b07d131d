package compose

import "strings"

// The bounds of a fragment. A parser recurses, and what is nested without end
// would cost it memory without end.
const (
	fragmentLimit = 64 << 10
	nestingLimit  = 100
	digitsLimit   = 65 // what a DECIMAL has at most
)

// scan refuses, by its characters alone, what no fragment may have: comments,
// which the two servers and the parser read differently; a second statement;
// parentheses that end what is around the fragment; bound parameters.
func scan(part, text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return refuse(part, "is missing")
	case len(text) > fragmentLimit:
		return refuse(part, "has more than %d KB: give the values as JSON, in row, set or where", fragmentLimit>>10)
	case strings.ContainsRune(text, 0):
		return refuse(part, "has a NUL character: give such a value as JSON")
	}
	return walk(part, text)
}

// walk looks at a text as scan does, whatever its size.
func walk(part, text string) error {
	s := scanner{part: part, text: text}
	for s.at < len(text) {
		if err := s.step(); err != nil {
			return err
		}
	}
	if s.depth > 0 {
		return refuse(part, "has a ( without its )")
	}
	return nil
}

// scanner walks over one fragment. It serves one goroutine.
type scanner struct {
	part, text    string
	at            int
	depth, digits int
}

// step takes one character, or one quoted whole.
func (s *scanner) step() error {
	c := s.text[s.at]
	if c >= '0' && c <= '9' {
		if s.digits++; s.digits > digitsLimit && !s.hexadecimal() {
			return refuse(s.part, "has a number of more than %d digits", digitsLimit)
		}
	} else if c != '.' {
		s.digits = 0
	}
	switch c {
	case '\'', '"', '`':
		return s.quoted(c)
	case '(':
		if s.depth++; s.depth > nestingLimit {
			return refuse(s.part, "is nested more than %d deep", nestingLimit)
		}
	case ')':
		if s.depth--; s.depth < 0 {
			return refuse(s.part, "has a ) without its (")
		}
	case ';':
		return refuse(s.part, "has a semicolon: one call is one statement")
	case '#':
		return s.comment()
	case '/', '*', '-':
		if pair := s.text[s.at:min(s.at+2, len(s.text))]; pair == "/*" || pair == "*/" || pair == "--" {
			return s.comment()
		}
	}
	s.at++
	return nil
}

// comment refuses comments of every kind: what is one to a server may be code
// to another.
func (s *scanner) comment() error {
	rest := s.text[s.at:]
	for _, executable := range []string{"/*!", "/*M!", "/*T!", "/*+"} {
		if strings.HasPrefix(rest, executable) {
			return refuse(s.part, "has an executable comment (%s): write what it holds, without the comment", executable)
		}
	}
	if strings.HasPrefix(rest, "--") {
		return refuse(s.part, "has --, which begins a comment: write -(-1) for a minus of a minus")
	}
	return refuse(s.part, "has a comment: leave it out")
}

// hexadecimal reports whether the digits here are of a word such as 0x00ff,
// which may be longer than a number.
func (s *scanner) hexadecimal() bool {
	begin := s.at - s.digits + 1
	return begin+1 < len(s.text) && s.text[begin] == '0' && (s.text[begin+1] == 'x' || s.text[begin+1] == 'b')
}

// quoted goes behind the closing quote.
func (s *scanner) quoted(quote byte) error {
	for i := s.at + 1; i < len(s.text); i++ {
		switch s.text[i] {
		case '\\':
			if quote != '`' {
				i++
			}
		case quote:
			if i+1 < len(s.text) && s.text[i+1] == quote {
				i++
				continue
			}
			s.at = i + 1
			return nil
		}
	}
	return refuse(s.part, "has a %c without its end", quote)
}
