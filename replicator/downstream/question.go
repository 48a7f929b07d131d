package downstream

import (
	"strconv"
	"strings"
)

// questionKind says what somebody asks. The zero value is unknown: nothing that
// a slave or one of the tools would ask.
type questionKind uint8

const (
	questionUnknown questionKind = iota
	questionSelect               // values, without a table
	questionSet
	questionShow
	questionKill
	questionWrite // a statement that would change something
	questionEmpty
)

// String names the kind.
func (k questionKind) String() string {
	return [...]string{"unknown", "select", "set", "show", "kill", "write", "empty"}[min(k, questionEmpty)]
}

// question is a query, understood. It is a value.
type question struct {
	kind   questionKind
	items  []item       // of a SELECT
	sets   []assignment // of a SET
	shown  string       // of a SHOW: its words but for the scope, as "binary logs"
	like   string       // of a SHOW: the pattern, "" without one
	target uint64       // of a KILL: the connection
}

// item is one value that is asked for, and the column's name.
type item struct {
	value term
	name  string
}

// term is something that has a value: a literal, a variable, or a function
// without arguments, which is a word.
type term struct {
	kind tokenKind
	text string
}

// assignment is one part of a SET.
type assignment struct {
	variable token
	global   bool
	value    term
}

// changes are the words that statements begin with that would change something.
var changes = map[string]bool{
	"insert": true, "update": true, "delete": true, "replace": true, "create": true, "alter": true, "drop": true,
	"truncate": true, "rename": true, "load": true, "grant": true, "revoke": true, "call": true, "do": true,
	"reset": true, "purge": true, "flush": true, "install": true, "uninstall": true, "import": true, "lock": true,
	"optimize": true, "repair": true, "analyze": true, "xa": true, "begin": true, "start": true, "stop": true,
	"change": true, "shutdown": true, "restart": true, "clone": true, "binlog": true,
}

// parseQuestion understands a query as far as slaves and the tools ask.
func parseQuestion(text string) question {
	p := parser{lexer: lexer{text: text}}
	p.advance()
	if p.atEnd() {
		return question{kind: questionEmpty}
	}
	first := p.take()
	q := question{}
	ok := false
	switch {
	case first.kind != tokenWord:
	case first.text == "select":
		q, ok = p.selected()
	case first.text == "set":
		q, ok = p.assigned()
	case first.text == "show":
		q, ok = p.shown()
	case first.text == "kill":
		q, ok = p.killed()
	case changes[first.text]:
		return question{kind: questionWrite}
	}
	if !ok || !p.atEnd() {
		return question{}
	}
	return q
}

// parser reads a question token by token.
type parser struct {
	lexer
	now token
}

func (p *parser) advance() { p.now = p.next() }

// take returns the present token and goes on to the next.
func (p *parser) take() token {
	t := p.now
	p.advance()
	return t
}

func (p *parser) accept(kind tokenKind, text string) bool {
	if !p.now.is(kind, text) {
		return false
	}
	p.advance()
	return true
}

func (p *parser) atEnd() bool {
	for p.accept(tokenSymbol, ";") {
	}
	return p.now.kind == tokenEnd
}

// term reads a value; a function has its brackets behind it.
func (p *parser) term() (term, bool) {
	t := p.take()
	switch t.kind {
	case tokenNumber, tokenString, tokenUserVariable, tokenSystemVariable:
		return term{t.kind, t.text}, true
	case tokenWord:
		if p.accept(tokenSymbol, "(") {
			return term{t.kind, t.text}, p.accept(tokenSymbol, ")")
		}
		return term{t.kind, t.text}, true
	}
	return term{}, false
}

// selected reads what follows SELECT.
func (p *parser) selected() (question, bool) {
	q := question{kind: questionSelect}
	for {
		begin := p.now.begin
		value, ok := p.term()
		if !ok {
			return q, false
		}
		name := strings.TrimSpace(p.text[begin:p.now.begin])
		if p.accept(tokenWord, "as") {
			name = p.take().text
		}
		q.items = append(q.items, item{value, name})
		if !p.accept(tokenSymbol, ",") {
			break
		}
	}
	if p.accept(tokenWord, "limit") {
		return q, p.take().kind == tokenNumber
	}
	return q, true
}

// assigned reads what follows SET.
func (p *parser) assigned() (question, bool) {
	q := question{kind: questionSet}
	for {
		a, ok := p.assignment()
		if !ok {
			return q, false
		}
		q.sets = append(q.sets, a)
		if !p.accept(tokenSymbol, ",") {
			return q, true
		}
	}
}

func (p *parser) assignment() (a assignment, ok bool) {
	for p.now.kind == tokenWord {
		switch p.now.text {
		case "global", "persist", "persist_only":
			a.global = true
		case "session", "local":
		case "names", "character", "charset":
			return p.characterSet()
		default:
			a.variable = p.take()
			a.variable.kind = tokenSystemVariable
			return p.assignedValue(a)
		}
		p.advance()
	}
	a.variable = p.take()
	a.global = a.global || a.variable.global
	if a.variable.kind != tokenUserVariable && a.variable.kind != tokenSystemVariable {
		return a, false
	}
	return p.assignedValue(a)
}

// characterSet reads SET NAMES and its likes, which change nothing here.
func (p *parser) characterSet() (a assignment, ok bool) {
	a.variable = token{kind: tokenSystemVariable, text: "names"}
	for p.now.kind == tokenWord || p.now.kind == tokenString {
		p.advance()
	}
	return a, true
}

func (p *parser) assignedValue(a assignment) (assignment, bool) {
	p.accept(tokenSymbol, ":")
	if !p.accept(tokenSymbol, "=") {
		return a, false
	}
	var ok bool
	a.value, ok = p.term()
	return a, ok
}

// shown reads what follows SHOW.
func (p *parser) shown() (question, bool) {
	q := question{kind: questionShow}
	var words []string
	for p.now.kind == tokenWord && p.now.text != "like" {
		switch word := p.take().text; word {
		case "global", "session", "full":
		default:
			words = append(words, word)
		}
	}
	q.shown = strings.Join(words, " ")
	if p.accept(tokenWord, "like") {
		pattern := p.take()
		q.like = strings.ToLower(pattern.text)
		return q, pattern.kind == tokenString
	}
	return q, true
}

// killed reads what follows KILL.
func (p *parser) killed() (question, bool) {
	for p.now.kind == tokenWord {
		p.advance()
	}
	t := p.take()
	id, err := strconv.ParseUint(t.text, 10, 64)
	return question{kind: questionKill, target: id}, t.kind == tokenNumber && err == nil
}
