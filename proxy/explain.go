package proxy

import (
	"fmt"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/router"
)

// Question is a statement, and the session that it would come in. It is a value.
type Question struct {
	SQL, Database string
	// Consistency is what the session has set; "" is what is configured.
	Consistency string
	// InTransaction is set inside a transaction that may write.
	InTransaction bool
}

// Explained is what would become of a statement now. Its parts are shared and
// must not be changed.
type Explained struct {
	Statement *router.Statement
	Decision  router.Decision
	Topology  *cluster.Topology
	// Consistency is what the statement may not miss.
	Consistency router.Consistency
	// Statements is how many there are in the text.
	Statements int
	// Digest and Text are those that it would be counted under.
	Digest, Text string
}

// Explain says what would become of a statement now, in a session that has done
// nothing else, with the nodes and the rules as they are. Any goroutine may call it.
func (s *Server) Explain(q Question) (Explained, error) {
	config, t := s.config.Load(), s.store.Load()
	e := Explained{Topology: t, Consistency: config.Consistency}
	if q.Consistency != "" {
		level, err := router.ParseConsistency(q.Consistency)
		if err != nil {
			return e, fmt.Errorf("explain: %w", err)
		}
		e.Consistency = level
	}
	var dialect router.Dialect
	if n := speaker(t); n != nil {
		dialect.Flavour = n.Flavour
	}
	sql := []byte(q.SQL)
	e.Statement = s.classifier.Classify(sql, dialect, new(router.Scratch))
	if own := e.Statement.Hint.Consistency; own != router.ConsistencyUnset && !config.Rules.IgnoreHints {
		e.Consistency = own
	}
	facts := router.Facts{Autocommit: true, InTransaction: q.InTransaction, SystemDatabase: systemSchema(q.Database)}
	if e.Consistency == router.ConsistencyGlobal {
		_, whole := s.logEnd()
		facts.SeesAll = !whole
	}
	e.Decision = router.Decide(e.Statement, facts, t, &config.Rules)
	e.Statements = router.Statements(sql, dialect)
	e.Digest, e.Text = digestID(e.Statement, q.Database), router.Normalise(sql, dialect, mostDigestText)
	return e, nil
}
