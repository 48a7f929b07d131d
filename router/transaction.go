package router

// transaction handles what begins, ends and divides transactions.
func (a *analysis) transaction(word string, t []token) {
	switch word {
	case "begin":
		a.begin(t)
	case "start":
		a.start(t)
	case "commit":
		a.as(KindCommit, ReasonTransaction, nil)
	case "rollback":
		a.rollback(t)
	case "savepoint":
		a.as(KindSavepoint, ReasonTransaction, nil)
	case "release":
		a.as(KindSavepoint, ReasonTransaction, nil)
	}
}

// begin handles BEGIN, and the blocks that begin with it.
func (a *analysis) begin(t []token) {
	if len(t) == 1 || len(t) == 2 && t[1].is("work") {
		a.as(KindBegin, ReasonTransaction, nil)
		return
	}
	a.as(KindCall, ReasonUncertain, t)
}

// start handles START TRANSACTION; START SLAVE and its kin act on the server.
func (a *analysis) start(t []token) {
	if !at(t, 1).is("transaction") {
		a.as(KindAdmin, ReasonAdmin, nil)
		return
	}
	readOnly, readWrite := false, false
	for i := 2; i < len(t); i++ {
		if t[i].is("read") {
			readOnly = readOnly || at(t, i+1).is("only")
			readWrite = readWrite || at(t, i+1).is("write")
		}
	}
	if readOnly && !readWrite {
		a.s.Flags |= ReadOnlyTransaction
		a.as(KindBegin, ReasonReadOnlyTransaction, nil)
		return
	}
	a.as(KindBegin, ReasonTransaction, nil)
}

// rollback handles ROLLBACK [WORK] and ROLLBACK [WORK] TO.
func (a *analysis) rollback(t []token) {
	for _, x := range t {
		if x.is("to") {
			a.as(KindSavepoint, ReasonTransaction, nil)
			return
		}
	}
	a.as(KindRollback, ReasonTransaction, nil)
}
