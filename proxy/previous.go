package proxy

import (
	"strings"

	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// previous is what a session's statements have left behind for questions about
// them, and which connection knows it: warnings and ROW_COUNT() of the last
// statement, FOUND_ROWS() of the last SELECT. It decides and asks no node. One
// goroutine uses it; its zero value is that of a new session.
type previous struct {
	// last is where the last statement ran; nil where none did, or where it is gone.
	last *backend.Conn
	// lost is set when last is gone with what it alone knew.
	lost bool
	// warned is set while the list of warnings may not be empty.
	warned bool
	// warnedAt is the connection with the list of warnings where that is not last,
	// because the statements since then do not clear it (MariaDB).
	warnedAt *backend.Conn
	// listLost is set when that connection is gone.
	listLost bool
	// negative is set when ROW_COUNT() of the last statement is -1.
	negative bool
	// local is what was answered by the proxy since.
	local local
	found found
}

// local is a command that the proxy answers itself and that changes ROW_COUNT().
type local uint8

const (
	localNone   local = iota
	localPing         // and others that are answered by OK
	localOption       // COM_SET_OPTION
)

// found is what FOUND_ROWS() is about.
type found struct {
	kind  foundKind
	conn  *backend.Conn // for foundAt
	value string        // for foundValue
	// negative is set while ROW_COUNT() is -1 there.
	negative bool
}

type foundKind uint8

const (
	foundNone    foundKind = iota // no SELECT yet
	foundAt                       // a connection knows
	foundValue                    // it was asked for
	foundUnknown                  // nobody knows
)

// source is where a question about earlier statements is answered.
type source struct {
	kind sourceKind
	conn *backend.Conn  // for sourceConn
	left backend.Leaves // for sourceAny
}

type sourceKind uint8

const (
	sourceNone  sourceKind = iota
	sourceConn             // that connection
	sourceAny              // any connection that is brought to leave the answer
	sourceValue            // any connection; the value is put into its answer
)

// question is what a statement asks about earlier ones.
type question struct {
	found, rowCount, list bool
	// alone is set for FOUND_ROWS() as the first column of a SELECT with no other
	// but ROW_COUNT().
	alone bool
}

func questionOf(s *router.Statement) question {
	f := s.Fingerprint
	rest, selects := strings.CutPrefix(f, "select found_rows()")
	alias, another, two := strings.Cut(rest, ",row_count()")
	q := question{
		found:    strings.Contains(f, "found_rows"),
		rowCount: strings.Contains(f, "row_count"),
		alone:    selects && isAlias(alias) && (!two || isAlias(another)),
	}
	q.list = !q.found && !q.rowCount || strings.Contains(f, "_count") && strings.Contains(f, "@@")
	return q
}

// isAlias reports whether what stands behind a column of a SELECT is at most
// another name for it.
func isAlias(s string) bool {
	name, named := strings.CutPrefix(s, "as ")
	return s == "" || named && !strings.ContainsAny(name, " ,;(")
}

// about says where a question is answered, or why it cannot be.
func (p *previous) about(q question) (source, error) {
	switch {
	case q.list && p.listLost:
		return source{}, errLost
	case q.list && p.warnedAt != nil && p.warnedAt != p.last && !q.found && !q.rowCount:
		return source{kind: sourceConn, conn: p.warnedAt}, nil
	case q.list && p.warnedAt != nil && p.warnedAt != p.last:
		return source{}, errTwo
	case !q.found:
		return p.aboutLast(q)
	}
	f := &p.found
	// A read, or what failed, leaves the same ROW_COUNT() everywhere.
	apart := !q.list && (!q.rowCount || p.negative)
	switch {
	case f.kind == foundUnknown:
		return source{}, errLost
	case f.kind == foundAt && (f.conn == p.last || apart && (f.negative || !q.rowCount)):
		return source{kind: sourceConn, conn: f.conn}, nil
	case f.kind == foundNone && p.last == nil && !p.lost:
		return source{kind: sourceAny, left: backend.LeavesNothing}, nil
	case f.kind == foundNone && apart:
		return source{kind: sourceAny, left: backend.LeavesRead | backend.LeavesNoFound}, nil
	case f.kind == foundValue && q.alone && !q.rowCount:
		return source{kind: sourceValue}, nil
	case f.kind == foundValue && q.alone && apart:
		return source{kind: sourceValue, left: backend.LeavesRead}, nil
	}
	return source{}, errTwo
}

// aboutLast is about for what is only known of the last statement.
func (p *previous) aboutLast(q question) (source, error) {
	switch {
	case p.last != nil:
		return source{kind: sourceConn, conn: p.last}, nil
	case !p.lost:
		return source{kind: sourceAny, left: backend.LeavesNothing &^ p.keepsFound()}, nil
	case !p.warned && (!q.rowCount || p.negative):
		return source{kind: sourceAny, left: backend.LeavesRead}, nil
	}
	return source{}, errLost
}

// keepsFound is what must not be touched where FOUND_ROWS() is known.
func (p *previous) keepsFound() backend.Leaves {
	if p.found.kind == foundNone {
		return 0
	}
	return backend.LeavesNoFound
}

// ran notes that a statement has run on c, and what it did to FOUND_ROWS().
func (p *previous) ran(c *backend.Conn, a *wire.Answer, e foundEffect) {
	p.last, p.lost, p.local = c, false, localNone
	p.negative = a.Code != 0 || a.HasRows
	f := &p.found
	switch {
	case e == foundSets:
		*f = found{kind: foundAt, conn: c, negative: p.negative}
	case f.kind == foundAt && f.conn == c:
		f.negative = p.negative
	case e == foundMaySet && f.kind != foundNone:
		*f = found{kind: foundUnknown}
	}
}

// prepared notes that MySQL has prepared a statement on c, which leaves
// ROW_COUNT() and FOUND_ROWS() as they are, and begins a new list of warnings.
func (p *previous) prepared(c *backend.Conn, warns bool) {
	p.local = localNone
	switch {
	case p.last == nil && !p.lost:
		p.last = c
	case p.last == c:
		p.warnedAt, p.listLost = nil, false
	case warns || p.warned || p.warnedAt != nil || p.listLost:
		p.warnedAt, p.listLost = c, false
	}
	p.warned = warns
}

// list notes, before ran, what a statement on c does to the list of warnings.
func (p *previous) list(c *backend.Conn, clears bool) {
	switch {
	case clears:
		p.warnedAt, p.listLost = nil, false
	case p.warnedAt == nil && p.warned && p.last != nil && p.last != c:
		p.warnedAt = p.last
	}
}

// rowCount is what leaves ROW_COUNT() as the last statement did, unless it wrote.
func (p *previous) rowCount() backend.Leaves {
	if p.negative {
		return backend.LeavesRead
	}
	return backend.LeavesRead | backend.LeavesZero
}

// changedSchema notes that COM_INIT_DB has run on c, beside warnings that are
// elsewhere, and reports whether there are any. It leaves all but ROW_COUNT() as
// it was, like a ping, which is passed on when that is asked for.
func (p *previous) changedSchema(c *backend.Conn) bool {
	if p.last == nil || p.last == c || !p.warned {
		return false
	}
	if p.found.conn == c {
		p.found.negative = false
	}
	p.answered(localPing)
	return true
}

// answered notes that the proxy has answered a command itself.
func (p *previous) answered(l local) { p.local, p.negative = l, l == localOption }

// asked notes that the proxy has asked something of its own on c, after which
// FOUND_ROWS() there is about that.
func (p *previous) asked(c *backend.Conn) {
	if c.Asked && p.found.kind == foundAt && p.found.conn == c {
		p.found = found{kind: foundUnknown}
	}
	c.Asked = false
}

// gone notes that c is not the session's any more.
func (p *previous) gone(c *backend.Conn) {
	if p.last == c {
		p.last, p.lost = nil, true
	}
	if p.warnedAt == c {
		p.warnedAt, p.listLost = nil, true
	}
	if p.found.conn == c {
		p.found = found{kind: foundUnknown}
	}
}

// reset notes a reset of the session, which leaves FOUND_ROWS() as it is.
func (p *previous) reset() { *p = previous{found: p.found} }
