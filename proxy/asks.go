package proxy

import (
	"encoding/binary"
	"strconv"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

var (
	errLost = &wire.ServerError{Code: wire.CodeUnknown, State: "HY000",
		Message: "Bellwether: what the previous statement left behind is not known any more: its connection was lost " +
			"or given to another client; ask in the same breath, or raise pool.max_per_node"}
	errElsewhere = &wire.ServerError{Code: wire.CodeUnknown, State: "HY000",
		Message: "Bellwether: the previous statement ran on a slave, and what asks about it must do nothing else; " +
			"ask in a statement of its own, or send both to the master by /* bellwether: master */"}
	errTwo = &wire.ServerError{Code: wire.CodeUnknown, State: "HY000",
		Message: "Bellwether: FOUND_ROWS() is about a SELECT that ran on another connection than the statement before; " +
			"ask for it in a statement of its own"}
)

// source takes the connection that answers a question about earlier statements,
// or says how another one will. A wrong COM_SET_OPTION is no question: it only
// adds to the list of warnings, which nobody knows any more where it cannot.
func (x *session) source(r *request, t *cluster.Topology) (source, error) {
	from, err := x.sourceOf(r, t)
	if r.apart = err != nil && r.statement == afterLast; r.apart {
		return source{}, nil
	}
	return from, err
}

func (x *session) sourceOf(r *request, t *cluster.Topology) (source, error) {
	q := questionOf(r.statement)
	for {
		from, err := x.prev.about(q)
		if err == nil && from.kind == sourceValue {
			r.replace = x.foundRows(r)
		}
		if err != nil || from.kind != sourceConn || from.conn == x.held {
			return from, err
		}
		c := from.conn
		if !c.Retake(x.owner) {
			x.prev.gone(c)
			continue
		}
		x.unpark(c)
		bound := x.held != nil && x.pins != router.PinSet(0).With(router.PinDiagnostics)
		if bound && q.found {
			x.askFound(c) // the held one must run it
			continue
		}
		asks := r.statement == afterLast || r.statement.OnlyAsks(t.Catalogue)
		if !asks && c.Node() != masterName(t) || bound && (!asks || x.status&wire.StatusInTransaction != 0) {
			x.park(c)
			return from, errElsewhere
		}
		if r.aside = bound; bound {
			return from, nil
		}
		if held := x.held; held != nil {
			x.held, x.pins = nil, 0
			x.park(held)
		}
		return from, nil
	}
}

// askThere prepares a connection for a question about what ran there: nothing may run
// in between, not even a SET.
func (x *session) askThere(r *request, t *cluster.Topology, n *needs, c *backend.Conn) (*backend.Conn, needs, error) {
	x.want(n, r, t, false)
	if c != x.held {
		n.State, n.Schema, n.Multi, n.SchemaReset = c.State, c.Schema, c.Multi, c.SchemaReset
	}
	if err := x.pass(c); err != nil {
		x.prev.gone(c)
		if c == x.held {
			x.dropHeld()
		} else {
			c.Discard()
		}
		return nil, *n, errLost
	}
	return c, *n, nil
}

// pass passes on the command that was answered here since the statement that is
// asked about, because it counts as one.
func (x *session) pass(c *backend.Conn) error {
	command := x.prev.local
	x.prev.local = localNone
	switch {
	case c != x.prev.last || command == localNone:
		return nil
	case command == localOption:
		return c.SetMulti(c.Multi)
	}
	return c.Ping()
}

// askFound asks a connection for FOUND_ROWS(), because the question must run
// elsewhere.
func (x *session) askFound(c *backend.Conn) {
	value, err := c.Query("SELECT FOUND_ROWS()")
	if err != nil {
		c.Discard()
		x.prev.gone(c)
		return
	}
	c.Asked = false
	x.prev.found = found{kind: foundValue, value: value}
	if c != x.held {
		x.park(c)
	}
}

// bringFound asks for FOUND_ROWS() before the session gives its connections up.
func (x *session) bringFound() {
	if c := x.prev.found.conn; x.prev.found.kind == foundAt && (c == x.held || c.Retake(x.owner)) {
		x.unpark(c)
		x.askFound(c)
	}
}

// foundRows puts the value of FOUND_ROWS() into the first column of the answer.
func (x *session) foundRows(r *request) func(dst, row []byte) []byte {
	value := x.prev.found.value
	if r.prepared == nil {
		return func(dst, row []byte) []byte {
			_, first := wire.ReadLenencBytes(row)
			return append(wire.AppendLenencString(dst, value), row[first:]...)
		}
	}
	n, err := strconv.ParseUint(value, 10, 64)
	return func(dst, row []byte) []byte {
		dst = append(dst, row...)
		if err == nil && len(row) >= 2+8 {
			binary.LittleEndian.PutUint64(dst[2:], n)
		}
		return dst
	}
}
