package backend

import (
	"container/list"
	"encoding/binary"

	"github.com/bellwether-db/bellwether/wire"
)

// The prepared statements that are kept: so many on one connection, and so many
// on all those to a node together, which leaves room below a server's
// max_prepared_stmt_count (16,382).
const (
	maxStatements     = 64
	maxNodeStatements = 12_000
)

// statementLimit is how many statements one of so many connections may keep.
func statementLimit(connections int) int {
	return max(1, min(maxStatements, maxNodeStatements/connections))
}

// StatementKey says when two prepared statements are the same to a server: the
// text, and what it was read under.
type StatementKey struct {
	SQL, Schema string
	State       uint64
	// Types are the parameter types of the first execution, which a server keeps.
	Types string
	// Owner is the session whose statement this is until it is executed.
	Owner Owner
	// Own is the client's id of a statement that is shared with no other: one that
	// has had a cursor, because an execution closes the cursor of the one before, or
	// one that keeps the types of user variables.
	Own uint32
}

// Statement is a prepared statement on one connection.
type Statement struct {
	ID uint32
	// Types are the parameter types that the node knows from the last
	// execution, as COM_STMT_EXECUTE carries them.
	Types []byte
	// Parameters is the number of parameters.
	Parameters uint16
	// Marked is set where it was prepared with the connection's mark in front.
	Marked bool
	key    StatementKey
}

// statementCache is an LRU list; its zero value is empty.
type statementCache struct {
	byKey map[StatementKey]*list.Element
	order *list.List
}

// Key returns the key of a statement that is prepared in this state.
func (s *State) Key(sql, schema string) StatementKey {
	return StatementKey{SQL: sql, Schema: schema, State: s.hash}
}

// Statement returns the prepared statement of this key, nil without one.
func (c *Conn) Statement(key StatementKey) *Statement {
	e, ok := c.statements.byKey[key]
	if !ok {
		return nil
	}
	c.statements.order.MoveToFront(e)
	return e.Value.(*Statement)
}

// HasStatement reports whether the node has prepared a statement of this id here.
func (c *Conn) HasStatement(id uint32) bool {
	for _, e := range c.statements.byKey {
		if e.Value.(*Statement).ID == id {
			return true
		}
	}
	return false
}

// AddStatement remembers a statement that was just prepared here. The one
// unused for longest is closed, with the next write, where there are too many.
func (c *Conn) AddStatement(key StatementKey, s *Statement) error {
	if c.statements.byKey == nil {
		c.statements = statementCache{byKey: map[StatementKey]*list.Element{}, order: list.New()}
	}
	s.key = key
	if old, ok := c.statements.byKey[key]; ok { // prepared once more by a client
		if err := c.closeStatement(old); err != nil {
			return err
		}
	}
	c.statements.byKey[key] = c.statements.order.PushFront(s)
	if len(c.statements.byKey) <= statementLimit(c.pool.node.pools.config.Load().MaxPerNode) {
		return nil
	}
	return c.closeStatement(c.statements.order.Back())
}

// Rekey gives a statement another key.
func (c *Conn) Rekey(from, to StatementKey) {
	e, ok := c.statements.byKey[from]
	if !ok {
		return
	}
	delete(c.statements.byKey, from)
	e.Value.(*Statement).key = to
	c.statements.byKey[to] = e
}

// DropStatement closes a statement with the next write.
func (c *Conn) DropStatement(key StatementKey) error {
	if e, ok := c.statements.byKey[key]; ok {
		return c.closeStatement(e)
	}
	return nil
}

func (c *Conn) closeStatement(e *list.Element) error {
	s := c.statements.order.Remove(e).(*Statement)
	delete(c.statements.byKey, s.key)
	c.Wire.ResetSequence()
	return c.Wire.WritePacket(binary.LittleEndian.AppendUint32([]byte{byte(wire.ComStmtClose)}, s.ID))
}

// Forget drops what a reset of the connection took away.
func (c *Conn) Forget() { c.statements = statementCache{} }
