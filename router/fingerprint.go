package router

import "strings"

// fingerprint is the stripped text for people: without the literals that were
// kept, which may be secrets, and with comments where marks stand.
func fingerprint(text string, tokens []token) string {
	var b strings.Builder
	from := 0
	for _, t := range tokens {
		if t.kind == tokenString || t.kind == tokenNumber {
			b.WriteString(text[from:t.pos])
			b.WriteByte('?')
			from = t.end
		}
	}
	if from > 0 {
		b.WriteString(text[from:])
		text = b.String()
	}
	if strings.IndexFunc(text, func(r rune) bool { return r < ' ' }) < 0 {
		return text
	}
	return unmark(text)
}

// unmark writes the marks as comments.
func unmark(text string) string {
	var b strings.Builder
	inHint := false
	for i := range len(text) {
		switch c := text[i]; c {
		case markOpen:
			b.WriteString("/*! ")
		case markClose:
			b.WriteString(" */ ")
		case markHint:
			if inHint = !inHint; inHint {
				b.WriteString("/* bellwether: ")
			} else {
				b.WriteString(" */ ")
			}
		case markOdd:
			b.WriteString("<?>")
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
