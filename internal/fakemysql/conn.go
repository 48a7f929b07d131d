package fakemysql

import (
	"errors"
	"fmt"
	"io"

	"github.com/bellwether-db/bellwether/wire"
)

// Conn is the server's end of one connection, for the goroutine of its handler.
type Conn struct {
	*wire.Conn
	ID           uint32 // CONNECTION_ID()
	Database     string // asked for at the login
	Capabilities wire.Capability
	Status       uint16 // of the OK and EOF packets to come; Status... flags
}

// Command reads the next command: its name and what follows it, borrowed until
// the next read. COM_QUIT is io.EOF.
func (c *Conn) Command() (wire.Command, []byte, error) {
	c.ResetSequence()
	payload, err := c.ReadPacket()
	if err != nil {
		return 0, nil, err
	}
	if len(payload) == 0 {
		return 0, nil, wire.ErrMalformed
	}
	command := wire.Command(payload[0])
	if command == wire.ComQuit {
		return command, nil, io.EOF
	}
	return command, payload[1:], nil
}

// Send sends one packet.
func (c *Conn) Send(payload []byte) error {
	if err := c.WritePacket(payload); err != nil {
		return err
	}
	return c.Flush()
}

// OK sends an OK packet; its status is the connection's.
func (c *Conn) OK(ok wire.OK) error {
	ok.Status |= c.Status
	return c.Send(wire.AppendOK(nil, wire.HeaderOK, c.Capabilities, &ok))
}

// Error sends an ERR packet.
func (c *Conn) Error(code uint16, state, message string) error {
	return c.Send(wire.AppendError(nil, &wire.ServerError{Code: code, State: state, Message: message}))
}

// Rows sends a whole result set of strings.
func (c *Conn) Rows(columns []string, rows ...[]string) error {
	if err := c.columns(columns); err != nil {
		return err
	}
	for _, row := range rows {
		if err := c.row(row); err != nil {
			return err
		}
	}
	if err := c.end(); err != nil {
		return err
	}
	return c.Flush()
}

// PartialRows sends a result set up to and with these rows, and not its end.
func (c *Conn) PartialRows(columns []string, rows ...[]string) error {
	if err := c.columns(columns); err != nil {
		return err
	}
	for _, row := range rows {
		if err := c.row(row); err != nil {
			return err
		}
	}
	return c.Flush()
}

// PartialPacket sends the header of a packet of size bytes and only the bytes of
// begin of it; sequence is the packet's number in the answer, from 1.
func (c *Conn) PartialPacket(sequence byte, size int, begin []byte) error {
	header := []byte{byte(size), byte(size >> 8), byte(size >> 16), sequence}
	_, err := c.NetConn().Write(append(header, begin...))
	return err
}

func (c *Conn) columns(names []string) error {
	if err := c.WritePacket(wire.AppendLenencInt(nil, uint64(len(names)))); err != nil {
		return err
	}
	for _, name := range names {
		column := wire.Column{Name: name, OrgName: name, Collation: wire.CollationUTF8MB4, Length: 1024, Type: wire.TypeVarString}
		if err := c.WritePacket(wire.AppendColumn(nil, &column)); err != nil {
			return err
		}
	}
	if c.Capabilities.Has(wire.ClientDeprecateEOF) {
		return nil
	}
	return c.WritePacket(wire.AppendEOF(nil, wire.EOF{Status: c.Status}))
}

func (c *Conn) row(row []string) error {
	values := make([][]byte, len(row))
	for i, v := range row {
		values[i] = append([]byte{}, v...)
	}
	return c.WritePacket(wire.AppendTextRow(nil, values...))
}

func (c *Conn) end() error {
	if c.Capabilities.Has(wire.ClientDeprecateEOF) {
		return c.WritePacket(wire.AppendOK(nil, wire.HeaderEOF, c.Capabilities, &wire.OK{Status: c.Status}))
	}
	return c.WritePacket(wire.AppendEOF(nil, wire.EOF{Status: c.Status}))
}

// Step is one step of a script.
type Step func(*Conn) error

// Script is a handler that takes the steps in turn and then hangs up.
func Script(steps ...Step) func(*Conn) error {
	return func(c *Conn) error {
		for i, step := range steps {
			if err := step(c); err != nil {
				return fmt.Errorf("step %d: %w", i+1, err)
			}
		}
		return nil
	}
}

// Expect reads a command and fails if it is another, or has other content.
func Expect(command wire.Command, content string) Step {
	return func(c *Conn) error {
		got, text, err := c.Command()
		if err != nil {
			return err
		}
		if got != command || string(text) != content {
			return fmt.Errorf("got %s %q, want %s %q", got, text, command, content)
		}
		return nil
	}
}

// ExpectQuery is Expect for a COM_QUERY.
func ExpectQuery(sql string) Step { return Expect(wire.ComQuery, sql) }

// SendOK sends an OK packet.
func SendOK(ok wire.OK) Step { return func(c *Conn) error { return c.OK(ok) } }

// SendError sends an ERR packet.
func SendError(code uint16, state, message string) Step {
	return func(c *Conn) error { return c.Error(code, state, message) }
}

// SendRows sends a whole result set.
func SendRows(columns []string, rows ...[]string) Step {
	return func(c *Conn) error { return c.Rows(columns, rows...) }
}

// SendPartialRows sends a result set without its end; what follows in the script
// may be nothing, which hangs up, or Hang.
func SendPartialRows(columns []string, rows ...[]string) Step {
	return func(c *Conn) error { return c.PartialRows(columns, rows...) }
}

// Hang says nothing until the peer hangs up; anything that it sends is an error.
func Hang() Step {
	return func(c *Conn) error {
		_, _, err := c.Command()
		if err == nil {
			return errors.New("peer did not wait")
		}
		return err
	}
}

// Answer is a handler that answers every command by what the function says of
// it, until the peer leaves; a nil step is an OK without content.
func Answer(by func(command wire.Command, content string) Step) func(*Conn) error {
	return func(c *Conn) error {
		for {
			command, text, err := c.Command()
			if err != nil {
				return err
			}
			step := by(command, string(text))
			if step == nil {
				step = SendOK(wire.OK{})
			}
			if err := step(c); err != nil {
				return err
			}
		}
	}
}
