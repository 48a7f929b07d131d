package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime/debug"
	"sync/atomic"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// session is one client. Its goroutine owns every field but the atomic ones.
type session struct {
	server  *Server
	ctx     context.Context
	client  *wire.Conn
	socket  net.Conn // under client; what others may close
	id      uint32
	owner   backend.Owner
	account *backend.Account
	random  uint64

	capabilities wire.Capability
	collation    uint16
	// initial is the state that the login made.
	initial *backend.State

	// What follows the server's words.
	state        *backend.State
	schema       string
	status       uint16
	dialect      router.Dialect
	serializable bool
	autoIsNull   bool // sql_auto_is_null

	// held is the connection that the session is pinned to, nil without pins.
	held *backend.Conn
	pins router.PinSet
	// parked are the connections that come back to the session if nobody else
	// needed them.
	parked []*backend.Conn
	// before is a connection that others have used, or the session itself before it
	// was reset, until its next statement there: the one of the login, or one that
	// is kept because FOUND_ROWS() outlives a reset.
	before *backend.Conn
	// prev is what statements before have left for questions about them.
	prev previous
	// erred is set while the connection may have begun a transaction before a
	// statement ended in an error: the next answer without one tells.
	erred bool
	// warnings is the number of conditions of the last statement.
	warnings uint16
	// unresolved is what has to be asked of last before another statement.
	unresolved unresolved
	// owed is set while the client has yet to be told its schema: see tellOwed.
	owed bool
	// schemaReset is set while MySQL has forgotten the schema's collation: see
	// backend.Conn.
	schemaReset bool

	position position
	read     lastRead
	demand   demand // of the running statement
	awaited  awaited
	// consistency is what the client has set, for as long as the session lasts.
	consistency router.Consistency
	insertID    *backend.Carry
	things      *things // what pins speak of; nil before the first

	// wasReadOnly says that a READ ONLY transaction ran before the statement.
	wasReadOnly bool
	// readOnlyBegin is the text that began the READ ONLY transaction, "" without one.
	readOnlyBegin string

	statements map[uint32]*prepared
	lastID     uint32

	tally  tally
	relay  wire.Relay
	answer wire.Answer
	seen   seen
	// rec is the open transaction, nil without one; orphan is set while its
	// connection is gone.
	rec    *record
	orphan *orphan

	// busy is the connection on which a statement runs, since when busySince says.
	busy      atomic.Pointer[backend.Conn]
	busySince atomic.Int64
	killed    atomic.Bool
	// engaged is set while it writes on the master or has a transaction open there.
	engaged atomic.Bool
	// recorded is the connection to the master on which the transaction has run that
	// can be run again; nil without one. turn is set while others wait for that; was
	// is the last one in which it was.
	recorded atomic.Pointer[backend.Conn]
	turn     atomic.Pointer[turn]
	was      *turn
	// delayed ends the wait of a write that is slowed down or held; nil without one.
	delayed atomic.Pointer[context.CancelFunc]
	// user is account, for other sessions to look at.
	user  atomic.Pointer[backend.Account]
	shown shown
}

// unresolved is a set of things that the server has told only in part.
type unresolved uint8

const (
	unresolvedCollation unresolved = 1 << iota // behind character_set_connection
	unresolvedNames                            // SET NAMES gave all three that collation
	unresolvedTracking                         // what the client wants tracked
)

// seen is what the answers to the running statement have told.
type seen struct {
	conn      *backend.Conn
	statement *router.Statement
	reason    router.Reason // why the statement is no certain read, if so
	stateSet  bool          // a variable or the schema changed
	changed   bool          // the server says that the session's state changed
	charset   bool          // character_set_connection changed
	collated  bool          // collation_connection did
	gtid      bool          // some answer told the GTID of a write
	last      bool          // the last answer did
	lent      bool          // variables are set for this statement only (SET STATEMENT)
	marks     bool          // it goes to another schema and comes back, which the server tells
	uses      bool          // it goes to a schema to stay
	told      bool          // the server told a schema
	stale     bool          // and what it told was of an earlier statement
	begun     bool          // a transaction was open before
	mark      marked
}

// errQuit ends a session in order.
var errQuit = errors.New("client quit")

// loop serves commands until the client leaves or something breaks.
func (x *session) loop() bool {
	x.client.SetMaxPacket(x.server.config.Load().MaxPacket)
	x.show()
	for {
		frame, payload, err := x.client.ReadCommand()
		if err != nil {
			x.readError(err)
			return false
		}
		if err := x.command(frame, payload); err != nil {
			x.failed(err)
			return false
		}
		x.show()
		x.client.Release()
		if x.killed.Load() {
			return false
		}
	}
}

func (x *session) readError(err error) {
	if errors.Is(err, wire.ErrPacketTooLarge) {
		_ = x.sendError(&wire.ServerError{Code: wire.CodePacketTooLarge, State: "08S01",
			Message: "Got a packet bigger than proxy.max_packet of Bellwether; raise it, and max_allowed_packet of the nodes"})
		return
	}
	x.failed(&wire.SideError{Side: wire.SideClient, Err: err})
}

// failed says why a session ended, where that is worth saying.
func (x *session) failed(err error) {
	var side *wire.SideError
	switch {
	case errors.Is(err, errQuit), errors.Is(err, io.EOF), x.ctx.Err() != nil, x.killed.Load():
		return
	case errors.As(err, &side):
		x.server.metrics.failure(side.Side, 0)
	}
	x.server.log.Debug("session ended", "session", x.id, "error", err)
}

// guard runs one part of the session's life and reports whether the session
// may go on. Whatever goes wrong in it ends this session and no other.
func (x *session) guard(part func() bool) (ok bool) {
	defer x.recovered(&ok)
	return part()
}

func (x *session) recovered(ok *bool) {
	if r := recover(); r != nil {
		*ok = false
		x.server.metrics.panics.Add(1)
		x.server.log.Error("session ended by a defect of Bellwether; please report it",
			"session", x.id, "panic", r, "stack", string(debug.Stack()))
		x.client.Close()
		if c := x.busy.Load(); c != nil {
			c.Sever()
		}
	}
}

// end gives back whatever the session has.
func (x *session) end() bool {
	x.before = nil
	x.dropConnections()
	if x.account != nil {
		x.account.Leave()
	}
	return false
}

// dropConnections gives up every connection, ending what runs there.
func (x *session) dropConnections() {
	if x.held != nil {
		x.releaseDirty(x.held)
		x.held = nil
	}
	x.pins, x.orphan = 0, nil
	x.forgetRecord()
	x.engaged.Store(false)
	kept := x.parked[:0]
	for _, c := range x.parked {
		switch {
		case c == x.before:
			kept = append(kept, c)
		case c.Retake(x.owner):
			x.abandon(c)
		}
	}
	clear(x.parked[len(kept):])
	x.parked = kept
	x.prev.last = nil
}

// keepFound keeps the connection that knows FOUND_ROWS() through a reset of the
// session, which leaves that as it is.
func (x *session) keepFound() {
	if x.prev.found.kind != foundAt {
		return
	}
	c := x.prev.found.conn
	if c == x.held {
		if x.pins.Has(router.PinXA) || x.resetConn(c) != nil {
			return
		}
		x.held, x.pins = nil, 0
		x.park(c)
	}
	x.before = c
}

// abandon returns a connection that is in order but carries LAST_INSERT_ID()
// of a session that will never ask for it again.
func (x *session) abandon(c *backend.Conn) {
	if c.InsertID != nil {
		c.InsertID.Set("")
	}
	c.Return()
}

// releaseDirty resets a connection that holds a transaction, locks or other
// things of the session at once, because others may wait for them.
func (x *session) releaseDirty(c *backend.Conn) {
	// A reset does not let go of a prepared XA transaction; hanging up does, and
	// whoever recovers it finds it.
	if x.pins.Has(router.PinXA) || x.resetConn(c) != nil {
		c.Discard()
		return
	}
	c.Return()
}

// topology loads the published truth; once for a statement.
func (x *session) topology() *cluster.Topology { return x.server.store.Load() }

// remote returns the client's address without its port.
func (x *session) remote() net.IP {
	if a, ok := x.client.NetConn().RemoteAddr().(*net.TCPAddr); ok {
		return a.IP
	}
	return nil
}
