package router

import "github.com/bellwether-db/bellwether/cluster"

// BeginsWrite reports whether s begins what may write: a statement with
// autocommit, or a transaction. It is false inside a transaction, and for what
// only looks or sets. With autocommit off a read begins a transaction, too. It
// is pure; rules may be nil.
func BeginsWrite(s *Statement, f Facts, t *cluster.Topology, rules *Rules) bool {
	if f.InTransaction {
		return false
	}
	switch s.Kind {
	case KindRead:
		if !f.Autocommit {
			return true
		}
		if len(s.Calls) == 0 && !s.Flags.Has(Multi) {
			return false
		}
	case KindSet, KindShow:
		if !s.Flags.Has(Multi) {
			return false
		}
	}
	return startsWrite(s, t, rules)
}
