package proxy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// request is one command on its way to a node. frame and payload are borrowed
// from the client's buffer; frame is nil where the packet came in several.
type request struct {
	frame, payload []byte
	statement      *router.Statement
	answer         wire.AnswerKind
	// prepared is the statement of a COM_STMT_ command.
	prepared *prepared
	// replace makes a row of the answer from the node's.
	replace func(dst, row []byte) []byte
	// cursor asks for one.
	cursor bool
	// binds keeps a read on the master: it binds the session to the connection, and
	// writes must be able to follow.
	binds bool
	// unknown is the id of a prepared statement that the client does not have: the
	// node is asked for another one that it does not have, so that the error is
	// its own, and remembered by it as the statement's.
	unknown uint32
	// aside is set for a question that runs on another connection than the one
	// that the session goes on holding.
	aside bool
	// apart is set for what adds to a list of warnings that is elsewhere.
	apart bool
	// excluded are the nodes that have failed this request.
	excluded backend.NodeSet
	patience patience
	// losses is how often it has lost its connection, and lostAt when that was last
	// counted.
	losses int
	lostAt time.Time
}

// What commands other than statements ask of a session, as statements.
var (
	onMaster = &router.Statement{Kind: router.KindAdmin, Reason: router.ReasonAdmin}
	// Neither may ever wait for a master, like USE.
	pings        = &router.Statement{Kind: router.KindUse, Reason: router.ReasonSessionState}
	beginsAgain  = &router.Statement{Kind: router.KindBegin}
	afterLast    = &router.Statement{Kind: router.KindUse, Reason: router.ReasonSessionState, Flags: router.NeedsDiagnostics}
	changeSchema = &router.Statement{Kind: router.KindUse, Reason: router.ReasonSessionState}
)

// command serves one command. An error ends the session.
func (x *session) command(frame, payload []byte) error {
	if len(payload) == 0 {
		return x.sendError(malformed("empty command"))
	}
	switch c := wire.Command(payload[0]); c {
	case wire.ComQuery:
		return x.query(frame, payload)
	case wire.ComStmtPrepare:
		return x.prepare(payload)
	case wire.ComStmtExecute:
		return x.executePrepared(frame, payload)
	case wire.ComStmtFetch, wire.ComStmtReset, wire.ComStmtSendLongData, wire.ComStmtClose:
		return x.preparedCommand(c, payload)
	case wire.ComPing:
		return x.ping(payload)
	case wire.ComQuit:
		return errQuit
	case wire.ComInitDB:
		return x.simple(frame, payload, changeSchema, wire.AnswerQuery)
	case wire.ComFieldList:
		return x.simple(frame, payload, onMaster, wire.AnswerRows)
	case wire.ComStatistics:
		return x.simple(frame, payload, onMaster, wire.AnswerText)
	case wire.ComSetOption:
		return x.setOption(payload)
	case wire.ComResetConnection:
		x.consistency = router.ConsistencyUnset
		return x.resetSession()
	case wire.ComChangeUser:
		x.consistency = router.ConsistencyUnset
		return x.changeUser(payload)
	case wire.ComProcessKill:
		return x.processKill(payload)
	case wire.ComDebug:
		return x.simple(frame, payload, onMaster, wire.AnswerRows)
	default:
		return x.sendError(&wire.ServerError{Code: wire.CodeUnknownCommand, State: "08S01",
			Message: fmt.Sprintf("Unknown command: Bellwether does not serve %s", c)})
	}
}

// simple runs a command that is no statement. It is not inlined because each
// copy would add a request to the stack of every session that idles.
//
//go:noinline
func (x *session) simple(frame, payload []byte, s *router.Statement, answer wire.AnswerKind) error {
	return x.run(&request{frame: frame, payload: payload, statement: s, answer: answer})
}

func malformed(what string) *wire.ServerError {
	return &wire.ServerError{Code: 1835, State: "HY000", Message: "Malformed communication packet: " + what} // ER_MALFORMED_PACKET
}

// query classifies and runs a text statement.
func (x *session) query(frame, payload []byte) error {
	s := x.classify(payload[1:])
	if s.Own != nil {
		return x.own(s.Own, payload[1:])
	}
	r := request{frame: frame, payload: payload, statement: s, answer: wire.AnswerQuery}
	if s.Flags.Has(router.SelectsConnectionID) && !s.Flags.Has(router.Multi) {
		r.replace = x.connectionIDText
	}
	return x.run(&r)
}

func (x *session) classify(sql []byte) *router.Statement {
	scratch := x.server.scratch.Get().(*router.Scratch)
	s := x.server.classifier.Classify(sql, x.dialect, scratch)
	x.server.scratch.Put(scratch)
	return s
}

// ping answers a COM_PING, or lets the connection do it that the session holds:
// what the server has yet to tell comes with the answer.
func (x *session) ping(payload []byte) error {
	if x.held != nil && x.pins.Without(router.PinDiagnostics) != 0 {
		return x.run(&request{payload: payload, statement: pings, answer: wire.AnswerQuery})
	}
	x.prev.answered(localPing)
	return x.sendOK()
}

// sendOK answers an OK of the proxy's own.
func (x *session) sendOK() error {
	ok := wire.OK{Status: x.status, Warnings: x.warnings}
	if x.dialect.Flavour == cluster.FlavourMariaDB {
		ok.Warnings = 0
	}
	if x.capabilities.Has(wire.ClientSessionTrack) {
		ok.Track = x.payOwed(nil)
	}
	return x.reply(wire.AppendOK(nil, wire.HeaderOK, x.capabilities, &ok))
}

// sendError answers an error of the proxy's own.
func (x *session) sendError(e *wire.ServerError) error {
	x.server.metrics.failure(wire.SideUnknown, e.Code)
	x.tally.refused = e.Code
	return x.reply(wire.AppendError(nil, e))
}

// reply sends one packet as the answer to the client's command.
func (x *session) reply(payload []byte) error {
	x.client.ExpectAnswer()
	err := x.client.WritePacket(payload)
	if err == nil {
		err = x.client.Flush()
	}
	if err != nil {
		return &wire.SideError{Side: wire.SideClient, Err: err}
	}
	return nil
}

// replyError answers with a node's error if err is one, and with the proxy's
// own words otherwise.
func (x *session) replyError(err error) error {
	var refused *wire.ServerError
	if errors.As(err, &refused) {
		return x.sendError(refused)
	}
	return x.sendError(&wire.ServerError{Code: wire.CodeUnknown, State: "HY000", Message: "Bellwether: " + err.Error()})
}

// setOption switches several statements in a packet on and off. A connection is
// told before the next statement that runs there.
func (x *session) setOption(payload []byte) error {
	if len(payload) < 3 {
		return x.sendError(malformed("COM_SET_OPTION without its option"))
	}
	wanted := x.capabilities
	switch binary.LittleEndian.Uint16(payload[1:]) {
	case wire.OptionMultiStatementsOn:
		wanted |= wire.ClientMultiStatements
	case wire.OptionMultiStatementsOff:
		wanted &^= wire.ClientMultiStatements
	default: // the server's own error, behind what the statement before has left
		return x.run(&request{payload: payload, statement: afterLast, answer: wire.AnswerRows})
	}
	x.capabilities = wanted
	x.prev.answered(localOption)
	warnings := x.warnings
	if x.dialect.Flavour == cluster.FlavourMariaDB {
		warnings = 0
	}
	if x.capabilities.Has(wire.ClientDeprecateEOF) {
		return x.reply(wire.AppendOK(nil, wire.HeaderEOF, x.capabilities, &wire.OK{Status: x.status, Warnings: warnings}))
	}
	return x.reply(wire.AppendEOF(nil, wire.EOF{Status: x.status, Warnings: warnings}))
}
