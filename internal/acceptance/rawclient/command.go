package rawclient

import (
	"encoding/binary"
	"fmt"
)

// Command bytes of the protocol (page "Command Phase").
const (
	ComQuit            byte = 0x01
	ComInitDB          byte = 0x02
	ComQuery           byte = 0x03
	ComStatistics      byte = 0x09
	ComPing            byte = 0x0e
	ComChangeUser      byte = 0x11
	ComStmtPrepare     byte = 0x16
	ComStmtExecute     byte = 0x17
	ComStmtSendLong    byte = 0x18
	ComStmtClose       byte = 0x19
	ComStmtReset       byte = 0x1a
	ComSetOption       byte = 0x1b
	ComStmtFetch       byte = 0x1c
	ComResetConnection byte = 0x1f
)

// Query sends COM_QUERY.
func (c *Conn) Query(sql string) (Answer, error) { return c.Text(ComQuery, sql) }

// Text sends a command whose argument is text.
func (c *Conn) Text(command byte, text string) (Answer, error) {
	return c.Do(append([]byte{command}, text...))
}

// Do sends one command and reads its whole answer; its first byte says how.
func (c *Conn) Do(payload []byte) (Answer, error) {
	if err := c.Send(payload); err != nil {
		return nil, err
	}
	return c.Receive(payload[0])
}

// Send sends one command and does not wait for its answer.
func (c *Conn) Send(payload []byte) error {
	if err := c.begin(); err != nil {
		return fmt.Errorf("set deadline: %w", err)
	}
	return c.writePacket(payload)
}

// Receive reads the answer to the command that Send sent.
func (c *Conn) Receive(command byte) (Answer, error) {
	r := &receiver{c: c}
	var err error
	switch command {
	case ComStmtClose, ComStmtSendLong:
	case ComStatistics:
		err = r.one(KindRaw)
	case ComStmtPrepare:
		err = r.prepared()
	case ComStmtFetch:
		_, err = r.rows()
	default:
		err = r.results()
	}
	return r.answer, err
}

// Close a prepared statement, reset it, or fetch from its cursor.

// CloseStatement sends COM_STMT_CLOSE, which has no answer.
func (c *Conn) CloseStatement(id uint32) error {
	return c.Send(statementHead(ComStmtClose, id))
}

// ResetStatement sends COM_STMT_RESET.
func (c *Conn) ResetStatement(id uint32) (Answer, error) {
	return c.Do(statementHead(ComStmtReset, id))
}

// Fetch asks a cursor for at most n rows.
func (c *Conn) Fetch(id, n uint32) (Answer, error) {
	return c.Do(binary.LittleEndian.AppendUint32(statementHead(ComStmtFetch, id), n))
}

// SendLongData sends a piece of a parameter; it has no answer.
func (c *Conn) SendLongData(id uint32, parameter uint16, data []byte) error {
	head := binary.LittleEndian.AppendUint16(statementHead(ComStmtSendLong, id), parameter)
	return c.Send(append(head, data...))
}

func statementHead(command byte, id uint32) []byte {
	return binary.LittleEndian.AppendUint32([]byte{command}, id)
}

// ChangeUser sends COM_CHANGE_USER and answers what the server asks.
func (c *Conn) ChangeUser(user, password, database string, collation uint16) (Packet, error) {
	if err := c.begin(); err != nil {
		return Packet{}, err
	}
	c.config.User, c.config.Password = user, password
	b := append(append([]byte{ComChangeUser}, user...), 0)
	b = append(b, 0) // no proof: the server's scramble is asked for
	b = append(append(b, database...), 0)
	b = binary.LittleEndian.AppendUint16(b, collation)
	b = append(append(b, "caching_sha2_password"...), 0)
	if len(c.config.Attributes) > 0 {
		b = appendAttributes(b, c.config.Attributes)
	}
	if err := c.writePacket(b); err != nil {
		return Packet{}, err
	}
	packet, err := c.authenticate("caching_sha2_password", nil)
	if refused, ok := err.(*Refused); ok { //nolint:errorlint // made here, never wrapped
		return refused.Packet, nil
	}
	return packet, err
}
