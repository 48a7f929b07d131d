package downstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/bellwether-db/bellwether/wire"
)

var (
	// errClosing ends sessions because the server stops.
	errClosing = errors.New("the server is shutting down")
	// errReplaced ends the stream of a slave that has come again.
	errReplaced = errors.New("the slave has connected again")
	// errKilled ends a session by KILL.
	errKilled = errors.New("connection was killed")
	// errQuit ends a session because its client says so.
	errQuit = errors.New("client quits")
)

const (
	// farewell bounds what is still sent on a connection that ends.
	farewell = time.Second
	// maxCommand bounds a command, in bytes: the longest is a GTID set.
	maxCommand = 8 << 20
)

// session is one connection. It belongs to its goroutine, but for the cancel
// function, hurry, and login, which is read under the server's lock.
type session struct {
	server       *Server
	conn         *wire.Conn
	socket       net.Conn // below TLS, for deadlines
	id           uint32
	ctx          context.Context
	cancel       context.CancelCauseFunc
	logger       *slog.Logger
	login        identity
	capabilities wire.Capability
	slave        *registration // nil: it has not registered
	knows        knowledge
}

// hurry runs when the session is to end: who waits for a command is woken, who
// writes has a moment left.
func (x *session) hurry() {
	_ = x.socket.SetReadDeadline(time.Unix(1, 0))
	_ = x.socket.SetWriteDeadline(time.Now().Add(farewell))
}

// allowRead bounds the wait for the next command.
func (x *session) allowRead() {
	_ = x.socket.SetReadDeadline(time.Now().Add(x.server.config.IdleTimeout))
	x.mind()
}

// allowWrite bounds the next write.
func (x *session) allowWrite() {
	_ = x.socket.SetWriteDeadline(time.Now().Add(x.server.config.WriteTimeout))
	x.mind()
}

// mind keeps a deadline that was just set from undoing hurry.
func (x *session) mind() {
	if x.ctx.Err() != nil {
		x.hurry()
	}
}

// run serves the session to its end. A nil error is a client that left.
func (x *session) run() error {
	if err := x.letIn(); err != nil {
		x.logger.Debug("not let in", "error", err) // whoever knocks must not fill the log
		return nil
	}
	x.conn.SetMaxPacket(maxCommand)
	x.knows = knowledge{
		config: &x.server.config, log: x.server.log, slaves: x.server.Slaves, id: x.id, user: x.login.user,
	}
	for {
		x.conn.Release()
		x.allowRead()
		x.conn.ResetSequence()
		payload, err := x.conn.ReadPacket()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read command: %w", err)
		}
		x.allowWrite()
		if err := x.command(payload); err != nil {
			return x.ended(err)
		}
	}
}

// ended tells how a session ended from the error that ended it.
func (x *session) ended(err error) error {
	if errors.Is(err, errQuit) {
		return nil
	}
	return err
}

// command does one command. An error ends the session.
func (x *session) command(payload []byte) error {
	if len(payload) == 0 {
		return wire.ErrMalformed
	}
	rest := payload[1:]
	switch c := wire.Command(payload[0]); c {
	case wire.ComQuit:
		return errQuit
	case wire.ComPing, wire.ComSetOption, wire.ComDebug:
		return x.sendOK()
	case wire.ComResetConnection:
		x.knows.variables, x.slave = variables{}, nil
		return x.sendOK()
	case wire.ComQuery:
		return x.query(string(rest))
	case wire.ComRegisterSlave:
		return x.register(rest)
	case wire.ComBinlogDump:
		return x.dump(parseDump(rest))
	case wire.ComBinlogDumpGTID:
		if x.server.config.mariaDB() {
			return x.unknown()
		}
		return x.dump(parseDumpGTID(rest))
	default:
		return x.unknown()
	}
}

func (x *session) unknown() error {
	return x.sendError(&wire.ServerError{Code: wire.CodeUnknownCommand, State: "08S01", Message: "Unknown command"})
}

// query answers a COM_QUERY.
func (x *session) query(text string) error {
	q := parseQuestion(text)
	var refusal *wire.ServerError
	var answer table
	switch q.kind {
	case questionSelect:
		answer, refusal = x.knows.selected(q)
	case questionShow:
		answer, refusal = x.knows.show(q)
	case questionSet:
		refusal = x.knows.assign(q)
	case questionKill:
		if !x.server.kill(q.target, x.login.user) {
			refusal = &wire.ServerError{Code: 1094, State: "HY000", // ER_NO_SUCH_THREAD
				Message: fmt.Sprintf("Unknown thread id: %d", q.target)}
		}
	case questionWrite:
		refusal = notWritten
	case questionEmpty:
		refusal = &wire.ServerError{Code: 1065, State: "42000", Message: "Query was empty"} // ER_EMPTY_QUERY
	default:
		refusal = notServed
	}
	switch {
	case refusal != nil:
		x.logger.Debug("question refused", "question", clip(text, 200), "error", refusal)
		return x.sendError(refusal)
	case answer.columns == nil:
		return x.sendOK()
	}
	return x.sendTable(answer)
}

// register notes who the slave is.
func (x *session) register(payload []byte) error {
	r, err := parseRegistration(payload)
	if err != nil {
		return x.sendError(&wire.ServerError{Code: wire.CodeUnknown, Message: "Wrong parameters to function register_slave"})
	}
	x.slave = &r
	return x.sendOK()
}

// clip shortens what is repeated of a text.
func clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return text[:most] + "..."
}
