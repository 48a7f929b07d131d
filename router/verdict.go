package router

import (
	"sync/atomic"

	"github.com/bellwether-db/bellwether/cluster"
)

// verdictCache remembers what one version of the catalogue says of a
// statement's names. It may be used by any number of goroutines.
type verdictCache struct {
	// word is 0 while nothing is known, else version<<2 | unsafe<<1 | 1.
	word atomic.Uint64
}

// unsafeNames reports whether one of the statement's names is a stored
// function, or a view that may reach one. It allocates nothing.
func (s *Statement) unsafeNames(c *cluster.Catalogue) bool {
	if word := s.verdict.word.Load(); word&1 == 1 && word>>2 == c.Version&(1<<62-1) {
		return word&2 != 0
	}
	word := c.Version<<2 | 1
	for _, name := range s.Names {
		if _, bad := c.Unsafe[name]; bad {
			word |= 2
			break
		}
	}
	s.verdict.word.Store(word)
	return word&2 != 0
}

// OnlyAsks reports whether the statement does nothing but ask about the
// session's previous statement, so that it may run on whatever node that ran
// on: it changes nothing, locks nothing and sets nothing.
func (s *Statement) OnlyAsks(c *cluster.Catalogue) bool {
	return s.Flags.Has(NeedsDiagnostics) && s.Kind == KindRead && s.safeNames(c) &&
		s.only(1<<ReasonDiagnostics|1<<ReasonFoundRows|1<<ReasonServerVariable) || s.OnlyLooks()
}

// safeNames reports whether no name can be a stored function's, also while
// the catalogue is being read again: nothing shadows these two.
func (s *Statement) safeNames(c *cluster.Catalogue) bool {
	if c.Known {
		return !s.unsafeNames(c)
	}
	for _, name := range s.Names {
		if name != "found_rows" && name != "row_count" {
			return false
		}
	}
	return true
}

// OnlyLooks reports whether the statement is a SHOW that tells of the node or
// of the previous statement and does nothing.
func (s *Statement) OnlyLooks() bool {
	return s.Kind == KindShow && s.only(1<<ReasonServerLocal|1<<ReasonDiagnostics)
}

// only reports whether nothing but these reasons keeps it from being a certain read.
func (s *Statement) only(reasons uint64) bool {
	return !s.Flags.Any(Multi|SetsUserVariables) && len(s.Calls) == 0 &&
		s.reasons != 0 && s.reasons&^reasons == 0 && reasons&(1<<s.Reason) != 0
}

// Certain says whether the statement is certain to change nothing and lock
// nothing: ReasonNone, or why not. It may be called by any number of
// goroutines and allocates nothing. rules may be nil.
func (s *Statement) Certain(c *cluster.Catalogue, rules *Rules) Reason {
	// A statement with calls that nobody knows would be a read but for them.
	listed := s.Reason == ReasonStoredFunction && len(s.Calls) > 0 && rules.allSafe(s.Calls)
	if !listed && !s.Flags.Has(OnlyReads) {
		return s.Reason
	}
	if !s.Flags.Has(MayUseCatalogue) {
		return ReasonNone
	}
	if !c.Known {
		return ReasonCatalogueUnknown
	}
	if s.unsafeNames(c) {
		return ReasonStoredFunction
	}
	return ReasonNone
}
