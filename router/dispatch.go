package router

// dispatch looks at the first word of one statement.
func (a *analysis) dispatch(t []token) {
	first := 0
	for at(t, first).punct('(') {
		first++
	}
	word := at(t, first)
	if word.kind != tokenWord {
		a.forbid(ReasonUncertain)
		a.scan(t)
		return
	}
	if first > 0 && word.text != "select" && word.text != "with" && word.text != "values" && word.text != "table" {
		a.forbid(ReasonUncertain)
	}
	if !a.dispatchRead(word.text, t) && !a.dispatchChange(word.text, t) && !a.dispatchSession(word.text, t) {
		a.forbid(ReasonUncertain)
		a.scan(t)
	}
}

// dispatchRead handles what reads.
func (a *analysis) dispatchRead(word string, t []token) bool {
	switch word {
	case "select", "with", "values", "table":
		a.read(t)
	case "show":
		a.show(t)
	case "explain", "describe", "desc":
		a.explain(t)
	case "analyze", "analyse":
		a.analyze(t)
	default:
		return false
	}
	return true
}

// dispatchChange handles what changes data, schemas, accounts or the server.
func (a *analysis) dispatchChange(word string, t []token) bool {
	switch word {
	case "insert", "replace", "update", "delete":
		a.as(KindWrite, ReasonWrite, t)
	case "load":
		a.load(t)
	case "create":
		a.create(t)
	case "drop":
		a.drop(t)
	case "alter", "rename", "truncate", "grant", "revoke", "comment":
		a.as(KindDDL, ReasonDDL, t)
	case "import", "install", "uninstall":
		a.as(KindDDL, ReasonAdmin, nil)
	case "call":
		a.call(t)
	case "do":
		a.as(KindCall, ReasonProcedure, t)
	case "execute":
		a.execute(t)
	case "if", "case", "loop", "while", "repeat", "for", "declare":
		a.as(KindCall, ReasonUncertain, t)
	case "flush":
		a.flush(t)
	case "repair", "optimize", "check", "checksum", "cache", "clone", "restart", "shutdown", "purge", "reset",
		"change", "stop", "binlog", "help", "signal", "resignal", "optimise":
		a.as(KindAdmin, ReasonAdmin, nil)
	default:
		return false
	}
	return true
}

// dispatchSession handles what changes the session or its transaction.
func (a *analysis) dispatchSession(word string, t []token) bool {
	switch word {
	case "begin", "start", "commit", "rollback", "savepoint", "release":
		a.transaction(word, t)
	case "set":
		a.set(t)
	case "use":
		a.as(KindUse, ReasonSessionState, nil)
	case "prepare", "deallocate":
		a.prepare(t)
	case "lock", "unlock", "backup":
		a.lock(word, t)
	case "handler":
		a.handler(t)
	case "xa":
		a.xa(t)
	case "kill":
		a.kill(t)
	case "get":
		a.s.Flags |= NeedsDiagnostics | SetsUserVariables
		a.as(KindAdmin, ReasonDiagnostics, t)
	default:
		return false
	}
	return true
}

// as gives the statement its kind and reason, and scans the rest for what it
// asks of the session.
func (a *analysis) as(k Kind, r Reason, rest []token) {
	a.kind = k
	a.forbid(r)
	a.scan(rest)
}

// read handles SELECT, VALUES, TABLE and WITH.
func (a *analysis) read(t []token) {
	a.kind = KindRead
	if asksConnectionID(t) {
		a.s.Flags |= SelectsConnectionID
	}
	a.scan(t)
}

// asksConnectionID reports whether t is SELECT CONNECTION_ID() alone, perhaps
// with an alias.
func asksConnectionID(t []token) bool {
	if len(t) < 4 || !t[0].is("select") || !t[1].is("connection_id") || !t[2].punct('(') || !t[3].punct(')') {
		return false
	}
	rest := t[4:]
	if at(rest, 0).is("as") {
		rest = rest[1:]
	}
	return len(rest) == 0 || len(rest) == 1 && rest[0].ident() && !reserved.has(rest[0].text)
}

func (a *analysis) load(t []token) {
	if at(t, 1).is("data") || at(t, 1).is("xml") {
		for _, x := range t {
			if x.kind == tokenUser {
				a.s.Flags |= SetsUserVariables
			}
		}
		a.as(KindWrite, ReasonWrite, t)
		return
	}
	a.as(KindAdmin, ReasonAdmin, nil)
}

// call handles CALL: a variable among the arguments may be set.
func (a *analysis) call(t []token) {
	for _, x := range t {
		if x.kind == tokenUser {
			a.s.Flags |= SetsUserVariables
		}
	}
	a.as(KindCall, ReasonProcedure, t)
}

// execute handles EXECUTE of a text prepared statement, which may be anything.
func (a *analysis) execute(t []token) {
	if at(t, 1).is("immediate") {
		a.as(KindCall, ReasonUncertain, t)
		return
	}
	a.as(KindCall, ReasonTextPrepare, t)
}

// prepare handles PREPARE s FROM and DEALLOCATE PREPARE s.
func (a *analysis) prepare(t []token) {
	a.kind = KindPrepare
	a.forbid(ReasonTextPrepare)
	if t[0].is("prepare") {
		a.s.Flags |= PreparesText
		a.object(at(t, 1))
	} else {
		a.s.Flags |= DeallocatesText
		a.object(at(t, 2))
	}
	a.scan(t)
}

// object adds an identifier to the statement's objects.
func (a *analysis) object(t token) {
	if t.ident() {
		a.s.Objects = append(a.s.Objects, fold(t.text))
	}
}
