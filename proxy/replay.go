package proxy

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// orphan is a transaction whose connection is gone. It is proven that it was not
// committed there, and never will be.
type orphan struct {
	pins router.PinSet
	lost *lostError
}

// replayEnd is how the replay of a transaction ended.
type replayEnd uint8

const (
	replayDone    replayEnd = iota
	replayDiffers           // an answer was another one
	replayUnfit             // it cannot be run again
	replayLate              // no master came in time
	numReplayEnds
)

func (e replayEnd) String() string {
	return [...]string{"replayed", "differs", "unfit", "timeout"}[min(e, numReplayEnds-1)]
}

// errDiffers says that a transaction went another way than before.
var errDiffers = errors.New("an answer differs")

// bereave notes that what the session held is gone, between two statements.
func (x *session) bereave(pins router.PinSet, lost *lostError) {
	if pins.Without(router.PinDiagnostics) == 0 && x.unresolved == 0 {
		return
	}
	if x.unresolved != 0 { // what it has set only in part is not known
		x.unresolved = 0
		pins = pins.With(router.PinSessionState)
	}
	lost.pins = pins
	x.orphan = &orphan{pins: pins, lost: lost}
}

// revive brings a transaction back whose connection is gone, before the request
// that comes next in it. It goes on where there is no error; again has it called
// again.
func (x *session) revive(r *request, t *cluster.Topology) (again bool, _ error) {
	o := x.orphan
	rec := x.rec
	switch {
	case !onlyTransaction(o.pins) || !x.server.config.Load().Failover.Replay:
		x.orphan = nil
		x.forgetRecord()
		return false, o.lost
	case rec == nil:
		return false, x.giveUp(replayUnfit, "it did not begin with BEGIN")
	case endsPlainly(r.statement, "rollback"), rec.unfit == "" && len(rec.entries) == 0,
		!rec.writes && endsPlainly(r.statement, "commit"):
		x.transactionOver() // there is nothing to be brought back
		return false, nil
	case rec.unfit != "":
		return false, x.giveUp(replayUnfit, rec.unfit)
	}
	if t.Writes == cluster.WritesRefused {
		return false, x.giveUp(replayLate, t.WritesReason)
	}
	if t.Master < 0 || t.Writes != cluster.WritesOpen {
		return x.reviveLater(r, t, 0)
	}
	c, foreign, err := x.connection(t, t.Master)
	if err != nil {
		return x.reviveLater(r, t, awaitPause)
	}
	switch err := x.replay(rec, c, t, foreign); {
	case err == nil:
		x.revived(c)
		return false, nil
	case errors.Is(err, errDiffers), isRefusal(err):
		x.releaseDirty(c)
		return false, x.giveUp(replayDiffers, err.Error())
	}
	c.Discard()
	return x.reviveLater(r, t, awaitPause)
}

// reviveLater waits for a master that takes the transaction.
func (x *session) reviveLater(r *request, t *cluster.Topology, moment time.Duration) (again bool, _ error) {
	switch end := x.hold(r, t, moment); end {
	case holdGoesOn:
		return true, nil
	case holdTimedOut:
		return false, x.giveUp(replayLate, "no master took it in time")
	default:
		x.transactionOver()
		return false, x.waitedInVain(end, nil)
	}
}

// giveUp tells the client that its transaction is rolled back, in the words that
// it knows from deadlocks: it was not committed, and may be tried again.
func (x *session) giveUp(e replayEnd, why string) error {
	node := x.orphan.lost.node
	x.transactionOver()
	x.server.metrics.losses.replays[e].Add(1)
	return &wire.ServerError{Code: codeDeadlock, State: "40001", Message: fmt.Sprintf(
		"Bellwether lost its connection to node %s: the transaction was rolled back, and could not be run again unseen: %s; try restarting transaction", node, why)}
}

// replay runs a transaction again on a connection. It fails with errDiffers where
// that went another way.
func (x *session) replay(rec *record, c *backend.Conn, t *cluster.Topology, foreign bool) error {
	need := needs{node: t.Master}
	x.want(&need, &request{statement: onMaster}, t, foreign)
	need.State, need.Schema, need.SchemaReset = rec.state, rec.schema, rec.schemaReset
	if err := adaptNow(c, &need.Need); err != nil {
		return err
	}
	need.Foreign = false
	forced := false
	for i := range rec.entries {
		e := &rec.entries[i]
		if e.insertID != 0 && e.statement.Kind == router.KindWrite {
			if _, err := c.Query("SET SESSION insert_id=" + strconv.FormatUint(e.insertID, 10)); err == nil {
				forced = true
			} else if !isRefusal(err) {
				return err
			}
		}
		need.State, need.Schema = c.State, c.Schema
		if err := x.again(rec, e, c, &need.Need); err != nil {
			return err
		}
		c.State, c.Schema = e.state, e.schema
	}
	if !forced {
		return nil
	}
	return x.unforce(c)
}

// unforce makes sure that no insert id is left over for the next INSERT: the
// last one may have named its own. MySQL has no way to take it back.
func (x *session) unforce(c *backend.Conn) error {
	if x.dialect.Flavour == cluster.FlavourMariaDB {
		_, err := c.Query("SET SESSION insert_id=DEFAULT")
		return err
	}
	left, err := c.Query("SELECT @@insert_id")
	if err == nil && left != "0" {
		return fmt.Errorf("%w: its ids cannot be had again", errDiffers)
	}
	return err
}

func isRefusal(err error) bool {
	var refused *wire.ServerError
	return errors.As(err, &refused)
}

// again runs one statement again and holds its answer against the first one.
func (x *session) again(rec *record, e *entry, c *backend.Conn, need *backend.Need) error {
	payload := append([]byte(nil), rec.text[e.from:e.to]...) // ids and types are written into it
	r := &request{payload: payload, statement: e.statement, answer: wire.AnswerQuery, prepared: e.prepared}
	x.seen = seen{conn: c, statement: e.statement}
	if err := x.mark(c, r); err != nil {
		return err
	}
	rec.unmarked = rec.unmarked || changesRows(r.statement) && x.seen.mark == markedNot
	relay := wire.Relay{ClientCapabilities: x.capabilities, NodeCapabilities: c.Capabilities, Digest: &rec.hash}
	if e.statement.Flags.Has(router.SelectsConnectionID) {
		relay.ReplaceRow = x.connectionIDText
		if e.prepared != nil {
			relay.ReplaceRow = x.connectionIDBinary
		}
	}
	if e.prepared != nil {
		types, long := e.prepared.types, e.prepared.long
		e.prepared.types, e.prepared.long = e.types, e.long
		err := x.readyPrepared(c, r, need)
		e.prepared.types, e.prepared.long = types, long
		if err != nil {
			return err
		}
	}
	rec.hash.Reset()
	if err := x.sendRequest(c, r); err != nil {
		return err
	}
	var answer wire.Answer
	if err := relay.Run(c.Wire, wire.AnswerQuery, &answer); err != nil {
		return err
	}
	c.Wire.Release()
	if rec.hash.Sum64() != e.sum {
		return fmt.Errorf("%w: of %s", errDiffers, e.statement.Kind)
	}
	if answer.HasStatus {
		c.Status = answer.Status
	}
	return nil
}

// revived goes on with a transaction on its new connection.
func (x *session) revived(c *backend.Conn) {
	rec := x.rec
	rec.conn = c
	x.held, x.pins = c, x.orphan.pins.Without(router.PinDiagnostics)
	x.status = x.status&^(wire.StatusInTransaction|wire.StatusInReadOnly) | c.Status&(wire.StatusInTransaction|wire.StatusInReadOnly)
	x.orphan = nil
	x.recorded.Store(c)
	x.was = x.turn.Load()
	x.tookTurn()
	x.prev = previous{last: c, found: x.prev.found}
	c.Dirty, c.Inserted = true, true
	if rec.inserted {
		x.insertID = backend.NewCarry()
		c.InsertID = x.insertID
	}
	x.server.metrics.losses.replays[replayDone].Add(1)
}
