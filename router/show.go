package router

// show handles SHOW: what speaks of schemas may go to a slave, what speaks of
// the node or the session may not.
func (a *analysis) show(t []token) {
	a.kind = KindShow
	if a.ownShow(t) {
		return
	}
	i := 1
	for showAdjectives.has(at(t, i).text) && at(t, i).kind == tokenWord {
		i++
	}
	word := at(t, i)
	switch {
	case word.is("count") || word.is("warnings") || word.is("errors"):
		a.s.Flags |= NeedsDiagnostics
		a.forbid(ReasonDiagnostics)
	case word.is("profile") || word.is("profiles"):
		a.s.Flags |= NeedsDiagnostics
		a.forbid(ReasonDiagnostics)
	case !schemaShow(t, i):
		a.local(ReasonServerLocal)
	}
	names := len(a.s.Names)
	a.scanShow(t, i)
	a.forgetNames(names)
}

// scanShow looks at the WHERE of SHOW, which is an expression.
func (a *analysis) scanShow(t []token, i int) {
	for ; i < len(t); i++ {
		if t[i].is("where") {
			a.scan(t[i+1:])
			return
		}
		if t[i].is("for") || t[i].is("lock") || t[i].is("into") {
			a.clause(t, i)
		}
		if t[i].kind == tokenSystem || t[i].kind == tokenAssign || t[i].kind == tokenUser {
			a.forbid(ReasonUncertain)
		}
	}
}

// forgetNames drops the names added since there were n of them: SHOW and
// DESCRIBE look at a view's definition and do not run it.
func (a *analysis) forgetNames(n int) {
	for _, name := range a.s.Names[n:] {
		delete(a.seen, name)
	}
	a.s.Names = a.s.Names[:n]
}

// showAdjectives stand between SHOW and its subject.
var showAdjectives = words(`full extended global session local`)

// showSubjects are what SHOW tells of schemas with one word.
var showSubjects = words(`tables columns fields index indexes keys databases schemas triggers events collation
	charset`)

// showPairs are what SHOW tells of schemas with two words. SHOW CREATE TABLE
// and SHOW TABLE STATUS are not here: their AUTO_INCREMENT is the node's own.
var showPairs = map[string]set{
	"character": words(`set`),
	"procedure": words(`status`),
	"function":  words(`status`),
	"package":   words(`status body`),
	"create":    words(`view database schema procedure function trigger event sequence package`),
}

// schemaShow reports whether SHOW's subject at i is of the schema.
func schemaShow(t []token, i int) bool {
	word := at(t, i)
	if word.kind != tokenWord {
		return false
	}
	return showSubjects.has(word.text) || showPairs[word.text].has(at(t, i+1).text)
}

// explain handles EXPLAIN, DESCRIBE and DESC.
func (a *analysis) explain(t []token) {
	a.kind = KindShow
	i, runs := 1, false
	for ; i < len(t); i++ {
		switch {
		case at(t, i).is("analyze"):
			runs = true
			continue
		case at(t, i).is("extended"), at(t, i).is("partitions"):
			continue
		case at(t, i).is("format") && at(t, i+1).punct('='):
			i += 2
			continue
		}
		break
	}
	a.explained(t[min(i, len(t)):], runs)
}

// explained looks at what is explained: a statement, a connection or a table.
func (a *analysis) explained(t []token, runs bool) {
	first := at(t, 0)
	for i := 0; first.punct('('); i++ {
		first = at(t, i)
	}
	switch {
	case first.is("select") || first.is("with") || first.is("values") || first.is("table"):
		a.read(t)
	case first.is("insert") || first.is("update") || first.is("delete") || first.is("replace"):
		if runs {
			a.kind = KindWrite
		}
		a.forbid(ReasonWrite)
		a.scan(t)
	case first.is("for"):
		a.local(ReasonServerLocal)
	case first.ident() && !runs && len(t) <= 5 && !reserved.has(first.text):
		a.describe(t)
	default:
		a.forbid(ReasonUncertain)
		a.scan(t)
	}
}

// describe handles DESCRIBE [schema.]table [column].
func (a *analysis) describe(t []token) {
	for _, x := range t {
		if !x.ident() && !x.punct('.') && x.kind != tokenParam {
			a.forbid(ReasonUncertain)
		}
	}
}

// analyze handles ANALYZE TABLE, which writes, and MariaDB's ANALYZE of a
// statement, which runs it.
func (a *analysis) analyze(t []token) {
	i := 1
	if at(t, i).is("format") && at(t, i+1).punct('=') {
		i += 3
	}
	first := at(t, i)
	if first.is("select") || first.is("with") || first.is("values") || first.punct('(') {
		a.read(t[i:])
		return
	}
	if first.is("insert") || first.is("update") || first.is("delete") || first.is("replace") {
		a.as(KindWrite, ReasonWrite, t[i:])
		return
	}
	a.as(KindAdmin, ReasonAdmin, nil)
}
