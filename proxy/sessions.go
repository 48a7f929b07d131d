package proxy

import (
	"sync/atomic"
	"time"

	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// SessionState is what a session does. The zero value is not known.
type SessionState uint8

// The states.
const (
	SessionUnknown SessionState = iota
	SessionIdle                 // it waits for its client
	SessionRunning              // a node runs its statement
	SessionHeld                 // its statement waits for a master
	SessionWaiting              // its statement waits for a connection, or is slowed down
)

// String returns the state in lower case.
func (s SessionState) String() string {
	return [...]string{"unknown", "idle", "running", "held", "waiting"}[min(s, 4)]
}

// SessionView is a session as it is at a moment. It is a value.
type SessionView struct {
	ID            uint32
	User          string
	Client        string // host:port
	Listener      string // where it came to, host:port
	Database      string
	TLS           bool
	State         SessionState
	Since         time.Time // of the state
	Connected     time.Time
	Statement     string // what it runs, without literals; "" where it runs nothing
	Node          string // where it runs, or is pinned to; "" for nowhere
	InTransaction bool
	Pins          router.PinSet
	Consistency   router.Consistency
	Statements    uint64
}

// shown is what others may see of a session, whose goroutine alone writes it.
type shown struct {
	connected time.Time // set before anybody else sees the session
	secure    atomic.Bool
	// since is when the statement began, or the last one ended, in Unix nanoseconds
	// doubled; odd while one runs.
	since      atomic.Int64
	statements atomic.Uint64
	statement  atomic.Pointer[router.Statement]
	// facts are its pins, and above them the bits below.
	facts  atomic.Uint64
	schema atomic.Pointer[string]
	pinned atomic.Pointer[backend.Conn]
	// held is set while it waits for a master.
	held atomic.Bool

	// What was stored last, so that most of it need not be stored again.
	last struct {
		count     uint64
		statement *router.Statement
		facts     uint64
		schema    string
		pinned    *backend.Conn
	}
}

const (
	factTransaction = 1 << 16
	factConsistency = 17 // where the consistency begins
	// longestKept is the longest statement that an idle session may keep in memory.
	longestKept = 1 << 10
)

// begins shows that a statement begins.
func (s *shown) begins(statement *router.Statement, now time.Time) {
	if s.last.statement != statement {
		s.last.statement = statement
		s.statement.Store(statement)
	}
	s.since.Store(now.UnixNano()<<1 | 1)
	s.last.count++
	s.statements.Store(s.last.count)
}

// ends shows that it has ended.
func (s *shown) ends(now time.Time) {
	s.since.Store(now.UnixNano() << 1)
	if len(s.last.statement.Fingerprint) > longestKept {
		s.last.statement = nil
		s.statement.Store(nil)
	}
}

// show publishes what a command has changed.
func (x *session) show() {
	s := &x.shown
	facts := uint64(x.pins) | uint64(x.consistency)<<factConsistency
	if x.status&wire.StatusInTransaction != 0 {
		facts |= factTransaction
	}
	if facts != s.last.facts {
		s.last.facts = facts
		s.facts.Store(facts)
	}
	if x.held != s.last.pinned {
		s.last.pinned = x.held
		s.pinned.Store(x.held)
	}
	if x.schema != s.last.schema {
		schema := x.schema
		s.last.schema = schema
		s.schema.Store(&schema)
	}
}

// Sessions returns the sessions of all clients that are logged in, in no order.
// Any goroutine may call it.
func (s *Server) Sessions() []SessionView {
	s.mu.Lock()
	all := make([]*session, 0, len(s.sessions))
	for _, x := range s.sessions {
		all = append(all, x)
	}
	s.mu.Unlock()
	views, listener := make([]SessionView, 0, len(all)), s.Addr().String()
	for _, x := range all {
		if user := x.user.Load(); user != nil {
			views = append(views, x.view(user, listener))
		}
	}
	return views
}

// view is called by others than the session's goroutine.
func (x *session) view(user *backend.Account, listener string) SessionView {
	s := &x.shown
	facts, since := s.facts.Load(), s.since.Load()
	v := SessionView{
		ID: x.id, User: user.User, Client: x.socket.RemoteAddr().String(), Listener: listener, TLS: s.secure.Load(),
		State: SessionIdle, Since: time.Unix(0, since>>1), Connected: s.connected,
		InTransaction: facts&factTransaction != 0, Pins: router.PinSet(facts & (factTransaction - 1)),
		Consistency: router.Consistency(facts >> factConsistency), Statements: s.statements.Load(),
	}
	if since == 0 {
		v.Since = s.connected
	}
	if v.Consistency == router.ConsistencyUnset {
		v.Consistency = x.server.config.Load().consistencyOf(user.User)
	}
	if schema := s.schema.Load(); schema != nil {
		v.Database = *schema
	}
	if c := s.pinned.Load(); c != nil {
		v.Node = c.Node()
	}
	if since&1 != 0 {
		x.viewRunning(&v)
	}
	return v
}

// viewRunning adds what is known of the statement that is under way.
func (x *session) viewRunning(v *SessionView) {
	v.State = SessionWaiting
	if c := x.busy.Load(); c != nil {
		v.State, v.Node = SessionRunning, c.Node()
	} else if x.shown.held.Load() {
		v.State = SessionHeld
	}
	if statement := x.shown.statement.Load(); statement != nil {
		v.Statement = x.server.digests.textOf(statement, v.Database)
	}
}

// textOf is the text of a statement for people, as its digest has it where there
// is one.
func (d *digests) textOf(s *router.Statement, database string) string {
	if found := d.find(s, database); found != nil && found.text != "" {
		return found.text
	}
	return clip(s.Fingerprint)
}

// KillSession ends a session as KILL does, or with queryOnly the statement that
// it runs; false where there is none with this id. Any goroutine may call it; it
// may take seconds, in which the node is told.
func (s *Server) KillSession(id uint32, queryOnly bool) bool {
	victim := s.find(id)
	if victim == nil {
		return false
	}
	if !queryOnly {
		victim.cutOff()
	}
	s.cancel(victim)
	return true
}
