package proxy

import (
	"slices"

	"github.com/bellwether-db/bellwether/router"
)

// things are the named things of a session that live on one connection only,
// counted so that the pin goes when the last of them does. "" stands for a
// name that is not known: only a reset of the session ends its pin.
type things struct {
	temporaryTables map[string]int
	userLocks       map[string]int
	handlers        map[string]int
	prepares        map[string]int
	schemas         map[string]string // of prepares
	// tracks is the session tracking that the client itself has asked for.
	tracks map[string]string
	// lent are the variables that SET STATEMENT has set, until the node tells that
	// they are what they were, and restored those until the client is told.
	lent     map[string]bool
	restored map[string]string
}

func count(m *map[string]int, names []string, by int) {
	if *m == nil {
		*m = map[string]int{}
	}
	for _, name := range names {
		if n := (*m)[name] + by; n > 0 {
			(*m)[name] = n
		} else {
			delete(*m, name)
		}
	}
}

// once is count for things that a second making replaces.
func once(m *map[string]int, names []string) {
	count(m, names, 0)
	for _, name := range names {
		(*m)[name] = 1
	}
}

// note brings the things up to date with a statement that succeeded, and
// returns the pins that follow.
func (x *session) note(s *router.Statement) router.PinSet {
	const interesting = router.MakesTemporaryTable | router.DropsTemporaryTable | router.TakesUserLock |
		router.ReleasesUserLock | router.OpensHandler | router.ClosesHandler | router.PreparesText | router.DeallocatesText
	if !s.Flags.Any(interesting) {
		return x.pins
	}
	if x.things == nil {
		x.things = &things{}
	}
	t := x.things
	t.change(s.Flags, s.Objects, x.seen.changed)
	t.preparedIn(s, x.schema)
	pins := x.pins
	pins = pinWhile(pins, router.PinTemporaryTable, t.temporaryTables)
	pins = pinWhile(pins, router.PinUserLock, t.userLocks)
	pins = pinWhile(pins, router.PinHandler, t.handlers)
	return pinWhile(pins, router.PinTextPrepare, t.prepares)
}

// preparedIn notes the schema of a text prepared statement. One that could not be
// prepared has taken the one of its name away.
func (t *things) preparedIn(s *router.Statement, schema string) {
	for _, name := range s.Objects {
		switch {
		case s.Flags.Has(router.PreparesText):
			if t.schemas == nil {
				t.schemas = map[string]string{}
			}
			t.schemas[name] = schema
		case s.Flags.Has(router.DeallocatesText):
			delete(t.schemas, name)
		}
	}
}

// notPrepared follows a PREPARE that failed.
func (t *things) notPrepared(s *router.Statement) {
	for _, name := range s.Objects {
		delete(t.schemas, name)
	}
}

// change follows one statement. changed says whether the server reported a
// change of the session's state: it does for a temporary table that is dropped
// and not for a real one of the same name.
func (t *things) change(f router.Flags, names []string, changed bool) {
	if f.Has(router.MakesTemporaryTable) {
		count(&t.temporaryTables, names, 1)
	}
	if f.Has(router.DropsTemporaryTable) && !f.Has(router.Multi) && changed {
		count(&t.temporaryTables, names, -1)
	}
	if f.Has(router.TakesUserLock) {
		count(&t.userLocks, names, 1)
	}
	switch {
	case !f.Has(router.ReleasesUserLock) || f.Has(router.TakesUserLock):
	case len(names) == 0: // RELEASE_ALL_LOCKS
		t.userLocks = nil
	case !slices.Contains(names, ""):
		count(&t.userLocks, names, -1)
	}
	if f.Has(router.OpensHandler) {
		once(&t.handlers, names)
	}
	if f.Has(router.ClosesHandler) {
		count(&t.handlers, names, -1)
	}
	if f.Has(router.PreparesText) {
		once(&t.prepares, names)
	}
	if f.Has(router.DeallocatesText) {
		count(&t.prepares, names, -1)
	}
}

func pinWhile(pins router.PinSet, pin router.Pin, things map[string]int) router.PinSet {
	if len(things) > 0 {
		return pins.With(pin)
	}
	return pins.Without(pin)
}
