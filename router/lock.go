package router

import "strconv"

// lock handles LOCK, UNLOCK and MariaDB's BACKUP.
func (a *analysis) lock(word string, t []token) {
	takes := word == "lock"
	if word == "backup" {
		stage := at(t, 1).is("stage") && !at(t, 2).is("end") || at(t, 1).is("lock")
		takes = stage
	}
	if takes {
		a.s.Flags |= LocksTables
	} else {
		a.s.Flags |= UnlocksTables
	}
	a.as(KindLock, ReasonTableLock, nil)
}

// flush handles FLUSH, which may lock: WITH READ LOCK, FOR EXPORT.
func (a *analysis) flush(t []token) {
	for i := range t {
		read := t[i].is("with") && at(t, i+1).is("read") && at(t, i+2).is("lock")
		if read || t[i].is("for") && at(t, i+1).is("export") {
			a.s.Flags |= LocksTables
			a.as(KindLock, ReasonTableLock, nil)
			return
		}
	}
	a.as(KindAdmin, ReasonAdmin, nil)
}

// handler handles HANDLER t OPEN, READ and CLOSE.
func (a *analysis) handler(t []token) {
	i, name := qualifiedName(t, 1)
	switch {
	case at(t, i).is("open"):
		a.s.Flags |= OpensHandler
		if at(t, i+1).is("as") {
			i++
		}
		if alias := at(t, i+1); alias.ident() {
			name = fold(alias.text)
		}
		a.s.Objects = append(a.s.Objects, name)
	case at(t, i).is("close"):
		a.s.Flags |= ClosesHandler
		a.s.Objects = append(a.s.Objects, name)
	}
	a.as(KindLock, ReasonHandler, t[min(i, len(t)):])
}

// qualifiedName reads [schema.]name at i: where it ends, and the name in
// lower case as it was written.
func qualifiedName(t []token, i int) (int, string) {
	name := fold(at(t, i).text)
	i++
	for at(t, i).punct('.') {
		name += "." + fold(at(t, i+1).text)
		i += 2
	}
	return i, name
}

// xa handles XA.
func (a *analysis) xa(t []token) {
	switch word := at(t, 1); {
	case word.is("start"), word.is("begin"):
		a.s.Flags |= StartsXA
	case word.is("commit"), word.is("rollback"):
		a.s.Flags |= EndsXA
	}
	a.as(KindLock, ReasonXA, nil)
}

// kill handles KILL [HARD|SOFT] [CONNECTION|QUERY] id.
func (a *analysis) kill(t []token) {
	a.kind = KindKill
	a.forbid(ReasonKill)
	i := 1
	for ; at(t, i).kind == tokenWord; i++ {
		switch at(t, i).text {
		case "query":
			a.s.KillQuery = true
		case "hard", "soft", "connection":
		default:
			return
		}
	}
	if at(t, i).kind == tokenNumber && i+1 == len(t) {
		a.s.KillID, _ = strconv.ParseUint(t[i].text, 10, 64)
	}
}
