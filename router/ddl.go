package router

// create handles CREATE. The body of a routine is not this session's doing.
func (a *analysis) create(t []token) {
	i := 1
	if at(t, i).is("or") && at(t, i+1).is("replace") {
		i += 2
	}
	if at(t, i).is("temporary") {
		a.s.Flags |= MakesTemporaryTable
		i = afterIf(t, i+2)
		_, name := qualifiedName(t, i)
		a.s.Objects = append(a.s.Objects, name)
		a.as(KindDDL, ReasonTemporaryTable, t)
		return
	}
	a.kind = KindDDL
	a.forbid(ReasonDDL)
	if at(t, i).is("table") {
		a.scan(t)
	}
}

// afterIf skips IF [NOT] EXISTS at i.
func afterIf(t []token, i int) int {
	if !at(t, i).is("if") {
		return i
	}
	i++
	if at(t, i).is("not") {
		i++
	}
	return i + 1
}

// drop handles DROP: a table may be a temporary one, a PREPARE is a statement.
func (a *analysis) drop(t []token) {
	i := 1
	if at(t, i).is("prepare") {
		a.s.Flags |= DeallocatesText
		a.kind = KindPrepare
		a.forbid(ReasonTextPrepare)
		a.object(at(t, i+1))
		return
	}
	a.kind = KindDDL
	a.forbid(ReasonDDL)
	if at(t, i).is("temporary") {
		i++
	}
	if !at(t, i).is("table") && !at(t, i).is("tables") && !at(t, i).is("sequence") {
		return
	}
	a.s.Flags |= DropsTemporaryTable
	for i = afterIf(t, i+1); at(t, i).ident(); i++ {
		var name string
		i, name = qualifiedName(t, i)
		a.s.Objects = append(a.s.Objects, name)
		if !at(t, i).punct(',') {
			return
		}
	}
}
