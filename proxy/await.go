package proxy

import (
	"errors"
	"fmt"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// waitFirst makes the node wait before the statement is sent. A certain read
// goes out with the wait instead, because nothing is lost if it runs too early.
func (x *session) waitFirst(c *backend.Conn, r *request, need *backend.Need) error {
	switch r.statement.Kind {
	case router.KindRead, router.KindShow, router.KindBegin:
	default:
		err := x.waitBeside(c, need)
		x.arrived(c, err == nil)
		return err
	}
	if r.statement.Flags.Has(router.OnlyReads) && (r.prepared == nil || isPrepared(c, r)) {
		need.Pipelined = true
		return nil
	}
	err := c.Wait(need)
	x.arrived(c, err == nil)
	return err
}

// waitBeside waits on another connection to the same node: a CALL, say, answers
// with the row count of what ran before it.
func (x *session) waitBeside(c *backend.Conn, need *backend.Need) error {
	t := x.topology()
	i := t.Find(c.Node())
	if i < 0 {
		return backend.ErrBehind
	}
	want := backend.Want{
		Account: x.account, Capabilities: x.capabilities, Owner: x.owner, State: x.state, Schema: x.schema,
		Collation: x.collation,
	}
	beside, err := x.server.pools.Lease(x.ctx, &t.Nodes[i], &want)
	if err != nil {
		return backend.ErrBehind
	}
	switch err = beside.Wait(need); {
	case err == nil || errors.Is(err, backend.ErrBehind):
		beside.Asked = false
		beside.Return()
	default:
		beside.Discard()
		err = backend.ErrBehind
	}
	return err
}

// isPrepared reports whether a statement is prepared on a connection, so that
// nothing of its own goes there before it.
func isPrepared(c *backend.Conn, r *request) bool {
	p := r.prepared
	return r.answer == wire.AnswerQuery && p.executed && (!r.cursor || p.key.Own != 0) && c.Statement(p.key) != nil
}

// joins reports whether steps go out with the statement: it must not matter
// that it runs in spite of one that failed.
func (x *session) joins(c *backend.Conn, r *request, s *backend.Steps) bool {
	return r.statement.Flags.Has(router.OnlyReads) && (r.prepared == nil || s.OnlyWait() && isPrepared(c, r))
}

// sendFirst runs the steps before the statement.
func (x *session) sendFirst(c *backend.Conn, s *backend.Steps, need *backend.Need) error {
	err := c.Send(s, need)
	if err != nil || !need.Pipelined {
		return err
	}
	need.Pipelined = false
	x.arrived(c, !s.Behind())
	if s.Behind() {
		return backend.ErrBehind
	}
	return nil
}

// waited deals with the end of a wait that went out with the statement: what
// ran too early is thrown away.
func (x *session) waited(c *backend.Conn, r *request, behind bool) error {
	x.arrived(c, !behind)
	if !behind {
		return nil
	}
	var early wire.Answer
	discard := wire.Relay{NodeCapabilities: c.Capabilities}
	if err := discard.Run(c.Wire, r.answer, &early); err != nil {
		return err
	}
	c.Wire.Release()
	c.Asked = true // FOUND_ROWS() there is about what ran too early
	c.Warned = c.Warned || early.Warnings > 0 || early.Code != 0
	return backend.ErrBehind
}

// arrived notes whether a node had in time what it was asked to wait for.
func (x *session) arrived(c *backend.Conn, has bool) {
	if x.demand.own {
		x.position.reached(c.Node(), arrival{since: x.awaited.since, has: has})
	}
	if !has {
		x.server.metrics.reads.count(x.demand.level, readTimeout)
	}
	t := x.topology()
	switch i := t.Find(c.Node()); {
	case i >= 0 && i != t.Master:
		x.learn(t, i, has)
	case i >= 0 && has:
		x.read.shown = true
	}
}

// awaited is what a session has last asked a node to wait for. It is a value.
type awaited struct {
	set        *cluster.GTIDSet
	since      time.Time // the node's then
	generation uint64    // the topology's
	begun      time.Time
}

// learn tells the other sessions how a wait for a slave has ended.
func (x *session) learn(t *cluster.Topology, slave int, has bool) {
	n, a, now := &t.Nodes[slave], &x.awaited, time.Now()
	x.server.late.ended(n.Name, has, a.begun, now)
	if has && n.Since.Equal(a.since) && t.Generation == a.generation {
		x.server.reached.note(n, t.Generation, a.set, now)
	}
}

// awaitEngine waits until a MariaDB master shows what it has logged.
func (x *session) awaitEngine(n *needs) error {
	if !n.engine {
		return nil
	}
	ctx, cancel := x.within(n.Wait)
	defer cancel()
	if err := x.server.hints.AwaitVisible(ctx); err != nil {
		x.server.log.Debug("the master does not show yet what it has logged", "session", x.id, "error", err)
		x.server.metrics.reads.count(x.demand.level, readTimeout)
		return backend.ErrBehind
	}
	x.read.shown = true
	return nil
}

// behind deals with a node that did not show in time what the session must
// see. A slave is left for another node. After the master there is none; but it may
// be lost just now, and another be coming: until the hold timeout nobody is told.
func (x *session) behind(r *request, t *cluster.Topology, c *backend.Conn) (again bool, _ error) {
	if x.held == c {
		return false, errBehind(c.Node())
	}
	x.park(c)
	if c.Node() != masterName(t) {
		r.exclude(t, c.Node())
		r.patience.waits++
		return true, backend.ErrBehind
	}
	end := x.hold(r, t, awaitPause)
	return end == holdGoesOn, x.waitedInVain(end, errBehind(c.Node()))
}

func errBehind(node string) *wire.ServerError {
	return &wire.ServerError{Code: 1205, State: "HY000", // ER_LOCK_WAIT_TIMEOUT, after which drivers try again
		Message: fmt.Sprintf("Bellwether: no node shows in time what this session must see (consistency, bellwether_position), "+
			"nor did %s; the statement was not run", node)}
}
