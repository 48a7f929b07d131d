package rawmysql

import (
	"encoding/binary"
	"fmt"
)

const (
	comQuit        = 0x01
	comQuery       = 0x03
	comStmtPrepare = 0x16
	comStmtExecute = 0x17

	headerOK    = 0x00
	headerMore  = 0x01
	headerLocal = 0xfb
	headerEOF   = 0xfe
	headerError = 0xff

	typeLongLong      = 0x08
	statusMoreResults = 0x0008
)

// ServerError is an ERR packet. The connection is still of use.
type ServerError struct {
	Code    uint16
	State   string // five characters
	Message string
}

// Error names code, state and message.
func (e *ServerError) Error() string {
	return fmt.Sprintf("error %d (%s): %s", e.Code, e.State, e.Message)
}

// parseError reads an ERR packet, also one from before the capabilities are
// known (without a state).
func parseError(p []byte) error {
	if len(p) < 3 {
		return fmt.Errorf("error packet of %d bytes: %w", len(p), ErrProtocol)
	}
	e := &ServerError{Code: binary.LittleEndian.Uint16(p[1:])}
	text := p[3:]
	if len(text) >= 6 && text[0] == '#' {
		e.State, text = string(text[1:6]), text[6:]
	}
	e.Message = string(text)
	return e
}

// Result counts what an answer held.
type Result struct {
	Rows  int
	Bytes int // payload of the rows
}

// Statement is a prepared statement whose parameters are all integers. It
// belongs to the connection that prepared it.
type Statement struct {
	id     uint32
	params int
}

func (c *Conn) command(name byte) {
	c.seq = 0
	c.begin()
	c.out = append(c.out, name)
}

// Query sends sql as COM_QUERY and drains the answer, all results of it. It
// does not allocate, errors aside.
func (c *Conn) Query(sql []byte) (Result, error) {
	c.command(comQuery)
	c.out = append(c.out, sql...)
	if err := c.send(); err != nil {
		return Result{}, err
	}
	return c.drain()
}

// Prepare prepares sql on the server.
func (c *Conn) Prepare(sql string) (*Statement, error) {
	c.command(comStmtPrepare)
	c.out = append(c.out, sql...)
	if err := c.send(); err != nil {
		return nil, err
	}
	p, err := c.read()
	if err != nil {
		return nil, err
	}
	if len(p) > 0 && p[0] == headerError {
		return nil, parseError(p)
	}
	if len(p) < 12 || p[0] != headerOK {
		return nil, fmt.Errorf("prepare answer of %d bytes: %w", len(p), ErrProtocol)
	}
	columns := int(binary.LittleEndian.Uint16(p[5:]))
	s := &Statement{id: binary.LittleEndian.Uint32(p[1:]), params: int(binary.LittleEndian.Uint16(p[7:]))}
	return s, c.skipPackets(columns + s.params)
}

// Execute runs s with one integer for each parameter, sent as BIGINT, and
// drains the answer. It does not allocate, errors aside.
func (c *Conn) Execute(s *Statement, args ...int64) (Result, error) {
	if len(args) != s.params {
		return Result{}, fmt.Errorf("execute with %d arguments for %d parameters", len(args), s.params)
	}
	c.command(comStmtExecute)
	c.out = binary.LittleEndian.AppendUint32(c.out, s.id)
	c.out = append(c.out, 0, 1, 0, 0, 0) // no cursor, one iteration
	c.appendArguments(args)
	if err := c.send(); err != nil {
		return Result{}, err
	}
	return c.drain()
}

func (c *Conn) appendArguments(args []int64) {
	if len(args) == 0 {
		return
	}
	for range (len(args) + 7) / 8 {
		c.out = append(c.out, 0) // none is NULL
	}
	c.out = append(c.out, 1) // types follow
	for range args {
		c.out = append(c.out, typeLongLong, 0)
	}
	for _, v := range args {
		c.out = binary.LittleEndian.AppendUint64(c.out, uint64(v))
	}
}

// drain reads an answer to its end.
func (c *Conn) drain() (Result, error) {
	var total Result
	for {
		more, err := c.drainOne(&total)
		if err != nil || !more {
			return total, err
		}
	}
}

// drainOne reads one result and says whether another follows.
func (c *Conn) drainOne(total *Result) (more bool, err error) {
	size, first, err := c.next()
	if err != nil {
		return false, err
	}
	switch first {
	case headerOK, headerError, headerLocal:
		return c.finish(size)
	}
	if size != 1 {
		return false, fmt.Errorf("result header of %d bytes: %w", size, ErrProtocol)
	}
	if err := c.skip(size); err != nil {
		return false, err
	}
	if err := c.skipPackets(int(first)); err != nil {
		return false, err
	}
	return c.drainRows(total)
}

// drainRows drops rows up to the packet that ends them.
func (c *Conn) drainRows(total *Result) (more bool, err error) {
	for {
		size, first, err := c.next()
		if err != nil {
			return false, err
		}
		if first == headerEOF || first == headerError {
			return c.finish(size)
		}
		total.Rows++
		total.Bytes += size
		if err := c.skip(size); err != nil {
			return false, err
		}
	}
}

// finish reads the OK (also in its EOF guise) or ERR packet of size bytes that
// ends a result.
func (c *Conn) finish(size int) (more bool, err error) {
	p, err := c.take(size)
	if err != nil {
		return false, err
	}
	if len(p) == 0 {
		return false, fmt.Errorf("empty packet: %w", ErrProtocol)
	}
	switch p[0] {
	case headerError:
		return false, parseError(p)
	case headerLocal:
		return false, fmt.Errorf("server asks for a file: %w", ErrProtocol)
	}
	status, err := okStatus(p)
	return status&statusMoreResults != 0, err
}

// okStatus is the status flags of an OK packet: after the header stand two
// length-encoded integers that are not wanted here.
func okStatus(p []byte) (uint16, error) {
	rest := p[1:]
	for range 2 {
		n := lenencSize(rest)
		if n == 0 || n > len(rest) {
			return 0, fmt.Errorf("OK packet of %d bytes: %w", len(p), ErrProtocol)
		}
		rest = rest[n:]
	}
	if len(rest) < 2 {
		return 0, fmt.Errorf("OK packet of %d bytes: %w", len(p), ErrProtocol)
	}
	return binary.LittleEndian.Uint16(rest), nil
}

// lenencSize is how many bytes the length-encoded integer at p takes, 0 for none.
func lenencSize(p []byte) int {
	if len(p) == 0 {
		return 0
	}
	switch p[0] {
	case 0xfc:
		return 3
	case 0xfd:
		return 4
	case 0xfe:
		return 9
	}
	return 1
}

func (c *Conn) skipPackets(n int) error {
	for range n {
		size, _, err := c.next()
		if err != nil {
			return err
		}
		if err := c.skip(size); err != nil {
			return err
		}
	}
	return nil
}
