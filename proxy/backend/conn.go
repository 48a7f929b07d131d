package backend

import (
	"net"
	"sync/atomic"
	"time"

	"github.com/bellwether-db/bellwether/wire"
)

// Conn is one connection to a node. Whoever leases it owns every field but
// hold until it parks or returns it.
type Conn struct {
	Wire *wire.Conn
	// Thread is the node's id of the connection, for KILL.
	Thread uint32
	// Capabilities are those agreed with the node.
	Capabilities wire.Capability
	// Status is the status word of the last answer, first that of the greeting.
	Status uint16
	// State is what the session variables are; nil where it is not known.
	State *State
	// Schema is the current database, "" without one.
	Schema string
	// Multi is set while several statements in a packet are allowed.
	Multi bool
	// SchemaReset is set while MySQL has forgotten the schema's collation, which a
	// reset does although the schema stays.
	SchemaReset bool
	// Warned is set when the last statement here left warnings or an error, which
	// not every statement clears.
	Warned bool
	// OwesSchema is set while the node has yet to tell that it came back to the
	// schema: the answer that did so had no room for it.
	OwesSchema bool
	// OwesGTID is set while the node may have yet to tell the GTID of a write: the
	// answer to that had no room for it. Whose write it was is forgotten.
	OwesGTID bool
	// Asked is set when a question of the proxy's own has replaced what
	// FOUND_ROWS() is about; who keeps count of that takes it back.
	Asked bool
	// Dirty is set when a session left something here that is neither in State
	// nor in Schema: it is reset before another session uses it.
	Dirty bool
	// Inserted is set while LAST_INSERT_ID() here may not be 0, whosever it is.
	Inserted bool
	// InsertID is set while it is one that a session may still ask for: what it is
	// goes into the carry of that session.
	InsertID *Carry
	// Epoch is that of the node when the connection was made.
	Epoch uint64
	// Opened is when the connection was made.
	Opened time.Time
	Writes Writes

	// afterReset is the state that a reset leaves: MariaDB keeps the handshake's
	// character set, MySQL does not.
	afterReset *State

	statements statementCache

	socket net.Conn // under Wire; what others may close
	pool   *pool
	owner  Owner
	// hold says who may use the connection: see the holds below.
	hold atomic.Uint64
	// used is when it was last parked or returned, on the pools' coarse clock.
	used atomic.Int64
}

// Owner identifies a session to the pools; 0 is nobody.
type Owner uint64

// A connection is leased to an owner, parked by one (so that it comes back
// to it with nothing to do, unless somebody needs it more), idle in its pool,
// or closed. One word holds both, so that a session takes back what it parked
// with one compare-and-swap and no lock.
const (
	holdIdle uint64 = iota
	holdLeased
	holdParked
	holdClosed
	holdBits = 2
)

func (o Owner) hold(state uint64) uint64 { return uint64(o)<<holdBits | state }

// Retake leases a connection that the owner has parked; false when it was
// given away or closed since.
func (c *Conn) Retake(o Owner) bool {
	return c.hold.CompareAndSwap(o.hold(holdParked), o.hold(holdLeased))
}

// Park keeps the connection for its owner, which must be able to bear that it
// is given to another session: everything in it is in State and Schema.
func (c *Conn) Park() {
	n := c.pool.node
	c.used.Store(n.pools.clock.Load())
	owner, account := c.owner, c.pool.account // the connection may be another's once it is parked
	c.hold.Store(owner.hold(holdParked))
	wanted := account.Revoked() != nil || n.waiting.Load() > 0 && n.queued()
	if wanted && c.Retake(owner) {
		c.Return()
	}
}

// Return gives the connection to its pool for good.
func (c *Conn) Return() {
	c.saveInsertID()
	c.pool.node.giveBack(c)
}

// Discard closes the connection.
func (c *Conn) Discard() { c.pool.node.discard(c) }

// Node returns the name of the node.
func (c *Conn) Node() string { return c.pool.node.name }

// Account returns the account that the connection is logged in with.
func (c *Conn) Account() *Account { return c.pool.account }

// NodeStats returns the counters of the connection's node.
func (c *Conn) NodeStats() *NodeStats { return &c.pool.node.stats }

// takeable leases the connection from whoever has parked it.
func (c *Conn) takeable(o Owner) bool {
	h := c.hold.Load()
	return h&(1<<holdBits-1) == holdParked && c.hold.CompareAndSwap(h, o.hold(holdLeased))
}

// Sever ends whatever runs on the connection. Any goroutine may call it.
func (c *Conn) Sever() { _ = c.socket.Close() }

// Quit says goodbye, so that the server does not log an aborted connection,
// and closes. It waits for nothing: a node that reads no more is not waited for.
func (c *Conn) Quit() {
	_ = c.Wire.SetDeadline(time.Now().Add(10 * time.Millisecond))
	_ = c.Wire.Send([]byte{1, 0, 0, 0, byte(wire.ComQuit)})
	_ = c.Wire.Close()
}

// Fresh is for a connection that its owner has just retaken: whether it is of
// the node's present epoch and may still be trusted.
func (c *Conn) Fresh(epoch uint64) bool {
	return c.fresh(epoch, c.pool.node.pools.clock.Load())
}

// fresh reports whether a connection that lay unused may still be trusted. It
// asks the socket only when it lay long enough for something to have happened.
func (c *Conn) fresh(epoch uint64, now int64) bool {
	if c.Epoch != epoch {
		return false
	}
	return now-c.used.Load() < int64(500*time.Millisecond) || c.Wire.Quiet()
}
