package proxy

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// needs is what a request needs of its connection, and on which node that is.
type needs struct {
	backend.Need
	node int // index into the topology, -1 for the held connection
	// engine is set where a MariaDB master is asked to show what it has logged.
	engine bool
}

var errNoNode = errors.New("no node can serve the statement now")

// acquire returns the connection that a request runs on, and what it needs there.
func (x *session) acquire(r *request, t *cluster.Topology, d router.Decision) (*backend.Conn, needs, error) {
	n := needs{node: -1}
	if x.held != nil {
		if err := x.leaveSlave(r, t); err != nil {
			return nil, n, err
		}
	}
	var from source
	if r.answer != wire.AnswerPrepare && r.statement.Flags.Has(router.NeedsDiagnostics) && !r.statement.Flags.Has(router.Multi) {
		var err error
		if from, err = x.source(r, t); err != nil {
			return nil, n, err
		}
	}
	switch {
	case from.kind == sourceConn:
		return x.askThere(r, t, &n, from.conn)
	case x.held != nil:
		x.want(&n, r, t, false)
		n.Leave = from.left
		x.await(r, &n, x.heldWait(r, t), t, t.Find(x.held.Node()))
		return x.held, n, nil
	}
	var w waiting
	if n.node, w = x.node(r, t, d); n.node < 0 {
		return nil, n, errNoNode
	}
	c, foreign, err := x.connection(t, n.node)
	if err != nil {
		return nil, n, err
	}
	x.want(&n, r, t, foreign || from.kind == sourceAny)
	n.Moved, n.Leave = c != x.prev.last && c != x.prev.warnedAt, from.left
	if n.Moved && strings.HasPrefix(r.statement.Fingerprint, "call") {
		// It answers with the row count of the statement before where it counts none.
		n.Leave = x.prev.rowCount()
	}
	x.await(r, &n, w, t, n.node)
	return c, n, nil
}

// await notes what the node with this index is asked to wait for.
func (x *session) await(r *request, n *needs, w waiting, t *cluster.Topology, node int) {
	switch {
	case w.set == nil:
		return
	case w.engine:
		n.engine = true
	default:
		n.Position = w.set.String()
		x.awaited = awaited{set: w.set, since: t.Nodes[node].Since, generation: t.Generation, begun: time.Now()}
	}
	n.Wait = x.bound(r, node == t.Master)
}

// want fills in what the session needs of a connection.
func (x *session) want(n *needs, r *request, t *cluster.Topology, foreign bool) {
	n.State, n.Schema, n.Foreign = x.state, x.schema, foreign
	n.Multi, n.SchemaReset = x.capabilities.Has(wire.ClientMultiStatements), x.schemaReset
	n.MariaDB = x.dialect.Flavour == cluster.FlavourMariaDB
	if !foreign {
		return
	}
	f := r.statement.Flags
	n.Clean = f.Any(router.NeedsDiagnostics | router.UsesUserVariables | router.NeedsSequence)
	// Statements that look at it run on the master.
	if x.insertID != nil && n.node == t.Master {
		n.InsertID = x.carriedInsertID()
	}
}

// carriedInsertID is LAST_INSERT_ID() of the session, from whoever took its
// connection; "0" where the connection was lost with it.
func (x *session) carriedInsertID() string {
	ctx, cancel := x.within(time.Second)
	defer cancel()
	select {
	case <-x.insertID.Known():
	case <-ctx.Done():
	}
	if v := x.insertID.Value(); v != "" {
		return v
	}
	return "0"
}

// connection returns the session's own connection to a node where it still has
// one, else any; foreign says that another session may have used it.
func (x *session) connection(t *cluster.Topology, node int) (c *backend.Conn, foreign bool, err error) {
	n := &t.Nodes[node]
	for c := x.takeParked(n.Name); c != nil; c = x.takeParked(n.Name) {
		foreign := c == x.before
		if foreign {
			x.before = nil
		}
		if !c.Retake(x.owner) {
			continue // given away since
		}
		// One with a transaction would be held: what it shows is old.
		if c.Fresh(n.Epoch) && c.Status&wire.StatusInTransaction == 0 {
			return c, foreign, nil
		}
		c.Discard()
	}
	want := backend.Want{
		Account: x.account, Capabilities: x.capabilities, Owner: x.owner, State: x.state, Schema: x.schema,
		Collation: x.collation,
	}
	c, err = x.server.pools.Lease(x.ctx, n, &want)
	if err != nil {
		return nil, false, fmt.Errorf("lease connection to %s: %w", n.Name, err)
	}
	return c, true, nil
}

// park keeps a connection for the session's next statement, if nobody else
// needs it before.
func (x *session) park(c *backend.Conn) {
	x.prev.asked(c)
	x.parked = append(x.parked, c)
	c.Park()
}

// takeParked takes a connection to a node from the list, nil without one.
func (x *session) takeParked(node string) *backend.Conn {
	for _, c := range x.parked {
		if c.Node() == node {
			x.unpark(c)
			return c
		}
	}
	return nil
}

// dropParked closes the parked connections but one.
func (x *session) dropParked(but *backend.Conn) {
	for _, c := range x.parked {
		if c != but && c.Retake(x.owner) {
			c.Discard()
		}
	}
	x.parked = nil
}

func (x *session) unpark(c *backend.Conn) {
	for i, other := range x.parked {
		if other == c {
			last := len(x.parked) - 1
			x.parked[i] = x.parked[last]
			x.parked[last] = nil
			x.parked = x.parked[:last]
			return
		}
	}
}
