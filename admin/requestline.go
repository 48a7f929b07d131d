package admin

import (
	"bytes"
	"crypto/tls"
	"net"
)

// lenient is a listener whose connections may begin with a request line that
// has raw spaces in its target, as the document's createtable has and net/http
// refuses, and that talks TLS where the configuration says so.
type lenient struct {
	net.Listener
	tls func() *tls.Config
}

// Accept waits for a connection.
func (l lenient) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if config := l.tls(); config != nil {
		return tls.Server(c, config), nil
	}
	return &repairing{Conn: c}, nil
}

// lineLimit is the longest request line that is repaired.
const lineLimit = 16 << 10

// repairing is a connection whose first request line is repaired. Read is for
// one goroutine, as net/http has it.
type repairing struct {
	net.Conn
	line  []byte // read, and not handed on yet
	whole bool   // the first line is behind us, or is none to repair
}

// Read hands on what comes, the first line once it is whole.
func (r *repairing) Read(into []byte) (int, error) {
	for !r.whole {
		if err := r.more(); err != nil && len(r.line) == 0 {
			return 0, err
		} else if err != nil {
			r.whole = true // net/http judges what there is, then meets the error
		}
	}
	if len(r.line) > 0 {
		n := copy(into, r.line)
		if r.line = r.line[n:]; len(r.line) == 0 {
			r.line = nil
		}
		return n, nil
	}
	return r.Conn.Read(into)
}

// more reads once, and repairs the line when its end is there.
func (r *repairing) more() error {
	chunk := make([]byte, 4<<10)
	n, err := r.Conn.Read(chunk)
	r.line = append(r.line, chunk[:n]...)
	if end := bytes.IndexByte(r.line, '\n'); end >= 0 {
		r.line = append(repair(r.line[:end]), r.line[end:]...)
		r.whole = true
	} else if len(r.line) > lineLimit {
		r.whole = true
	}
	return err
}

// repair writes the spaces in a request line's target as %20. A line with none
// stays as it is.
func repair(line []byte) []byte {
	first, last := bytes.IndexByte(line, ' '), bytes.LastIndex(line, []byte(" HTTP/1."))
	if first < 0 || last <= first || bytes.IndexByte(line[first+1:last], ' ') < 0 {
		return bytes.Clone(line)
	}
	repaired := append(bytes.Clone(line[:first+1]), bytes.ReplaceAll(line[first+1:last], []byte(" "), []byte("%20"))...)
	return append(repaired, line[last:]...)
}
