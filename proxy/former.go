package proxy

import (
	"fmt"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/wire"
)

// formerPatience is how long an error that a master gives which was made
// read-only waits for the news that it is none any more.
const formerPatience = time.Second

// byFormer reports whether an error is not the client's, but comes of the node
// being the master no more, or about to end. sent is false where the node has
// refused the statement.
func (x *session) byFormer(r *request, t *cluster.Topology, c *backend.Conn) (is, sent bool) {
	if c.Node() != masterName(t) {
		return false, false
	}
	switch x.answer.Code {
	case wire.CodeServerShutdown:
		return true, true
	case 1317, 1927, 3169: // interrupted; its connection was killed
		return x.moved(t), true
	case codeReadOnly, 1836:
		if x.answer.Code == codeReadOnly && !saysReadOnly(x.answer.Held) {
			return false, false
		}
		if !x.moved(t) {
			x.hold(r, t, formerPatience)
		}
		return x.moved(t), false
	}
	return false, false
}

// moved reports whether the roles have changed, or are about to.
func (x *session) moved(t *cluster.Topology) bool {
	now := x.topology()
	return now.Generation != t.Generation || now.Writes != cluster.WritesOpen
}

// saysReadOnly reports whether a framed error speaks of read_only, which shares
// its number with others.
func saysReadOnly(frame []byte) bool {
	e, err := wire.ParseError(frame[wire.HeaderSize:])
	return err == nil && (strings.Contains(e.Message, "read-only") || strings.Contains(e.Message, "read_only"))
}

// leaveFormer gives up the connection to a node that is the master no more, with
// what the session had there.
func (x *session) leaveFormer(r *request, t *cluster.Topology, c *backend.Conn, sent bool) (again bool, _ error) {
	pins := x.pins
	if x.held != c {
		pins = 0
	} else {
		x.held, x.pins = nil, 0
	}
	err := &sendError{sent: sent, err: fmt.Errorf("node answered error %d", x.answer.Code)}
	c.Discard()
	x.prev.gone(c)
	return x.lost(r, t, c, pins, err)
}
