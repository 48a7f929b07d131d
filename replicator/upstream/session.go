package upstream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/wire"
)

// session is a connection before the stream begins: it asks and sets. One
// goroutine.
type session struct {
	conn  *wire.Conn
	hello *wire.ServerHello
}

// errNotAnswered says that a query had no row where one was expected.
var errNotAnswered = errors.New("no row in the answer")

// dial logs in.
func dial(ctx context.Context, c *wire.DialConfig) (*session, error) {
	conn, hello, err := wire.Dial(ctx, c)
	if err != nil {
		return nil, err
	}
	return &session{conn: conn, hello: hello}, nil
}

// send sends one command and bounds what follows.
func (s *session) send(command []byte) error {
	s.conn.ResetSequence()
	return errors.Join(s.conn.SetDeadline(time.Now().Add(dialTimeout)), s.conn.WritePacket(command), s.conn.Flush())
}

// exec runs a command that answers OK.
func (s *session) exec(what string, command []byte) error {
	if err := s.send(command); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	p, err := s.conn.ReadPacket()
	if err == nil {
		err = refusedBy(p)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// set runs one SET of user variables, each "name = value" (with its @).
func (s *session) set(assignments ...string) error {
	return s.exec("set "+strings.Join(assignments, ", "), query("SET "+strings.Join(assignments, ", ")))
}

// row returns the first row of a query; NULL is "". Without any it is
// errNotAnswered.
func (s *session) row(sql string) ([]string, error) {
	values, err := s.ask(sql)
	if err != nil {
		return nil, fmt.Errorf("ask %q: %w", sql, err)
	}
	return values, nil
}

func (s *session) ask(sql string) ([]string, error) {
	if err := s.send(query(sql)); err != nil {
		return nil, err
	}
	p, err := s.conn.ReadPacket()
	if err != nil {
		return nil, err
	}
	if err := refusedBy(p); err != nil {
		return nil, err
	}
	columns, n := wire.ReadLenencInt(p)
	if n != len(p) || columns == 0 {
		return nil, fmt.Errorf("read columns: %w", wire.ErrMalformed)
	}
	if _, err := s.packets(int(min(columns, 4096))); err != nil {
		return nil, err
	}
	return s.first(int(columns))
}

// packets skips n packets and the EOF behind them.
func (s *session) packets(n int) (skipped int, err error) {
	for ; skipped <= n; skipped++ {
		p, err := s.conn.ReadPacket()
		if err != nil {
			return skipped, err
		}
		if wire.IsEOF(p, 0) {
			return skipped, nil
		}
	}
	return skipped, fmt.Errorf("read columns: %w", wire.ErrMalformed)
}

// first reads rows to their end and returns the first.
func (s *session) first(columns int) (values []string, err error) {
	for {
		p, err := s.conn.ReadPacket()
		switch {
		case err != nil:
			return nil, err
		case wire.IsEOF(p, 0) && values == nil:
			return nil, errNotAnswered
		case wire.IsEOF(p, 0):
			return values, nil
		case wire.IsError(p):
			return nil, refusedBy(p)
		case values != nil:
			continue
		}
		row, err := wire.ParseTextRow(nil, p)
		if err != nil || len(row) != columns {
			return nil, fmt.Errorf("read row: %w", wire.ErrMalformed)
		}
		values = make([]string, 0, columns)
		for _, v := range row {
			values = append(values, string(v))
		}
	}
}

// query is a COM_QUERY.
func query(sql string) []byte { return append([]byte{byte(wire.ComQuery)}, sql...) }

// refusedBy returns the server's error where a packet is one.
func refusedBy(p []byte) error {
	if len(p) == 0 {
		return wire.ErrMalformed
	}
	if !wire.IsError(p) {
		return nil
	}
	e, err := wire.ParseError(p)
	if err != nil {
		return err
	}
	return e
}
