package proxy

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// maxAttempts bounds how often one request is tried that loses its connection each
// time, mostTries how often whatever the reason: who finds no node waits for one.
const (
	maxAttempts = 4
	mostTries   = 100
)

// run decides where a request goes, runs it there, and tries elsewhere what
// may be tried again. An error ends the session.
func (x *session) run(r *request) error {
	x.beginTally(r)
	err := x.serveCounted(r)
	x.endTally(r, err)
	return err
}

// serveCounted is run, within what is counted of it.
func (x *session) serveCounted(r *request) error {
	x.leaveDiagnostics(r.statement)
	if refusal := x.misused(r.statement); refusal != nil {
		return x.sendError(refusal)
	}
	if !x.slowDown(r) {
		return x.sendError(errInterrupted)
	}
	err := x.serve(r)
	x.over(r)
	return err
}

// serve is run, behind what comes before every statement.
func (x *session) serve(r *request) error {
	for attempt := 1; ; attempt++ {
		t := x.topology()
		if x.orphan != nil {
			again, err := x.reviveFirst(r, t)
			if err != nil {
				return x.outcome(err)
			}
			if again {
				attempt--
				continue
			}
		}
		x.position.find(t)
		if !x.position.doubted.IsZero() {
			x.position.believe(t, time.Now())
		}
		x.demand = x.demandOf(r.statement)
		d := router.Decide(r.statement, x.facts(r), t, &x.server.config.Load().Rules)
		switch d.Action {
		case router.ActionReject:
			return x.sendError(notNow(t.WritesReason))
		case router.ActionHold:
			if end := x.hold(r, t, 0); end != holdGoesOn {
				return x.sendError(x.waitedInVain(end, notNow(holdReason(t))))
			}
			continue
		}
		if x.killsSession(r) {
			return x.kill(r.statement.KillID, r.statement.KillQuery)
		}
		d = x.bend(r, t, d)
		if d.Target != router.TargetSlave {
			x.giveWay(t)
		}
		again, err := x.attempt(r, t, d)
		x.disengage()
		if err == nil {
			return nil
		}
		if !again || r.losses >= maxAttempts || attempt-r.patience.waits >= mostTries {
			return x.outcome(err)
		}
	}
}

// killsSession reports whether a request is KILL of a session of the proxy's;
// every other id is the master's to judge.
func (x *session) killsSession(r *request) bool {
	s := r.statement
	return s.Kind == router.KindKill && r.answer == wire.AnswerQuery && !s.Flags.Has(router.Multi) &&
		s.KillID <= 1<<32-1 && x.server.find(uint32(s.KillID)) != nil
}

// bend sends to the master what Decide leaves to the proxy (and the proxy to
// the server), and reads that bind the session to their connection.
func (x *session) bend(r *request, t *cluster.Topology, d router.Decision) router.Decision {
	local := d.Action == router.ActionLocal || d.Reason == router.ReasonEndsTransaction && x.held != nil
	bound := r.binds || x.autoIsNull // WHERE id IS NULL finds the row just inserted
	if !local && !(bound && d.Target != router.TargetPinned) {
		return d
	}
	asksID := d.Reason == router.ReasonConnectionID
	d.Action, d.Target, d.Node = router.ActionRoute, router.TargetMaster, t.Master
	switch m := t.MasterNode(); {
	case x.held != nil:
		d.Target, d.Node = router.TargetPinned, -1
	case asksID && (m == nil || m.Health == cluster.HealthDown): // any node will do: the id is put in
		d.Target, d.Node = router.TargetSlave, -1
	}
	return d
}

// outcome turns what is left of an error into what the client is told.
func (x *session) outcome(err error) error {
	var side *wire.SideError
	var unsent *sendError
	var broken *lostError
	switch {
	case errors.As(err, &broken):
		return x.tellLost(broken)
	case errors.As(err, &side) && side.Side == wire.SideClient, errors.Is(err, errQuit):
		return err
	case errors.As(err, &side), errors.As(err, &unsent):
		x.server.log.Debug("statement given up", "session", x.id, "error", err)
		return x.sendError(errGivenUp)
	}
	return x.replyError(err)
}

// errGivenUp is told where a statement that changes nothing lost its connection
// on one node after another.
var errGivenUp = &wire.ServerError{Code: 1158, State: "08S01", // ER_NET_READ_ERROR
	Message: "Bellwether lost its connection to one node after another: the statement did not end"}

func notNow(reason string) *wire.ServerError {
	return &wire.ServerError{Code: 1290, State: "HY000", // ER_OPTION_PREVENTS_STATEMENT
		Message: "Bellwether takes no writes now: " + reason}
}

func holdReason(t *cluster.Topology) string {
	switch {
	case t.WritesReason != "":
		return t.WritesReason
	case t.Master < 0:
		return "there is no master"
	}
	return "writes are " + t.Writes.String()
}

// facts are what Decide must know of the session now.
func (x *session) facts(r *request) router.Facts {
	return router.Facts{
		InTransaction:        x.status&wire.StatusInTransaction != 0,
		ReadOnlyTransaction:  x.status&wire.StatusInReadOnly != 0,
		Autocommit:           x.status&wire.StatusAutocommit != 0,
		Serializable:         x.serializable,
		Pinned:               x.held != nil,
		PinReason:            x.pins.First(),
		WritesPending:        x.demand.own,
		WritePositionUnknown: (x.position.unknown || !x.position.doubted.IsZero()) && x.demand.level != router.ConsistencyEventual,
		SeesAll:              x.demand.level == router.ConsistencyGlobal && !x.demand.whole,
		Prepared:             r.prepared != nil,
		SystemDatabase:       systemSchema(x.schema),
	}
}

func systemSchema(name string) bool {
	switch name {
	case "mysql", "sys", "performance_schema", "information_schema":
		return true
	}
	return false
}

// attempt runs a request once. again says whether it may be tried elsewhere.
func (x *session) attempt(r *request, t *cluster.Topology, d router.Decision) (again bool, err error) {
	c, need, err := x.acquire(r, t, d)
	if err != nil {
		return x.acquireFailed(r, t, d, need.node, err)
	}
	reason := r.statement.Certain(t.Catalogue, &x.server.config.Load().Rules)
	if !x.engage(c, t, reason) {
		if c != x.held {
			x.park(c)
		}
		r.patience.waits++
		return true, errNoNode // nothing of it has left
	}
	started := time.Now()
	x.tally.traced.sends(d, c.Node(), started)
	stats := c.NodeStats()
	stats.Outstanding.Add(1)
	x.busySince.Store(started.UnixNano())
	x.busy.Store(c)
	if err = x.awaitEngine(&need); err == nil {
		err = x.exchange(c, r, &need.Need, reason)
	}
	x.busy.Store(nil)
	stats.Outstanding.Add(-1)
	took := time.Since(started)
	if err != nil {
		return x.exchangeFailed(r, t, d, c, err)
	}
	stats.Observe(took)
	x.server.metrics.bytesIn.Add(uint64(len(r.payload)))
	x.server.metrics.bytesOut.Add(uint64(x.answer.Bytes))
	x.tally.ended = started.Add(took)
	x.tally.ran = x.server.metrics.statement(r.statement.Kind, d.Target, d.Reason, t, c.Node(), took)
	x.countRead(&need, t, c)
	defer x.noteRead(r, t, c.Node(), started.Add(took))
	if x.answer.Held != nil {
		return x.errorAnswer(r, t, d, c)
	}
	x.follow(r, c)
	return false, nil
}

// exchange sends a request on a connection and relays the answer. reason is
// why the statement is not certain to read, if so.
func (x *session) exchange(c *backend.Conn, r *request, need *backend.Need, reason router.Reason) error {
	x.seen = seen{
		conn: c, statement: r.statement, reason: reason, lent: len(r.statement.Lent) > 0,
		marks: x.marksSchema(r), uses: usesSchema(r.statement), begun: x.status&wire.StatusInTransaction != 0,
	}
	x.answer = wire.Answer{}
	if r.answer == wire.AnswerQuery && changesCatalogue(r.statement) {
		defer x.server.hints.CatalogueChanging()()
	}
	var steps backend.Steps
	if err := x.ready(c, r, need, &steps); err != nil {
		return unsent(err)
	}
	if r.unknown != 0 {
		// Its own id where the node has none of that, so that what the node says and
		// remembers of it is right.
		id := r.unknown
		if id == latestID || c.HasStatement(id) {
			id = nobodysID
		}
		wire.PutStmtID(r.payload, id)
	}
	x.listen(r, c)
	if err := x.sendRequest(c, r); err != nil {
		return err
	}
	if !steps.Empty() {
		if err := c.Finish(&steps, need); err != nil {
			return err
		}
	}
	if need.Pipelined {
		if err := x.waited(c, r, steps.Behind()); err != nil {
			return err
		}
	}
	return x.relayAnswer(c, r)
}

// ready does what comes before a request on its connection. Nothing of the request
// itself is sent.
func (x *session) ready(c *backend.Conn, r *request, need *backend.Need, steps *backend.Steps) error {
	if err := x.mark(c, r); err != nil {
		return err
	}
	if need.Position != "" {
		if err := x.waitFirst(c, r, need); err != nil {
			return err
		}
	}
	if err := c.Adapt(need, steps); err != nil {
		return err
	}
	// What was queued goes out with the statement where nothing is lost if the
	// statement runs in spite of a step that failed: a certain read.
	if !steps.Empty() && !x.joins(c, r, steps) {
		if err := x.sendFirst(c, steps, need); err != nil {
			return err
		}
	}
	if r.prepared != nil && r.answer != wire.AnswerPrepare {
		return x.readyPrepared(c, r, need)
	}
	return nil
}

// unsent says of a connection that was lost before a request that nothing of that
// was sent. What the node or the client has said itself stays what it is.
func unsent(err error) error {
	var refused *wire.ServerError
	var unprepared *prepareError
	var side *wire.SideError
	if errors.Is(err, backend.ErrBehind) || errors.As(err, &refused) || errors.As(err, &unprepared) ||
		errors.As(err, &side) && side.Side == wire.SideClient {
		return err
	}
	return &sendError{err: err}
}

// changesCatalogue reports whether a statement may add a stored function, or a
// view that reaches one, under some name. Other DDL leaves reads on the slaves.
func changesCatalogue(s *router.Statement) bool {
	if s.Kind != router.KindDDL && !(s.Flags.Has(router.Multi) && !s.Flags.Has(router.OnlyReads)) {
		return false
	}
	for _, word := range [...]string{"view", "function", "package", "rename", "database", "schema", "soname"} {
		if strings.Contains(s.Fingerprint, word) {
			return true
		}
	}
	return false
}

func (x *session) sendRequest(c *backend.Conn, r *request) error {
	frame := r.frame
	switch {
	case x.seen.mark == markedText:
		frame = nil
		if err := x.sendMarked(c, r); err != nil {
			return &sendError{sent: true, err: err}
		}
	case x.seen.mark == markedPrepared && r.answer == wire.AnswerPrepare:
		frame = nil
		c.Wire.ResetSequence()
		if err := c.Wire.WritePacket(x.preparedText(c, r.prepared.sql)); err != nil {
			return &sendError{sent: true, err: err}
		}
	case frame == nil:
		c.Wire.ResetSequence()
		if err := c.Wire.WritePacket(r.payload); err != nil {
			return &sendError{sent: true, err: err}
		}
	}
	if sent, err := c.Wire.Exchange(frame); err != nil {
		return &sendError{sent: sent, err: err}
	}
	return nil
}

func (x *session) relayAnswer(c *backend.Conn, r *request) error {
	x.relay.ClientCapabilities = x.capabilities
	x.relay.NodeCapabilities = c.Capabilities
	x.relay.ReplaceRow = r.replace
	x.relay.Owed = nil
	if x.owes() {
		x.relay.Owed = x.payOwed
	}
	if err := x.relay.Run(c.Wire, r.answer, &x.answer); err != nil {
		return err
	}
	if x.answer.File {
		return x.sendFile(c)
	}
	return nil
}

// sendFile passes the client's file on, packet by packet; the proxy opens none.
func (x *session) sendFile(c *backend.Conn) error {
	seq := byte(2)
	for {
		x.client.Expect(seq)
		p, err := x.client.ReadPacket()
		if err != nil {
			return &wire.SideError{Side: wire.SideClient, Err: err}
		}
		last := len(p) == 0
		c.Wire.Expect(seq)
		if err = c.Wire.WritePacket(p); err == nil && last {
			err = c.Wire.Flush()
		}
		if err != nil {
			return &wire.SideError{Side: wire.SideNode, Err: err}
		}
		seq = c.Wire.Next()
		if last {
			break
		}
	}
	err := x.relay.Run(c.Wire, wire.AnswerQuery, &x.answer)
	x.answer.File = true // the request's bytes are gone: the file has taken their place
	return err
}

// context bounds what the session does for one step.
func (x *session) within(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(x.ctx, d)
}
