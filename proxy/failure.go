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

// sendError is a failure of a node's connection before any of its answer came.
type sendError struct {
	sent bool // bytes of the request may have reached the node
	err  error
}

func (e *sendError) Error() string { return fmt.Sprintf("send to node: %v", e.err) }
func (e *sendError) Unwrap() error { return e.err }

// lostError is a node's connection that was lost with something of the
// client's: the outcome of a statement, or what the session held there.
type lostError struct {
	node string
	pins router.PinSet // what the connection held; 0 for nothing
	sent bool          // the statement may have run
	// harmless is set where it does not matter whether the statement ran.
	harmless bool
	err      error
}

func (e *lostError) Error() string { return fmt.Sprintf("lost connection to %s: %v", e.node, e.err) }
func (e *lostError) Unwrap() error { return e.err }

// remedy is what is done about a request whose connection failed.
type remedy uint8

const (
	remedyNone      remedy = iota
	remedyElsewhere        // try another node
	remedyAgain            // try again, on another connection
	remedyReplay           // run the whole transaction again
	remedySettle           // find out how it ended
	remedyTell             // an error that says what was lost
	remedyClose            // part of an answer has left: only closing is honest
)

// failure is what a remedy depends on.
type failure struct {
	sent      bool // bytes of the request may have reached the node
	answered  bool // bytes of the answer have reached the client
	reads     bool // the statement is certain to change nothing
	nothing   bool // it leaves nothing behind that outlives its connection
	pinned    bool // the connection held something of the session's
	revivable bool // and that was a transaction which can be run again
	traceable bool // it can be found out how the write ended
	often     bool // it has happened to this request again and again
}

// cure is the one table of what follows from a failed connection to a node.
func cure(f failure) remedy {
	switch {
	case f.answered:
		return remedyClose
	case f.revivable && !f.often:
		return remedyReplay
	case f.pinned:
		return remedyTell
	case f.reads:
		return remedyElsewhere
	case !f.sent, f.nothing && !f.often:
		return remedyAgain
	case f.traceable:
		return remedySettle
	default:
		return remedyTell
	}
}

// exchangeFailed deals with a failure while a request ran on c.
func (x *session) exchangeFailed(r *request, t *cluster.Topology, d router.Decision, c *backend.Conn, err error) (again bool, _ error) {
	held := x.held == c
	if errors.Is(err, backend.ErrBehind) {
		return x.behind(r, t, c)
	}
	var unprepared *prepareError
	if errors.As(err, &unprepared) {
		x.keep(c)
		return false, unprepared.refused
	}
	pins := x.pins
	if held {
		x.held, x.pins = nil, 0
	}
	c.Discard()
	x.prev.gone(c)
	var side *wire.SideError
	if errors.As(err, &side) && side.Side == wire.SideClient {
		return false, err
	}
	var refused *wire.ServerError
	if errors.As(err, &refused) {
		return x.refused(r, t, c.Node(), held, pins, err)
	}
	x.server.metrics.failure(wire.SideNode, 0)
	x.server.hints.Observe(c.Node(), err)
	asks := r.statement.Flags.Has(router.NeedsDiagnostics) || x.erred
	if !held || pins == router.PinSet(0).With(router.PinDiagnostics) && !asks {
		pins = 0
	}
	return x.lost(r, t, c, pins, err)
}

// lost does what follows from a connection that is gone, on which a request ran
// and which held pins.
func (x *session) lost(r *request, t *cluster.Topology, c *backend.Conn, pins router.PinSet, err error) (again bool, _ error) {
	r.loses(c)
	lost := &lostError{node: c.Node(), pins: pins, sent: true, err: err}
	var unsent *sendError
	if errors.As(err, &unsent) {
		lost.sent = unsent.sent
	}
	begun, autocommit := x.status&wire.StatusInTransaction != 0, x.status&wire.StatusAutocommit != 0
	f := failure{
		sent: lost.sent, answered: x.answer.Sent, pinned: pins != 0, often: r.losses >= mostLosses,
		reads:     r.statement.Certain(t.Catalogue, &x.server.config.Load().Rules) == router.ReasonNone,
		nothing:   leavesNothing(r, begun, autocommit),
		revivable: onlyTransaction(pins) && x.server.config.Load().Failover.Replay,
	}
	f.traceable = autocommit && !begun && isOneTransaction(r) && x.traceable(c, r, t)
	lost.harmless = f.reads || f.nothing
	if !f.answered && pins == 0 && (lost.harmless || !lost.sent) && r.statement.Flags.Has(router.NeedsInsertID) && x.insertID.Lost() {
		return false, errInsertIDLost
	}
	switch cure(f) {
	case remedyClose:
		return false, &wire.SideError{Side: wire.SideClient, Err: err}
	case remedyElsewhere:
		r.exclude(t, lost.node)
		return true, err
	case remedyAgain:
		return true, err
	case remedyReplay:
		return x.lostTransaction(r, t, c, lost)
	case remedySettle:
		w := x.write(c, t)
		w.Definition = r.statement.Kind == router.KindDDL
		return x.settle(r, w, lost)
	}
	x.forgetRecord()
	return false, lost
}

// loses counts the loss of a connection. One that was open already at the time of
// the last loss says nothing new: what broke that one has broken all, and a pool
// may have many of them.
func (r *request) loses(c *backend.Conn) {
	if !r.lostAt.IsZero() && !c.Opened.After(r.lostAt) {
		r.patience.waits++ // it is no attempt
		return
	}
	r.losses++
	r.lostAt = time.Now()
}

// lostTransaction deals with a transaction whose connection is gone: it is run
// again once it is proven that it was not committed.
func (x *session) lostTransaction(r *request, t *cluster.Topology, c *backend.Conn, lost *lostError) (again bool, err error) {
	again = true
	x.sever(c)
	x.server.precedence.settling.Add(1)
	defer x.server.precedence.settling.Add(-1)
	if ends := endsPlainly(r.statement, "commit"); lost.sent && !lost.harmless && !(ends && x.rec != nil && !x.rec.writes) {
		if !x.traceable(c, r, t) {
			return false, x.untraced(r, lost)
		}
		if again, err = x.settleTransaction(r, x.write(c, t), lost); !again {
			return false, err
		}
	}
	x.orphan = &orphan{pins: lost.pins, lost: lost}
	r.patience.waits++
	return true, lost
}

// untraced ends a transaction where it cannot be found out what the last statement
// did. What does not end a transaction has not committed it, but it may have
// written to a table that has none.
func (x *session) untraced(r *request, lost *lostError) error {
	inside := x.status&wire.StatusInTransaction != 0 && !r.statement.Flags.Has(router.Multi)
	if inside && (r.statement.Kind == router.KindWrite || r.statement.Kind == router.KindRead) {
		x.orphan = &orphan{pins: lost.pins, lost: lost}
		return x.giveUp(replayUnfit, "what its last statement did cannot be found out")
	}
	x.transactionOver()
	lost.pins = 0
	return lost
}

// refused deals with a node that would not be brought into the session's state.
func (x *session) refused(r *request, t *cluster.Topology, name string, held bool, pins router.PinSet, err error) (again bool, _ error) {
	if held && pins != 0 {
		return false, &lostError{node: name, pins: pins, err: err}
	}
	if m := t.MasterNode(); m == nil || m.Name != name {
		r.exclude(t, name)
		return true, err
	}
	return false, err
}

func (r *request) exclude(t *cluster.Topology, name string) {
	if i := t.Find(name); i >= 0 {
		r.excluded = r.excluded.With(i)
	}
}

// awaitPause is how long a request waits before it tries a master again that
// cannot be reached, unless the topology changes.
const awaitPause = 50 * time.Millisecond

// acquireFailed deals with a request for which no connection could be had;
// nothing of it has left.
func (x *session) acquireFailed(r *request, t *cluster.Topology, d router.Decision, node int, err error) (again bool, _ error) {
	if errors.Is(err, errNoNode) {
		end := x.hold(r, t, awaitPause)
		return end == holdGoesOn, x.waitedInVain(end, notNow(holdReason(t)))
	}
	if node < 0 {
		return false, err
	}
	if node != t.Master {
		r.excluded = r.excluded.With(node)
		return true, err
	}
	var refused *wire.ServerError
	switch {
	case errors.As(err, &refused):
		return false, refused
	case errors.Is(err, wire.ErrNeedPassword):
		return false, &wire.ServerError{Code: wire.CodeAccessDenied, State: "28000",
			Message: "Access denied: the node asks for the password itself; please connect again"}
	}
	x.server.log.Debug("master cannot be reached", "session", x.id, "error", err)
	end := x.hold(r, t, awaitPause)
	return end == holdGoesOn, x.waitedInVain(end, &wire.ServerError{Code: wire.CodeUnknown, State: "HY000",
		Message: "Bellwether cannot reach the master " + masterName(t) + "; the statement was not run. " +
			"GET /readyz on the admin address says more"})
}

// errorAnswer deals with an error that is the whole answer so far: a node in
// trouble is left for another one, everything else is the client's.
func (x *session) errorAnswer(r *request, t *cluster.Topology, d router.Decision, c *backend.Conn) (again bool, _ error) {
	code := x.answer.Code
	x.server.metrics.failure(wire.SideNode, code)
	if troubled(code) && x.held == nil && c.Node() != masterName(t) &&
		r.statement.Certain(t.Catalogue, &x.server.config.Load().Rules) == router.ReasonNone {
		x.server.hints.Observe(c.Node(), fmt.Errorf("node answered error %d", code))
		r.exclude(t, c.Node())
		c.Discard()
		x.prev.gone(c)
		return true, &wire.ServerError{Code: code, State: "HY000", Message: "the node is in trouble"}
	}
	if is, sent := x.byFormer(r, t, c); is {
		return x.leaveFormer(r, t, c, sent)
	}
	send := func() error { return x.client.Send(x.answer.Held) }
	if r.unknown != 0 {
		send = func() error { return x.refuseUnknown(r.unknown) }
	}
	if err := send(); err != nil {
		c.Discard()
		return false, &wire.SideError{Side: wire.SideClient, Err: err}
	}
	c.Wire.Release()
	if ends(code) {
		return false, x.connectionEnded(c)
	}
	x.follow(r, c)
	return false, nil
}

func masterName(t *cluster.Topology) string {
	if m := t.MasterNode(); m != nil {
		return m.Name
	}
	return ""
}

// troubled reports whether an error says that the node, not the statement, is
// the problem.
func troubled(code uint16) bool {
	switch code {
	case wire.CodeTooManyConnections, wire.CodeServerShutdown, 1836, 1872, 3032, 3169, 1927, 4031:
		// 1836 read-only mode, 1872 slave not configured, 3032 offline mode,
		// 3169 and 1927 connection killed, 4031 disconnected for inactivity
		return true
	}
	return false
}

// ends reports whether the node closes the connection after this error.
func ends(code uint16) bool {
	switch code {
	case wire.CodeServerShutdown, 3169, 1927, 4031:
		return true
	}
	return false
}

// connectionEnded gives up a connection that its node has closed. What the
// session held there is gone, as the error that the client got says.
func (x *session) connectionEnded(c *backend.Conn) error {
	pinned := x.held == c
	if pinned {
		x.held, x.pins = nil, 0
	}
	c.Discard()
	x.prev.gone(c)
	if pinned {
		return errQuit
	}
	return nil
}

// tellLost tells the client what was lost with a node's connection. Where the
// session held something there, the client's connection ends, as it would have
// with the server's.
func (x *session) tellLost(e *lostError) error {
	what, code, state := "the statement was not run", uint16(1158), "08S01" // ER_NET_READ_ERROR
	switch {
	case e.sent && e.harmless:
		what = "the statement did not end"
	case e.sent:
		what, code, state = "whether the statement took effect is not known", CodeUnknownOutcome, "HY000"
		x.position.lose(time.Now())
	}
	if e.pins != 0 {
		what += "; what the session held there is gone: " + e.pins.String()
	}
	err := x.sendError(&wire.ServerError{Code: code, State: state,
		Message: fmt.Sprintf("Bellwether lost its connection to node %s: %s", e.node, what)})
	if err == nil && e.pins != 0 {
		return errQuit
	}
	return err
}
