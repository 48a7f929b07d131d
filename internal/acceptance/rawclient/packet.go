package rawclient

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// Status returns the status flags of an OK or EOF packet.
func (p Packet) Status() uint16 {
	b, at := p.statusAt()
	if at < 0 || at+2 > len(b) {
		return 0
	}
	return binary.LittleEndian.Uint16(b[at:])
}

// StatusOffset returns where the status flags stand in the payload, -1 where
// the packet has none.
func (p Packet) StatusOffset() int {
	_, at := p.statusAt()
	return at
}

func (p Packet) statusAt() (payload []byte, at int) {
	switch {
	case p.Kind != KindOK && p.Kind != KindEOF:
		return nil, -1
	case p.Kind == KindEOF && len(p.Payload) == 5:
		return p.Payload, 3
	case p.Kind == KindEOF && len(p.Payload) < 7:
		return nil, -1
	}
	rest := p.Payload[1:]
	_, rest = lenenc(rest)
	_, rest = lenenc(rest)
	return p.Payload, len(p.Payload) - len(rest)
}

// StatementID returns the id in the answer to COM_STMT_PREPARE.
func (p Packet) StatementID() uint32 { return binary.LittleEndian.Uint32(p.Payload[1:]) }

// ParameterCount returns how many parameters a prepared statement has.
func (p Packet) ParameterCount() int { return int(binary.LittleEndian.Uint16(p.Payload[7:])) }

// Code returns the number of an error packet, 0 for any other.
func (p Packet) Code() uint16 {
	if p.Kind != KindErr || len(p.Payload) < 3 {
		return 0
	}
	return binary.LittleEndian.Uint16(p.Payload[1:])
}

// Values splits a row of the text protocol; nil is NULL.
func (p Packet) Values() []*string {
	var values []*string
	for b := p.Payload; len(b) > 0; {
		if b[0] == 0xfb {
			values, b = append(values, nil), b[1:]
			continue
		}
		value, rest := lenencBytes(b)
		text := string(value)
		values, b = append(values, &text), rest
	}
	return values
}

// Rows returns the rows of a text answer; NULL prints as NULL.
func (a Answer) Rows() [][]string {
	var rows [][]string
	for _, p := range a {
		if p.Kind != KindRow {
			continue
		}
		var row []string
		for _, value := range p.Values() {
			if value == nil {
				row = append(row, "NULL")
			} else {
				row = append(row, *value)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// String prints a packet for people.
func (p Packet) String() string {
	switch p.Kind {
	case KindErr:
		return p.errorText()
	case KindOK:
		return p.okText()
	case KindColumn, KindParameter:
		return p.columnText()
	case KindEOF:
		if len(p.Payload) == 5 {
			return fmt.Sprintf("eof warnings=%d status=%#04x", binary.LittleEndian.Uint16(p.Payload[1:]), p.Status())
		}
		return "eof " + p.okText()
	}
	return fmt.Sprintf("%s %q", p.Kind, clip(p.Payload))
}

func clip(b []byte) []byte {
	if len(b) > 300 {
		return append(b[:300:300], fmt.Sprintf("...(%d bytes)", len(b))...)
	}
	return b
}

func (p Packet) errorText() string {
	if len(p.Payload) < 9 || p.Payload[3] != '#' {
		return fmt.Sprintf("err %q", p.Payload)
	}
	return fmt.Sprintf("err %d (%s) %s", p.Code(), p.Payload[4:9], p.Payload[9:])
}

func (p Packet) okText() string {
	affected, rest := lenenc(p.Payload[1:])
	inserted, rest := lenenc(rest)
	if len(rest) < 4 {
		return fmt.Sprintf("ok %q", p.Payload)
	}
	return fmt.Sprintf("ok affected=%d insert-id=%d status=%#04x warnings=%d rest=%q", affected, inserted,
		binary.LittleEndian.Uint16(rest), binary.LittleEndian.Uint16(rest[2:]), clip(rest[4:]))
}

func (p Packet) columnText() string {
	var names []string
	rest := p.Payload
	for range 6 {
		var value []byte
		value, rest = lenencBytes(rest)
		names = append(names, string(value))
	}
	return fmt.Sprintf("%s %s fixed=%x", p.Kind, strings.Join(names, "|"), rest)
}
