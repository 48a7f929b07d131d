package proxy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// The variables of a session that only Bellwether knows.
const (
	variableConsistency = "bellwether_consistency"
	variablePosition    = "bellwether_position"
)

// own serves a statement of Bellwether's own words. No node gets it.
func (x *session) own(o *router.Own, sql []byte) error {
	switch {
	case o.Problem != "":
		return x.sendError(&wire.ServerError{Code: 1235, State: "42000", Message: "Bellwether: " + o.Problem}) // ER_NOT_SUPPORTED_YET
	case o.Status:
		return x.showStatus(o, sql)
	}
	x.prev.answered(localPing)
	var err error
	switch o.Variable {
	case variableConsistency:
		err = x.setConsistency(o)
	case variablePosition:
		err = x.setPosition(o)
	default:
		return x.sendError(&wire.ServerError{Code: 1193, State: "HY000", // ER_UNKNOWN_SYSTEM_VARIABLE
			Message: fmt.Sprintf("Unknown system variable '%s': Bellwether has %s and %s", o.Variable, variableConsistency, variablePosition)})
	}
	if err != nil {
		return x.sendError(wrongValue(o.Variable, o.Value, err))
	}
	return x.sendOK()
}

// wrongValue is what servers say of a value that a variable cannot have.
func wrongValue(variable, value string, err error) *wire.ServerError {
	return &wire.ServerError{Code: 1231, State: "42000", // ER_WRONG_VALUE_FOR_VAR
		Message: fmt.Sprintf("Variable '%s' can't be set to the value of '%s': %v", variable, clip(value), err)}
}

// clip shortens what an error repeats.
func clip(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	return text[:most] + "..."
}

// errNotPrepared refuses to prepare what only Bellwether knows.
var errNotPrepared = &wire.ServerError{Code: 1295, State: "HY000", // ER_UNSUPPORTED_PS
	Message: "This command is not supported in the prepared statement protocol yet: Bellwether answers it as text only"}

// errInsertIDLost refuses what would see 0, or another session's.
var errInsertIDLost = &wire.ServerError{Code: wire.CodeUnknown, State: "HY000",
	Message: "Bellwether: LAST_INSERT_ID() is not known any more: it was lost with the connection to a node"}

// misused is the refusal of a statement on its way to a node that has words of
// Bellwether's own in a wrong place, or asks for what is lost; nil for all others.
func (x *session) misused(s *router.Statement) *wire.ServerError {
	switch {
	case s.Own != nil:
		return errNotPrepared
	case s.Hint.Wrong != "" && !x.server.config.Load().Rules.IgnoreHints:
		return &wire.ServerError{Code: 1231, State: "42000", Message: "Bellwether: the hint says: " + s.Hint.Wrong}
	case s.Flags.Has(router.NeedsInsertID) && x.insertID.Lost():
		return errInsertIDLost
	}
	return nil
}

func (x *session) setConsistency(o *router.Own) error {
	if o.Default {
		x.consistency = router.ConsistencyUnset
		return nil
	}
	c, err := router.ParseConsistency(o.Value)
	if err == nil {
		x.consistency = c
	}
	return err
}

var errNoPosition = errors.New("it is a set of GTIDs, as SHOW BELLWETHER STATUS tells it for position")

// setPosition takes over another session's token, if its transactions are
// there: a read that waits for what nobody has would never be served.
func (x *session) setPosition(o *router.Own) error {
	token, err := cluster.ParseGTIDSet(x.dialect.Flavour, o.Value)
	switch {
	case o.Default || err != nil:
		return errNoPosition
	case token.IsEmpty():
		return nil
	}
	t := x.topology()
	if !x.exists(t, token) && !x.appears(t, token) {
		return errors.New("the master has no such transactions, nor did it get them in time")
	}
	x.position.join(token)
	return nil
}

// exists reports whether every transaction of a set is known to be on the master,
// or on its way there. What another node has may be nowhere else, and never be.
func (x *session) exists(t *cluster.Topology, set *cluster.GTIDSet) bool {
	all, _ := x.server.logEnd()
	if m := t.MasterNode(); m != nil {
		all = all.Union(m.Applied)
	}
	return all.ContainsSet(set)
}

// appears waits until the master has a set, for reads.causal_wait at most. A
// master that cannot be asked is believed to: reads will find out.
func (x *session) appears(t *cluster.Topology, set *cluster.GTIDSet) bool {
	m := t.MasterNode()
	if m == nil {
		return true
	}
	wait := x.server.config.Load().CausalWait
	if m.Flavour != cluster.FlavourMariaDB {
		need := backend.Need{Position: set.String(), Wait: wait}
		behind := false
		err := x.aside(t, t.Master, func(c *backend.Conn) error {
			err := c.Wait(&need)
			if behind = errors.Is(err, backend.ErrBehind); behind {
				return nil
			}
			return err
		})
		return err != nil || !behind
	}
	ctx, cancel := context.WithTimeout(x.ctx, wait)
	defer cancel()
	for {
		have := x.executed(t, t.Master)
		if have == nil || have.ContainsSet(set) {
			return true
		}
		pause(ctx, time.Millisecond)
		if ctx.Err() != nil {
			return false
		}
	}
}

// token is what another session must see to see all that this one has; "" where
// that is nothing, and false where nobody can tell now.
func (x *session) token(t *cluster.Topology) (string, bool) {
	x.position.find(t)
	if x.position.unknown || x.read.node != "" && !x.findRead(t) {
		if m := t.MasterNode(); m == nil {
			return "", false
		}
		set := x.executed(t, t.Master)
		return set.Union(x.position.set).String(), set != nil
	}
	return x.position.set.Union(x.read.end).String(), true
}
