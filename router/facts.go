package router

// Facts are what Decide must know of a session. They are a value; the zero
// value is a session with autocommit off, so set Autocommit.
type Facts struct {
	// InTransaction, ReadOnlyTransaction, Autocommit and Serializable are the
	// server's own words (status flags and session tracking), not the parser's.
	InTransaction       bool
	ReadOnlyTransaction bool
	Autocommit          bool
	Serializable        bool
	// Pinned: the session must use the connection it holds; PinReason says why.
	Pinned    bool
	PinReason Pin
	// WritesPending: an own write whose position is known; a slave may serve
	// once it has applied it, which the proxy sees to.
	WritesPending bool
	// WritePositionUnknown: an own write whose position is not known.
	WritePositionUnknown bool
	// SeesAll: the read must see every acknowledged write, and nobody but the
	// master knows which there are.
	SeesAll bool
	// Prepared: the statement comes by COM_STMT_EXECUTE.
	Prepared bool
	// SystemDatabase: the current database is mysql, sys, performance_schema
	// or information_schema, so that a table named without a schema is the
	// node's own.
	SystemDatabase bool
}

// Rules are the operator's wishes. They are immutable and shared; the zero
// value and nil are the default ones.
type Rules struct {
	// IgnoreHints makes comments comments.
	IgnoreHints bool
	// MasterOnly sends everything to the master.
	MasterOnly bool
	// SafeFunctions holds, in lower case and without the schema, the stored and
	// loadable functions that the configuration says change nothing. The
	// catalogue leaves the same names out of Unsafe.
	SafeFunctions map[string]struct{}
}

// allSafe reports whether the configuration lists every one of names as safe.
func (r *Rules) allSafe(names []string) bool {
	if r == nil {
		return len(names) == 0
	}
	for _, name := range names {
		if _, ok := r.SafeFunctions[name]; !ok {
			return false
		}
	}
	return true
}
