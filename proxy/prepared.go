package proxy

import (
	"bytes"
	"strings"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// prepared is one prepared statement of a client: what it takes to prepare it
// on whatever connection runs it.
type prepared struct {
	id        uint32
	sql       string
	statement *router.Statement
	schema    string         // when it was prepared
	state     *backend.State // likewise
	// key finds the statement on connections. Its first execution's parameter
	// types are part of it, because servers keep them in the metadata; before
	// that it is the session's own.
	key        backend.StatementKey
	executed   bool
	parameters uint16
	// types are the parameter types of the last execution, for a node that has
	// not seen them.
	types []byte
	// long are the pieces of long data for the next execution, as they came.
	long     [][]byte
	longSize int
	// open is set while a cursor binds it to a connection.
	open bool
	// typed is set where it is bound to a connection by the types of variables.
	typed bool
}

// nobodysID is a statement id that no server has reached, latestID one that
// MariaDB takes for the statement that was prepared last.
const (
	nobodysID = 1<<31 - 2
	latestID  = 1<<32 - 1
)

// unknownStatement lets the node refuse a command on a statement that the
// client does not have.
func (x *session) unknownStatement(id uint32, payload []byte) error {
	return x.run(&request{payload: payload, statement: onMaster, answer: wire.AnswerQuery, unknown: id})
}

// refuseUnknown passes the refusal on with the id that the client knows.
func (x *session) refuseUnknown(id uint32) error {
	e, err := wire.ParseError(x.answer.Held[wire.HeaderSize:])
	if err != nil {
		return err
	}
	e.Message = strings.ReplaceAll(e.Message, utoa(nobodysID), utoa(id))
	return x.reply(wire.AppendError(nil, e))
}

// prepare serves COM_STMT_PREPARE. The statement is prepared where it would
// run, so that its metadata are a live node's.
func (x *session) prepare(payload []byte) error {
	x.lastID++
	p := &prepared{id: x.lastID, sql: string(payload[1:]), schema: x.schema}
	p.statement = x.classify(payload[1:])
	x.relay.StatementID = p.id
	return x.run(&request{payload: payload, statement: p.statement, prepared: p, answer: wire.AnswerPrepare, binds: x.keepsTypes(p.statement)})
}

// keepsTypes reports whether a statement, once prepared, keeps the types that
// user variables had then, as MySQL does: prepared anew it would have others.
func (x *session) keepsTypes(s *router.Statement) bool {
	return x.dialect.Flavour == cluster.FlavourMySQL && s.Flags.Has(router.UsesUserVariables)
}

// prepareDone remembers a statement that a node has prepared.
func (x *session) prepareDone(p *prepared, c *backend.Conn) {
	if x.statements == nil {
		x.statements = map[uint32]*prepared{}
	}
	p.parameters = x.answer.Prepared.Parameters
	p.state = x.state
	p.key = x.state.Key(p.sql, p.schema)
	if p.parameters > 0 {
		p.key.Owner = x.owner
	}
	if p.typed = x.keepsTypes(p.statement); p.typed {
		p.key.Owner, p.key.Own = x.owner, p.id
	}
	x.statements[p.id] = p
	_ = c.AddStatement(p.key, &backend.Statement{
		ID: x.answer.Prepared.ID, Parameters: p.parameters, Marked: x.seen.mark == markedPrepared,
	})
}

// executePrepared serves COM_STMT_EXECUTE.
func (x *session) executePrepared(frame, payload []byte) error {
	var e wire.StmtExecute
	if err := wire.ParseStmtExecute(payload, &e); err != nil {
		return x.sendError(malformed("COM_STMT_EXECUTE"))
	}
	p := x.statements[e.ID]
	if p == nil {
		return x.unknownStatement(e.ID, payload)
	}
	defer func() { p.long, p.longSize = nil, 0 }()
	if p.long == nil && p.longSize > 0 {
		return x.sendError(tooLong())
	}
	r := request{frame: frame, payload: payload, statement: p.statement, prepared: p, answer: wire.AnswerQuery}
	r.cursor = e.Flags&(wire.CursorReadOnly|wire.CursorForUpdate|wire.CursorScrollable) != 0
	r.binds = r.cursor || p.typed
	if p.statement.Flags.Has(router.SelectsConnectionID) {
		r.replace = x.connectionIDBinary
	}
	return x.run(&r)
}

// readyPrepared makes sure that the statement is prepared on the connection
// and puts its id there, and the parameter types if the node has not seen
// them, into the request.
func (x *session) readyPrepared(c *backend.Conn, r *request, need *backend.Need) error {
	p := r.prepared
	if r.cursor && p.key.Own == 0 {
		shared := p.key
		p.key.Owner, p.key.Own = x.owner, p.id
		c.Rekey(shared, p.key)
	}
	s := c.Statement(p.key)
	if wire.Command(r.payload[0]) == wire.ComStmtExecute && !p.executed {
		s = x.firstExecution(c, p, s, r.payload)
	}
	if s == nil {
		var err error
		if s, err = x.prepareOn(c, p, need); err != nil {
			return err
		}
	}
	if wire.Command(r.payload[0]) == wire.ComStmtExecute {
		x.bindTypes(p, s, r)
	}
	if !s.Marked {
		x.seen.mark = markedNot
	}
	wire.PutStmtID(r.payload, s.ID)
	if wire.Command(r.payload[0]) == wire.ComStmtExecute && p.long != nil {
		return p.passLongData(c, s.ID)
	}
	return nil
}

// firstExecution gives a statement its lasting key, by which other sessions
// that execute it in the same way find it too.
func (x *session) firstExecution(c *backend.Conn, p *prepared, own *backend.Statement, payload []byte) *backend.Statement {
	p.executed = true
	if p.parameters == 0 || p.key.Own != 0 {
		return own
	}
	key := p.key
	key.Owner, key.Types = 0, string(p.sentTypes(payload))
	if shared := c.Statement(key); shared != nil {
		p.key = key
		return shared
	}
	if own != nil {
		c.Rekey(p.key, key)
	}
	p.key = key
	return own
}

// sentTypes returns the parameter types in a COM_STMT_EXECUTE, borrowed; nil
// where it carries none.
func (p *prepared) sentTypes(payload []byte) []byte {
	at := p.typesAt()
	size := 2 * int(p.parameters)
	if len(payload) < at+1+size || payload[at] != 1 {
		return nil
	}
	return payload[at+1 : at+1+size]
}

// typesAt is where a COM_STMT_EXECUTE says whether it carries types: behind the
// fixed part and the NULL bitmap.
func (p *prepared) typesAt() int { return 10 + (int(p.parameters)+7)/8 }

// bindTypes follows the parameter types, which a client sends with the first
// execution only, and sends them again to a node that has seen others.
func (x *session) bindTypes(p *prepared, s *backend.Statement, r *request) {
	if p.parameters == 0 {
		return
	}
	at, size := p.typesAt(), 2*int(p.parameters)
	if len(r.payload) <= at {
		return // malformed: the node says so
	}
	if types := p.sentTypes(r.payload); types != nil {
		if !bytes.Equal(types, p.types) {
			p.types = append([]byte(nil), types...)
		}
		s.Types = p.types
		return
	}
	if r.payload[at] == 0 && p.types != nil && !bytes.Equal(s.Types, p.types) {
		bound := make([]byte, 0, len(r.payload)+size)
		bound = append(append(bound, r.payload[:at]...), 1)
		bound = append(append(bound, p.types...), r.payload[at+1:]...)
		r.payload, r.frame = bound, nil
		s.Types = p.types
	}
}

func adaptNow(c *backend.Conn, need *backend.Need) error {
	var steps backend.Steps
	if err := c.Adapt(need, &steps); err != nil {
		return err
	}
	return c.Send(&steps, need)
}

func heldError(a *wire.Answer) error {
	e, err := wire.ParseError(a.Held[wire.HeaderSize:])
	if err != nil {
		return err
	}
	return &prepareError{e}
}

// preparedCommand serves the commands on a prepared statement other than its
// execution.
func (x *session) preparedCommand(c wire.Command, payload []byte) error {
	id, err := wire.StmtID(payload)
	if err != nil {
		return x.sendError(malformed(c.String()))
	}
	p := x.statements[id]
	switch {
	case c == wire.ComStmtClose:
		return x.closePrepared(p)
	case c == wire.ComStmtSendLongData:
		return x.sendLongData(p, payload)
	case p == nil:
		return x.unknownStatement(id, payload)
	case c == wire.ComStmtFetch:
		return x.run(&request{payload: payload, statement: onMaster, prepared: p, answer: wire.AnswerRows})
	case !p.open:
		p.long, p.longSize = nil, 0
		x.warnings = 0
		x.prev.answered(localPing)
		return x.sendOK() // no node holds anything of it
	default:
		p.open, p.long, p.longSize = false, nil, 0
		x.pins = x.pinsOfStatements(x.pins)
		return x.run(&request{payload: payload, statement: onMaster, prepared: p, answer: wire.AnswerQuery})
	}
}

// closePrepared forgets a statement; the protocol has no answer to that. The
// nodes keep theirs for others that prepare the same, within bounds.
func (x *session) closePrepared(p *prepared) error {
	if p == nil {
		return nil
	}
	delete(x.statements, p.id)
	switch {
	case p.open && x.held != nil:
		if err := x.held.DropStatement(p.key); err != nil {
			x.dropHeld()
			return nil
		}
	case !p.executed, p.key.Own != 0:
		x.dropUnexecuted(p)
	}
	if p.open || p.typed {
		x.pins = x.pinsOfStatements(x.pins)
		x.keepIdle()
	}
	return nil
}

// dropUnexecuted closes on its node a statement that no other session can use.
func (x *session) dropUnexecuted(p *prepared) {
	c := x.prev.last
	if c == nil || c != x.held && !c.Retake(x.owner) {
		return // it is closed when its connection has too many
	}
	err := c.DropStatement(p.key)
	if err == nil {
		err = c.Wire.Flush()
	}
	if err != nil {
		x.server.log.Debug("close statement", "session", x.id, "error", err) // it shows at the next use
	}
	if c != x.held {
		c.Park()
	}
}

// pinsOfStatements brings the pins up to date with the statements that there are.
func (x *session) pinsOfStatements(pins router.PinSet) router.PinSet {
	pins = pins.Without(router.PinCursor).Without(router.PinPreparedVariable)
	for _, p := range x.statements {
		if p.open {
			pins = pins.With(router.PinCursor)
		}
		if p.typed {
			pins = pins.With(router.PinPreparedVariable)
		}
	}
	return pins
}

// keepIdle parks the held connection if no pin is left, between statements.
func (x *session) keepIdle() {
	if x.held != nil && x.pins == 0 {
		c := x.held
		x.held = nil
		if err := c.Wire.Flush(); err != nil {
			c.Discard()
			return
		}
		x.park(c)
	}
}

// pinsOfPrepared follows cursors.
func (x *session) pinsOfPrepared(r *request, pins router.PinSet) router.PinSet {
	p := r.prepared
	if p == nil || r.answer == wire.AnswerPrepare {
		return pins
	}
	switch {
	case x.answer.Status&wire.StatusLastRowSent != 0:
		p.open = false
	case x.answer.Status&wire.StatusCursorExists != 0:
		p.open = true
	case r.answer == wire.AnswerQuery:
		p.open = false
	}
	return x.pinsOfStatements(pins)
}
