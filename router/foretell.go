package router

// Foretold returns the pins that a statement will leave with its session, as far
// as it can be told before it runs; what a procedure or a trigger leaves cannot.
func (s *Statement) Foretold() (pins PinSet) {
	for _, of := range foretold {
		if s.Flags.Any(of.flags) {
			pins = pins.With(of.pin)
		}
	}
	if s.Kind == KindBegin {
		pins = pins.With(PinTransaction)
	}
	return pins
}

// foretold are the pins that follow from flags; immutable.
var foretold = [...]struct {
	flags Flags
	pin   Pin
}{
	{MakesTemporaryTable, PinTemporaryTable},
	{SetsUserVariables, PinUserVariable},
	{TakesUserLock, PinUserLock},
	{LocksTables, PinTableLock},
	{OpensHandler, PinHandler},
	{StartsXA, PinXA},
	{PreparesText, PinTextPrepare},
	{SetsUncarried, PinSessionState},
	{SetsNextTransaction, PinNextTransaction},
	{CalcFoundRows, PinDiagnostics},
}

// Statements returns how many statements a text has, empty ones not counted.
func Statements(sql []byte, d Dialect) (n int) {
	var s Scratch
	s.strip(sql, d)
	tokens, _ := lex(string(s.out[prefix:]), d)
	inside := false
	for _, t := range tokens {
		switch {
		case t.punct(';'):
			inside = false
		case !inside && t.kind != tokenClose:
			inside = true
			n++
		}
	}
	return n
}
