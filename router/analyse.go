package router

// classify fills in s for one stripped text. It looks at nothing else, so that
// equal texts are of equal class.
func classify(s *Statement, text string, d Dialect) {
	tokens, hint := lex(text, d)
	s.Hint = hint
	s.Fingerprint = fingerprint(text, tokens)
	a := analysis{s: s, dialect: d}
	a.packet(tokens)
	if d.UnsafeCharset && s.Reason == ReasonNone {
		s.Reason = ReasonUnsafeCharset
	}
	a.finish()
}

// analysis is the work on one packet.
type analysis struct {
	s       *Statement
	dialect Dialect
	seen    map[string]struct{} // what is in s.Names
	count   int                 // statements that are not empty
	kind    Kind                // of the statement at work
	reason  Reason              // why the statement at work must go to the master
	bound   bool                // it reads a table, or what nodes answer differently
}

// packet classes the statements of one packet together.
func (a *analysis) packet(tokens []token) {
	if routineBody(withoutMarks(tokens)) {
		a.statement(tokens)
		return
	}
	for len(tokens) > 0 {
		var one []token
		one, tokens = cut(tokens)
		if len(one) > 0 {
			a.statement(one)
		}
	}
}

// cut splits off the statement before the first semicolon.
func cut(tokens []token) (one, rest []token) {
	for i, t := range tokens {
		if t.punct(';') {
			return tokens[:i], tokens[i+1:]
		}
	}
	return tokens, nil
}

// statement adds one statement of the packet.
func (a *analysis) statement(tokens []token) {
	a.kind, a.reason = KindUnknown, ReasonNone
	a.checkText(tokens)
	a.dispatch(withoutMarks(tokens))
	a.count++
	if a.count == 1 {
		a.s.Kind = a.kind
	} else {
		a.s.Flags |= Multi
	}
	if a.s.Reason == ReasonNone {
		a.s.Reason = a.reason
	}
}

// forbid says why the statement must go to the master; the first reason stays.
func (a *analysis) forbid(r Reason) {
	a.s.reasons |= 1 << r
	if a.reason == ReasonNone {
		a.reason = r
	}
}

// finish derives the flags that depend on the whole packet.
func (a *analysis) finish() {
	s := a.s
	if a.count == 0 && s.Reason == ReasonNone {
		s.Reason = ReasonUncertain
	}
	if s.Reason == ReasonNone && len(s.Calls) > 0 {
		s.Reason = ReasonStoredFunction
	}
	if s.Reason == ReasonNone {
		s.Flags |= OnlyReads
	}
	if s.Own != nil && a.count > 1 {
		s.Own.Problem = ownAlone
	}
	if a.sessionOnly() {
		s.Flags |= SessionOnly
	} else if s.Reason != ReasonNone && s.Reason != ReasonStoredFunction {
		s.Names, s.Calls = nil, nil
	}
	if len(s.Names) > 0 {
		s.Flags |= MayUseCatalogue
	}
}

// checkText looks for what makes any statement uncertain: marks, executable
// comments that are not innocent, parentheses that do not match.
func (a *analysis) checkText(tokens []token) {
	depth, exec := 0, false
	for _, t := range tokens {
		switch {
		case t.kind == tokenOdd:
			a.forbid(ReasonUncertain)
		case t.kind == tokenOpen:
			exec = true
		case t.kind == tokenClose:
			exec = false
		case exec && !innocent.has(t.text):
			a.forbid(ReasonExecutableComment)
		case t.punct('('):
			depth++
		case t.punct(')'):
			depth--
		}
		if depth < 0 {
			a.forbid(ReasonUncertain)
		}
	}
	if depth != 0 || exec {
		a.forbid(ReasonUncertain)
	}
}

// innocent are words that may stand in an executable comment of a read: whether
// the server takes them or not, it stays the same read.
var innocent = words(`sql_no_cache sql_cache straight_join high_priority sql_small_result sql_big_result
	sql_buffer_result distinct all`)

// withoutMarks returns the tokens as a server sees them that takes every
// executable comment.
func withoutMarks(tokens []token) []token {
	marks := 0
	for _, t := range tokens {
		if t.kind == tokenOpen || t.kind == tokenClose {
			marks++
		}
	}
	if marks == 0 {
		return tokens
	}
	plain := make([]token, 0, len(tokens)-marks)
	for _, t := range tokens {
		if t.kind != tokenOpen && t.kind != tokenClose {
			plain = append(plain, t)
		}
	}
	return plain
}

// routineBody reports whether the packet makes a routine, trigger or event
// with a BEGIN block, whose semicolons end no statement of the packet.
func routineBody(tokens []token) bool {
	if at(tokens, 0).is("create") || at(tokens, 0).is("alter") {
		for i, t := range tokens {
			if t.is("begin") && !at(tokens, i-1).punct('.') {
				return routineKind(tokens[:i])
			}
		}
	}
	return false
}

func routineKind(tokens []token) bool {
	for _, t := range tokens {
		switch {
		case t.is("procedure"), t.is("function"), t.is("trigger"), t.is("event"), t.is("package"):
			return true
		}
	}
	return false
}

// at is the token at i, or the end.
func at(tokens []token, i int) token {
	if i < 0 || i >= len(tokens) {
		return token{}
	}
	return tokens[i]
}
