package rawclient

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// Kind says what a packet is by its place in the answer.
type Kind uint8

// The kinds of packets.
const (
	KindUnknown Kind = iota
	KindOK
	KindErr
	KindCount
	KindColumn
	KindRow
	KindEOF
	KindPrepared
	KindParameter
	KindInfile
	KindRaw
)

// String returns the kind in lower case.
func (k Kind) String() string {
	return [...]string{"unknown", "ok", "err", "count", "column", "row", "eof", "prepared", "parameter", "infile", "raw"}[min(k, 10)]
}

// Packet is one packet of an answer, whole and unchanged.
type Packet struct {
	Kind    Kind
	Payload []byte
}

// Answer is every packet that a command was answered with, in order.
type Answer []Packet

const (
	moreResults  = 0x0008
	cursorExists = 0x0040
	// outParameters marks, before the row of a prepared CALL's OUT parameters,
	// that an OK follows; the EOF behind the row does not say so.
	outParameters = 0x1000
)

type receiver struct {
	c      *Conn
	answer Answer
}

func (r *receiver) one(kind Kind) error {
	_, err := r.next(func([]byte) Kind { return kind })
	return err
}

func (r *receiver) next(kind func([]byte) Kind) (Packet, error) {
	b, err := r.c.readPacket()
	if err != nil {
		return Packet{}, err
	}
	if len(b) == 0 {
		return Packet{}, errors.New("read answer: empty packet")
	}
	p := Packet{Kind: kind(b), Payload: b}
	r.answer = append(r.answer, p)
	return p, nil
}

// results reads result after result while the server says there are more.
func (r *receiver) results() error {
	for {
		p, err := r.next(firstKind)
		if err != nil {
			return err
		}
		status := uint16(0)
		switch p.Kind {
		case KindErr:
			return nil
		case KindOK, KindEOF:
			status = p.Status()
		case KindInfile:
			if err := r.sendFile(string(p.Payload[1:])); err != nil {
				return err
			}
			continue
		default:
			if status, err = r.resultset(p.Payload); err != nil {
				return err
			}
		}
		if status&moreResults == 0 {
			return nil
		}
	}
}

func firstKind(b []byte) Kind {
	switch b[0] {
	case 0x00:
		return KindOK
	case 0xff:
		return KindErr
	case 0xfb:
		return KindInfile
	case 0xfe:
		return KindEOF
	}
	return KindCount
}

func (r *receiver) resultset(count []byte) (uint16, error) {
	n, _ := lenenc(count)
	for range n {
		if err := r.one(KindColumn); err != nil {
			return 0, err
		}
	}
	owed := uint16(0)
	if r.c.config.Flags&DeprecateEOF == 0 {
		p, err := r.next(terminator)
		if err != nil || p.Status()&cursorExists != 0 {
			return p.Status(), err
		}
		if p.Status()&outParameters != 0 {
			owed = p.Status() & moreResults
		}
	}
	status, err := r.rows()
	return status | owed, err
}

func terminator(b []byte) Kind {
	switch {
	case b[0] == 0xff:
		return KindErr
	case b[0] == 0xfe && len(b) < pieceLimit:
		return KindEOF
	}
	return KindRow
}

func (r *receiver) rows() (uint16, error) {
	for {
		p, err := r.next(terminator)
		if err != nil {
			return 0, fmt.Errorf("after %d packets: %w", len(r.answer), err)
		}
		switch p.Kind {
		case KindErr:
			return 0, nil
		case KindEOF:
			return p.Status(), nil
		}
	}
}

func (r *receiver) prepared() error {
	p, err := r.next(func(b []byte) Kind {
		if b[0] == 0xff {
			return KindErr
		}
		return KindPrepared
	})
	if err != nil || p.Kind == KindErr {
		return err
	}
	if len(p.Payload) < 12 {
		return errors.New("read prepared statement: short packet")
	}
	if err := r.definitions(p.ParameterCount(), KindParameter); err != nil {
		return err
	}
	return r.definitions(int(binary.LittleEndian.Uint16(p.Payload[5:])), KindColumn)
}

func (r *receiver) definitions(n int, kind Kind) error {
	for range n {
		if err := r.one(kind); err != nil {
			return err
		}
	}
	if n == 0 || r.c.config.Flags&DeprecateEOF != 0 {
		return nil
	}
	return r.one(KindEOF)
}

func (r *receiver) sendFile(name string) error {
	var data []byte
	if r.c.Infile != nil {
		data = r.c.Infile(name)
	}
	for len(data) > 0 {
		n := min(len(data), 32<<10)
		if err := r.c.writePacket(data[:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	return r.c.writePacket(nil)
}

// Err returns the answer's error packet as text, "" when there is none.
func (a Answer) Err() string {
	for _, p := range a {
		if p.Kind == KindErr {
			return p.String()
		}
	}
	return ""
}

// String prints the answer a packet a line.
func (a Answer) String() string {
	var b strings.Builder
	for _, p := range a {
		fmt.Fprintf(&b, "%s\n", p)
	}
	return b.String()
}
