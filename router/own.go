package router

import "strings"

// Own is a statement of Bellwether's own words, which no node knows and none
// may get. It is immutable.
type Own struct {
	// Status is set for SHOW BELLWETHER STATUS, and Like where a pattern stands
	// behind it; otherwise it is SET Variable = Value.
	Status, Like bool
	// Variable is what is set, in lower case: bellwether_consistency, say.
	Variable string
	// Value is the literal without its quotes; "" where it is DEFAULT, with
	// Default set.
	Value   string
	Default bool
	// Problem says for people why the statement cannot be served, "" where it can.
	Problem string
}

// ownPrefix begins the names of Bellwether's own variables.
const ownPrefix = "bellwether_"

// ownAlone is the problem of what stands beside something else.
const ownAlone = "what only Bellwether knows stands in a statement, and a packet, of its own"

// ownSet reports whether SET, of which t is what follows, sets a variable of
// Bellwether's own, and notes it.
func (a *analysis) ownSet(t []token) bool {
	var own *Own
	count := 0
	for len(t) > 0 {
		var one []token
		one, t = cutComma(t)
		count++
		if o := ownSetting(one); o != nil {
			own = o
		}
	}
	if own == nil {
		return false
	}
	if count > 1 {
		own.Problem = ownAlone
	}
	a.own(own)
	return true
}

func (a *analysis) own(o *Own) {
	a.s.Own = o
	a.forbid(ReasonBellwether)
}

// ownSetting reads one assignment, nil where it is of a server's variable.
func ownSetting(t []token) *Own {
	t, global := cutScope(t)
	name := at(t, 0)
	if !name.ident() || !strings.HasPrefix(fold(name.text), ownPrefix) {
		return nil
	}
	o := &Own{Variable: fold(name.text)}
	value := at(t, 2)
	switch {
	case !assigns(at(t, 1)):
		o.Problem = "there is no value"
	case global:
		o.Problem = "it is of the session alone; what holds for all stands in the configuration"
	case len(t) != 3:
		o.Problem = "the value is no literal"
	case value.is("default"):
		o.Default = true
	case value.kind == tokenString, value.ident(), value.kind == tokenNumber:
		o.Value = unquote(value.text)
	default:
		o.Problem = "the value is no literal"
	}
	return o
}

// cutScope drops what says whose variable is set.
func cutScope(t []token) (rest []token, global bool) {
	sc, named := scopes[at(t, 0).text]
	switch {
	case at(t, 0).kind == tokenWord && named && !assigns(at(t, 1)):
		return t[1:], sc == scopeGlobal
	case at(t, 0).kind != tokenSystem:
		return t, false
	}
	t = t[1:]
	if sc, named = scopes[at(t, 0).text]; named && at(t, 1).punct('.') {
		return t[2:], sc == scopeGlobal
	}
	return t, false
}

// ownShow reports whether t is SHOW BELLWETHER STATUS, and notes it.
func (a *analysis) ownShow(t []token) bool {
	if !at(t, 1).is("bellwether") {
		return false
	}
	o := &Own{Status: true}
	switch {
	case len(t) == 3 && t[2].is("status"):
	case len(t) == 5 && t[2].is("status") && t[3].is("like") && t[4].kind == tokenParam:
		o.Like = true
	default:
		o.Problem = "say SHOW BELLWETHER STATUS, or SHOW BELLWETHER STATUS LIKE 'pattern'"
	}
	a.own(o)
	return true
}
