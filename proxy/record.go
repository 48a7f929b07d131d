package proxy

import (
	"hash/maphash"
	"slices"
	"sync"

	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// record is what it takes to run an open transaction again and to know that it
// went as it did before: the statements as they were sent, and a digest of each
// answer. It belongs to a session from the statement that begins a transaction
// until the one that ends it.
type record struct {
	conn *backend.Conn
	// state and schema are the session's before the first statement.
	state       *backend.State
	schema      string
	schemaReset bool

	entries []entry
	text    []byte // the payloads of all entries
	hash    maphash.Hash
	long    int // bytes of long data

	// unfit says for people why the transaction cannot be run again, "" where it can.
	unfit string
	// writes is set once a statement may have written, unmarked once one did that is
	// not marked on MariaDB, inserted once one gave an insert id.
	writes, unmarked, inserted bool
	// over is set after the server has rolled the transaction back by itself.
	over bool
}

// entry is one statement of a record.
type entry struct {
	from, to  int // of its payload in the text
	statement *router.Statement
	prepared  *prepared
	types     []byte   // of prepared, for an execution that does not bring them
	long      [][]byte // long data
	sum       uint64   // of the answer
	insertID  uint64
	// state and schema are the session's afterwards.
	state  *backend.State
	schema string
}

// entrySize is about what an entry costs besides its payload, in bytes.
const entrySize = 160

// records keeps what sessions without a transaction do not need.
type records struct {
	pool sync.Pool
	seed maphash.Seed
}

func newRecords() *records { return &records{seed: maphash.MakeSeed()} }

func (p *records) take() *record {
	if r, ok := p.pool.Get().(*record); ok {
		return r
	}
	r := &record{}
	r.hash.SetSeed(p.seed)
	return r
}

// mostKept bounds the buffers that are kept for the next transaction, in bytes.
const mostKept = 64 << 10

func (p *records) give(r *record) {
	if cap(r.text) > mostKept || cap(r.entries) > mostKept/entrySize {
		return
	}
	r.clear()
	r.conn, r.state, r.schema = nil, nil, ""
	p.pool.Put(r)
}

// clear makes it a record of nothing.
func (r *record) clear() {
	clear(r.entries)
	r.entries, r.text, r.long = r.entries[:0], r.text[:0], 0
	r.unfit, r.writes, r.unmarked, r.inserted, r.over = "", false, false, false, false
}

// listen has the answer to a request digested, where the request belongs to a
// transaction or begins one. It is called before the request is sent, and costs
// others next to nothing.
func (x *session) listen(r *request, c *backend.Conn) {
	x.relay.Digest = nil
	open := x.status&wire.StatusInTransaction != 0
	if x.rec != nil && x.rec.conn != c && !r.aside {
		x.forgetRecord()
	}
	if x.rec == nil && !(r.statement.Kind == router.KindBegin || x.status&wire.StatusAutocommit == 0 ||
		r.statement.Flags.Has(router.SetsNextTransaction)) || r.aside || r.unknown != 0 || !isRecorded(r) {
		return
	}
	config := x.server.config.Load()
	if x.rec == nil {
		if !config.Failover.Replay || open && r.statement.Kind != router.KindBegin {
			return
		}
		x.rec = x.server.records.take()
		x.rec.begin(x, c)
		if open {
			x.rec.unfit = "its first statements were not kept"
		}
	} else if x.rec.over {
		x.rec.begin(x, c)
	}
	x.rec.hash.Reset()
	x.relay.Digest = &x.rec.hash
}

func (r *record) begin(x *session, c *backend.Conn) {
	r.clear()
	r.conn, r.state, r.schema, r.schemaReset = c, x.state, x.schema, x.schemaReset
}

// isRecorded reports whether a request is one that may do something to a
// transaction.
func isRecorded(r *request) bool {
	if r.answer != wire.AnswerQuery {
		return wire.Command(r.payload[0]) == wire.ComStmtFetch
	}
	switch wire.Command(r.payload[0]) {
	case wire.ComQuery, wire.ComStmtExecute, wire.ComInitDB:
		return true
	}
	return false
}

func (x *session) forgetRecord() {
	if x.rec != nil {
		x.server.records.give(x.rec)
		x.rec = nil
		x.recorded.Store(nil)
		x.tookTurn()
	}
}

// remember puts a request whose answer was relayed into the record. The session
// knows by now whether a transaction is open.
func (x *session) remember(r *request, c *backend.Conn) {
	if x.relay.Digest == nil {
		return
	}
	x.relay.Digest = nil
	rec, s, code := x.rec, r.statement, x.answer.Code
	open := x.status&wire.StatusInTransaction != 0
	switch {
	case rolledBack(code):
		rec.clear()
		rec.over = true
		x.recorded.Store(nil)
		x.tookTurn()
		return
	case !open && !(code == 0 && s.Flags.Has(router.SetsNextTransaction)):
		x.forgetRecord()
		return
	case code == 0 && s.Kind == router.KindBegin && len(rec.entries) > 0 && !onlyNext(rec):
		rec.begin(x, c)
	}
	config := x.server.config.Load()
	if why := x.unfit(r); why != "" && rec.unfit == "" {
		rec.unfit = why
	}
	if mayWrite(s, x.seen.reason) {
		rec.writes = true
		rec.unmarked = rec.unmarked || x.seen.mark == markedNot
	}
	rec.inserted = rec.inserted || x.answer.InsertID != 0
	if rec.unfit == "" {
		rec.append(r, x, config.Failover.ReplayBytes)
		if x.engaged.Load() && x.recorded.Load() == nil {
			x.recorded.Store(c)
		}
	}
}

// onlyNext reports whether a record holds nothing but SET TRANSACTION, which says
// what the transaction is that follows.
func onlyNext(r *record) bool {
	return !slices.ContainsFunc(r.entries, func(e entry) bool { return !e.statement.Flags.Has(router.SetsNextTransaction) })
}

// rolledBack reports whether an error says that the server has rolled back the
// whole transaction.
func rolledBack(code uint16) bool {
	return code == codeDeadlock || code == 1614 // XA_RBDEADLOCK
}

const (
	codeDeadlock = 1213
	codeReadOnly = 1290 // ER_OPTION_PREVENTS_STATEMENT
)

// unfit says why a transaction with a statement that has just run cannot be run
// again; "" where it can.
func (x *session) unfit(r *request) string {
	s, rec := r.statement, x.rec
	switch {
	case x.seen.gtid:
		return "a part of it was committed before its end"
	case s.Kind == router.KindCommit || s.Kind == router.KindRollback:
		return "it is chained to the one before"
	case x.answer.File:
		return "it has read a file of the client's"
	case r.cursor || r.answer != wire.AnswerQuery:
		return "it uses a cursor"
	case r.replace != nil && !s.Flags.Has(router.SelectsConnectionID):
		return "it asks about a statement before it"
	case s.Flags.Has(router.NeedsInsertID) && !rec.inserted && x.insertID != nil:
		return "it uses a LAST_INSERT_ID() from before it"
	case s.Flags.Has(router.NeedsDiagnostics) && len(rec.entries) == 0:
		return "it asks about a statement before it"
	}
	return ""
}

// append adds a request, unless it is too much.
func (r *record) append(q *request, x *session, most int) {
	e := entry{
		from: len(r.text), statement: q.statement, sum: r.hash.Sum64(), insertID: x.answer.InsertID, state: x.state, schema: x.schema,
	}
	if q.prepared != nil {
		e.prepared, e.types, e.long = q.prepared, q.prepared.types, q.prepared.long
		r.long += q.prepared.longSize
	}
	if len(r.text)+len(q.payload)+r.long+entrySize*(len(r.entries)+1) > most {
		r.unfit = "it is longer than proxy.failover.replay_bytes"
		clear(r.entries)
		r.entries, r.text = nil, nil
		return
	}
	r.text = append(r.text, q.payload...)
	e.to = len(r.text)
	r.entries = append(r.entries, e)
}
