package proxy

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// MariaDB's log does not say which connection wrote a row, but holds the
// statement, with the comments in front of it. So a write to a MariaDB master
// gets one in front that says which connection and transaction it is.

// newInstance names this process among all that mark statements.
func newInstance() string { return fmt.Sprintf("%08x", rand.Uint32()) }

// marked says how a request was marked.
type marked uint8

const (
	markedNot marked = iota
	markedText
	markedPrepared // with what all executions on the connection share
)

// longestMarked bounds the statements that are marked: servers take no longer
// packets than they were told, 16 MB by default.
const longestMarked = 16<<20 - 256

// marks reports whether a request on a connection is to be marked.
func (x *session) marks(c *backend.Conn, r *request) bool {
	switch {
	case !x.server.marking || x.dialect.Flavour != cluster.FlavourMariaDB || x.server.outcomes == nil || x.dialect.UnsafeCharset:
		return false
	case !changesRows(r.statement) || len(r.payload) > longestMarked:
		return false
	}
	return c.Node() == masterName(x.topology())
}

// changesRows reports whether a statement is one that a server logs with its
// text, and that a comment in front does no harm.
func changesRows(s *router.Statement) bool {
	if s.Kind != router.KindWrite || s.Flags.Any(router.Multi|router.NeedsDiagnostics) {
		return false
	}
	for _, word := range [...]string{"insert", "update", "delete", "replace", "load data"} {
		if strings.HasPrefix(s.Fingerprint, word) {
			return true
		}
	}
	return false
}

// mark decides how a request is marked, before anything of it is sent.
func (x *session) mark(c *backend.Conn, r *request) error {
	x.seen.mark = markedNot
	if !x.marks(c, r) {
		return nil
	}
	if err := c.AskAnnotates(); err != nil {
		return err
	}
	if _, changed := x.state.Get("binlog_annotate_row_events"); changed || c.Writes.Annotates != backend.AnnotatesYes {
		return nil
	}
	if c.Writes.Number == 0 {
		c.Writes.Number = x.server.numbers.Add(1)
	}
	x.seen.mark = markedText
	if r.prepared != nil {
		x.seen.mark = markedPrepared
	}
	return nil
}

// sendMarked sends a statement as text with its mark in front.
func (x *session) sendMarked(c *backend.Conn, r *request) error {
	w := &c.Writes
	b := append(w.Mark[:0], byte(wire.ComQuery))
	b = append(x.appendMark(append(b, "/*bw:"...), c, true), "*/"...)
	w.Mark = b
	c.Wire.ResetSequence()
	return c.Wire.WriteJoined(b, r.payload[1:])
}

// preparedText is what a connection prepares for a statement.
func (x *session) preparedText(c *backend.Conn, sql string) []byte {
	b := []byte{byte(wire.ComStmtPrepare)}
	if x.seen.mark == markedPrepared {
		b = append(x.appendMark(append(b, "/*bw:"...), c, false), "*/"...)
	}
	return append(b, sql...)
}

// appendMark appends the mark of a connection, and of its present transaction.
func (x *session) appendMark(b []byte, c *backend.Conn, transaction bool) []byte {
	b = append(append(b, x.server.instance...), '-')
	b = strconv.AppendUint(b, c.Writes.Number, 10)
	if transaction {
		b = strconv.AppendUint(append(b, '-'), c.Writes.Sequence, 10)
	}
	return b
}

// countTransactions begins a new sequence where the statement that ran on a
// connection has ended a transaction, or begun one.
func countTransactions(c *backend.Conn, status uint16, k router.Kind) {
	if status&wire.StatusInTransaction == 0 || k == router.KindBegin || k == router.KindCommit || k == router.KindRollback {
		c.Writes.Sequence++
	}
}
