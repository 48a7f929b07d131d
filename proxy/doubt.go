package proxy

import (
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/router"
)

// unsettles reports whether a statement may have ended a transaction at which a
// MariaDB slave that applies in parallel says too early what it has: XA COMMIT,
// which is visible after what comes behind it, or one that was rolled back and is
// logged all the same, because it made a temporary table. A slave that Bellwether
// feeds gets both in other words, and waits; one that replicates from the master
// itself does not.
func (x *session) unsettles(s *router.Statement) bool {
	switch {
	case x.dialect.Flavour != cluster.FlavourMariaDB:
		return false
	case s.Flags.Has(router.Multi):
		return strings.Contains(s.Fingerprint, "xa ") || x.seen.gtid && strings.Contains(s.Fingerprint, "rollback")
	}
	return isXA(s) || x.seen.gtid && s.Kind == router.KindRollback
}

// doubt has the master serve until every slave that serves was seen to have what
// the session has written, a moment ago.
func (p *position) doubt(now time.Time) { p.doubted = now }

// doubtSpan is how long ago that must have been: then it shows it, too.
const doubtSpan = 100 * time.Millisecond

// believe ends the doubt where it can be ended.
func (p *position) believe(t *cluster.Topology, now time.Time) {
	if p.unknown {
		return
	}
	for _, i := range t.Readable {
		if n := &t.Nodes[i]; !n.Applied.ContainsSet(p.set) || !n.Asked.After(p.doubted) || now.Sub(n.Seen) < doubtSpan {
			return
		}
	}
	p.doubted = time.Time{}
}
