package proxy

import (
	"context"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// quietPause is between two looks at who still writes.
const quietPause = time.Millisecond

// Quiet returns once no write and no transaction of a client is under way on the
// master, with ctx's error where some still are. Writes must be held, so that no
// new one begins: a session that has looked before looks again.
func (s *Server) Quiet(ctx context.Context) error {
	tick := time.NewTicker(quietPause)
	defer tick.Stop()
	for s.engaged() > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// engaged counts the sessions that write, or have a transaction open.
func (s *Server) engaged() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.sessions {
		if x.engaged.Load() {
			n++
		}
	}
	return n
}

// engage notes that the session writes on the master, or opens a transaction
// there, before it does. It reports false where the topology has changed since it
// was loaded: Quiet may have looked already.
func (x *session) engage(c *backend.Conn, t *cluster.Topology, reason router.Reason) bool {
	const plain = wire.StatusAutocommit
	if reason == router.ReasonNone && x.status&(wire.StatusInTransaction|wire.StatusAutocommit) == plain ||
		x.engaged.Load() || c.Node() != masterName(t) {
		return true
	}
	x.engaged.Store(true)
	return x.topology().Generation == t.Generation
}

// disengage notes the end of a write, or of a transaction.
func (x *session) disengage() {
	if x.engaged.Load() && !(x.held != nil && x.status&wire.StatusInTransaction != 0) {
		x.engaged.Store(false)
	}
}
