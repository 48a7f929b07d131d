package proxy

import (
	"strings"

	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/wire"
)

// errParsedOtherwise is the refusal to prepare a statement anew where that would
// read its text in another way, or end a transaction.
var errParsedOtherwise = &prepareError{&wire.ServerError{Code: 1105, State: "HY000",
	Message: "Bellwether: the statement was prepared under another sql_mode or character set, and this transaction runs on a connection " +
		"where it is not prepared; prepare it again"}}

// preparing is the state of c in which p is prepared: what the connection has,
// but for what decides how the text is read.
func (x *session) preparing(c *backend.Conn, p *prepared) (*backend.State, error) {
	s := c.State.ParsedAs(p.state)
	if x.held != c || c.State.Within(s) {
		return s, nil
	}
	// Getting there would reset the connection, and there may be no need to.
	if mode, _ := c.State.Get("sql_mode"); parsesOtherwise(mode, p.sql) {
		return nil, errParsedOtherwise
	}
	return c.State, nil
}

// parsesOtherwise reports whether a sql_mode may make servers read a text in
// another way than they do by default.
func parsesOtherwise(mode, sql string) bool {
	for word := range strings.SplitSeq(mode, ",") {
		switch word {
		case "ANSI", "ORACLE":
			return true
		case "ANSI_QUOTES", "PIPES_AS_CONCAT", "IGNORE_SPACE", "NO_BACKSLASH_ESCAPES", "HIGH_NOT_PRECEDENCE", "REAL_AS_FLOAT":
			if containsFold([]byte(sql), readOtherwise[word]) {
				return true
			}
		}
	}
	return false
}

// readOtherwise is what a text must contain to be read otherwise under a sql_mode.
var readOtherwise = map[string]string{
	"ANSI_QUOTES": `"`, "PIPES_AS_CONCAT": "||", "IGNORE_SPACE": "(", "NO_BACKSLASH_ESCAPES": `\`,
	"HIGH_NOT_PRECEDENCE": "not", "REAL_AS_FLOAT": "real",
}

// prepareOn prepares a statement on another connection, under the schema, the
// sql_mode and the character set that were current when the client prepared it.
func (x *session) prepareOn(c *backend.Conn, p *prepared, need *backend.Need) (*backend.Statement, error) {
	current, within := c.State, *need
	state, err := x.preparing(c, p)
	if err != nil {
		return nil, err
	}
	within.Schema, within.Foreign, within.State, within.Leave = p.schema, false, state, 0
	if err := adaptNow(c, &within); err != nil {
		return nil, err
	}
	c.Wire.ResetSequence()
	err = c.Wire.WritePacket(x.preparedText(c, p.sql))
	if err == nil {
		_, err = c.Wire.Exchange(nil)
	}
	if err != nil {
		return nil, &sendError{sent: true, err: err}
	}
	var answer wire.Answer
	discard := wire.Relay{NodeCapabilities: c.Capabilities}
	if err := discard.Run(c.Wire, wire.AnswerPrepare, &answer); err != nil {
		return nil, err
	}
	if answer.Code != 0 {
		return nil, heldError(&answer)
	}
	s := &backend.Statement{ID: answer.Prepared.ID, Parameters: answer.Prepared.Parameters, Marked: x.seen.mark == markedPrepared}
	if err := c.AddStatement(p.key, s); err != nil {
		return nil, err
	}
	back := *need
	back.Foreign, back.State = false, current
	return s, adaptNow(c, &back)
}

// prepareError is a node's refusal to prepare a statement; the connection is
// in order.
type prepareError struct{ refused *wire.ServerError }

func (e *prepareError) Error() string { return e.refused.Error() }
