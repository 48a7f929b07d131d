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

// The numbers of errors that no server has, from those that MySQL leaves to
// others (50000 to 51999): no driver and no framework tries again after them.
const (
	// CodeCommitted says that a statement took effect, but that what the server
	// answered is not known. The message names the GTID.
	CodeCommitted = 50101
	// CodeUnknownOutcome says that nobody can tell whether a statement took effect.
	CodeUnknownOutcome = 50102
)

// mostLosses is how often one request may lose its connection before it is given
// up: it may be what brings the servers down.
const mostLosses = 3

// traceable reports whether the end of a write that was sent on a connection can
// be found out; the transaction as a whole where one was open.
func (x *session) traceable(c *backend.Conn, r *request, t *cluster.Topology) bool {
	w := &c.Writes
	switch {
	case x.server.outcomes == nil || !x.server.config.Load().Failover.Outcomes || t.MasterIdentity == "" || c.Node() != masterName(t):
		return false
	case x.dialect.Flavour != cluster.FlavourMariaDB || r.statement.Kind == router.KindDDL:
		return !w.Missed
	case r.statement.Kind == router.KindCommit:
		return x.rec != nil && !x.rec.unmarked && !w.Missed
	}
	return x.seen.mark == markedText || x.seen.mark == markedPrepared && !w.Missed
}

// write is what tells the last write on a connection from all others.
func (x *session) write(c *backend.Conn, t *cluster.Topology) Write {
	w := Write{Identity: t.MasterIdentity, Thread: c.Thread, After: c.Writes.Told, Opened: c.Opened}
	switch {
	case c.Writes.Missed:
		w.After = nil
	case w.After == nil:
		w.After, _ = cluster.ParseGTIDSet(x.dialect.Flavour, "")
	}
	if n := c.Writes.Number; n != 0 {
		w.Mark = string(x.appendMark(nil, c, true))
	}
	return w
}

// find asks how a write ended.
func (x *session) find(r *request, w Write) (Outcome, error) {
	if !x.waits(r) {
		return Outcome{}, x.waitedInVain(holdFull, nil)
	}
	ctx, done := x.interruptible(x.left(r))
	defer done()
	r.patience.waits++
	o, err := x.server.outcomes.Outcome(ctx, w)
	if o.State == OutcomeUnknown && err == nil {
		err = errors.New("nobody can tell")
	}
	if err != nil {
		x.server.log.Debug("outcome of a write", "session", x.id, "server", w.Identity, "thread", w.Thread, "error", err)
	}
	x.server.metrics.losses.outcomes[min(o.State, OutcomeNotCommitted)].Add(1)
	return o, err
}

// settle finds out how a single statement ended whose answer was lost.
func (x *session) settle(r *request, w Write, lost *lostError) (again bool, _ error) {
	o, _ := x.find(r, w)
	switch o.State {
	case OutcomeCommitted:
		return false, x.tellCommitted(r, o, lost.node)
	case OutcomeNotCommitted:
		if r.statement.Flags.Has(router.NeedsInsertID) && x.insertID.Lost() {
			return false, errInsertIDLost
		}
		return true, lost
	}
	return false, lost
}

// tellCommitted answers a statement that took effect: with its OK where that can
// be rebuilt as it was, else with an error that names its GTID.
func (x *session) tellCommitted(r *request, o Outcome, node string) error {
	x.sees(o.GTID)
	ok, why := x.rebuild(r, o)
	if why != "" {
		x.server.metrics.losses.rebuilt[rebuiltNot].Add(1)
		x.insertID = lostInsertID()
		return x.sendError(&wire.ServerError{Code: CodeCommitted, State: "HY000", Message: fmt.Sprintf(
			"Bellwether lost its connection to node %s: the statement took effect, it was committed as %s; its answer is not known (%s). Do not run it again",
			node, o.GTID, why)})
	}
	x.server.metrics.losses.rebuilt[rebuiltWrite].Add(1)
	return x.sendRebuilt(ok)
}

// lostInsertID is a LAST_INSERT_ID() that nobody knows.
func lostInsertID() *backend.Carry {
	c := backend.NewCarry()
	c.Set("")
	return c
}

// sees makes the session see a transaction of its own.
func (x *session) sees(g cluster.GTID) {
	set, err := cluster.ParseGTIDSet(x.dialect.Flavour, g.String())
	if err != nil {
		x.position.lose(time.Now())
		return
	}
	x.position.wrote(g.String(), set)
	x.overtake(set)
}

// sendRebuilt answers an OK for a statement whose own was lost.
func (x *session) sendRebuilt(ok *wire.OK) error {
	ok.Status = x.status
	if x.capabilities.Has(wire.ClientSessionTrack) {
		ok.Track = x.payOwed(nil)
	}
	x.prev = previous{lost: true, found: x.prev.found}
	x.warnings = 0
	return x.reply(wire.AppendOK(nil, wire.HeaderOK, x.capabilities, ok))
}

// settleCommit finds out how a transaction ended whose COMMIT, or whatever else
// may have committed it, was lost: it may be run again where the answer is again.
func (x *session) settleTransaction(r *request, w Write, lost *lostError) (again bool, _ error) {
	o, _ := x.find(r, w)
	switch {
	case o.State == OutcomeNotCommitted:
		return true, lost
	case o.State != OutcomeCommitted:
		x.transactionOver()
		lost.pins = 0
		return false, lost
	}
	single := x.status&wire.StatusInTransaction == 0 // behind SET TRANSACTION
	x.transactionOver()
	switch {
	case single:
		return false, x.tellCommitted(r, o, lost.node)
	case !endsPlainly(r.statement, "commit"):
		x.sees(o.GTID)
		x.server.metrics.losses.rebuilt[rebuiltNot].Add(1)
		return false, x.sendError(&wire.ServerError{Code: CodeCommitted, State: "HY000", Message: fmt.Sprintf(
			"Bellwether lost its connection to node %s: the transaction was committed as %s; whether the statement that did so did anything else is not known",
			lost.node, o.GTID)})
	}
	x.sees(o.GTID)
	x.server.metrics.losses.rebuilt[rebuiltCommit].Add(1)
	return false, x.sendRebuilt(&wire.OK{})
}

// transactionOver forgets a transaction that is no more.
func (x *session) transactionOver() {
	x.forgetRecord()
	x.status &^= wire.StatusInTransaction | wire.StatusInReadOnly
	x.orphan = nil
}
