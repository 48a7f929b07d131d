package outcome

import (
	"bytes"
	"hash/fnv"
	"maps"
	"sync"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
)

// Index knows the last transaction of each connection. Appended, Ended, Dropped
// and Met are for one goroutine, the one that writes the stored log; Find is for
// any.
type Index struct {
	open   transaction    // of the writer
	unpack event.Unpacker // of the writer
	from   *origin        // of the writer: who is read

	mu      sync.Mutex
	origins map[string]*origin
	// recent and older are the connections, in two generations: when there are too
	// many in recent, older is forgotten.
	recent, older map[key]Transaction
	born          time.Time // before that nothing was seen
	forgot        time.Time // all that was forgotten was stored before that
}

// generation is how many connections one generation has at most: some ten
// megabytes.
const generation = 1 << 16

// NewIndex makes an empty one, to which is told whatever is stored that a
// connection writes that is made after since. That may be long before: where a
// process goes on with the log of an earlier one, none of its own connections has
// written what that holds.
func NewIndex(since time.Time) *Index {
	return &Index{origins: map[string]*origin{}, recent: map[key]Transaction{}, born: since, forgot: since}
}

// origin is a server.
type origin struct {
	number  uint32
	started time.Time // by our clock
	start   int64     // the same by its own clock, in seconds of Unix time
	seen    time.Time // when it was first met since it was started
	backlog *cluster.GTIDSet
	packed  time.Time // when the last transaction came that does not show who wrote it
}

// key is a connection of a server: its thread id, or the hash of its mark.
type key struct {
	id     uint64
	origin uint32
	mark   bool
}

// Transaction is one that ended. It is a value.
type Transaction struct {
	GTID  cluster.GTID
	Place storedlog.Place
	// arrived is when it came here; stamp is its server's time of it, in seconds.
	arrived time.Time
	stamp   uint32
	// late says that it was committed before the connection to its server was made
	// over which it came: it may be of an earlier start of that server.
	late bool
	mark uint64 // of its statements' full mark; 0: none
	bare bool   // a statement of it has the mark of the connection alone
}

// transaction is one that has begun.
type transaction struct {
	Transaction
	thread uint32
	conn   uint64 // of the mark of its connection; 0: none
	packed bool
	size   int64
}

// Meeting is what was seen of a server when it was connected to.
type Meeting struct {
	Identity string
	// Started is when the server was started, by our clock, and Clock the same by
	// its own; both to within a second or two.
	Started, Clock time.Time
	// Backlog is what it had then and was not stored yet; nil or empty: nothing.
	Backlog *cluster.GTIDSet
}

// Met says that what is appended from now on comes from a server.
func (x *Index) Met(m Meeting) {
	x.mu.Lock()
	defer x.mu.Unlock()
	o := x.origins[m.Identity]
	if o == nil {
		o = &origin{number: uint32(len(x.origins))}
		x.origins[m.Identity] = o
	}
	if m.Started.Sub(o.started).Abs() > 2*slack {
		o.seen = time.Now()
	}
	o.started, o.start, o.backlog = m.Started, m.Clock.Unix(), nil
	if m.Backlog != nil && !m.Backlog.IsEmpty() {
		o.backlog = m.Backlog
	}
	x.from, x.open = o, transaction{}
}

// Appended takes note of an event that the stored log has.
func (x *Index) Appended(e event.Event, m event.Mark) {
	switch t := e.Type(); {
	case m.Part == event.Control:
		return
	case m.Part == event.Begin:
		x.open = transaction{}
		x.open.GTID, x.open.stamp = m.GTID, e.Timestamp()
	case t == event.MariaAnnotateRows:
		x.open.annotate(e.Body(true))
	case t == event.TransactionPayload:
		thread, err := x.unpack.Thread(e, true)
		x.open.thread, x.open.packed = thread, err != nil
	}
	if m.ThreadID != 0 {
		x.open.thread = m.ThreadID
	}
	x.open.size += int64(len(e))
}

// The mark that the proxy puts in front of a statement: an instance of it, its
// connection, and the number of the transaction there, or not that where the
// statement was prepared.
const markOpen, markClose = "/*bw:", "*/"

// annotate reads the mark of a statement's text.
func (t *transaction) annotate(text []byte) {
	rest, ok := bytes.CutPrefix(text, []byte(markOpen))
	if !ok {
		return
	}
	mark, _, ok := bytes.Cut(rest[:min(len(rest), 128)], []byte(markClose))
	if !ok {
		return
	}
	conn, full := connectionOf(mark)
	t.conn = sum(conn)
	if full {
		t.mark = sum(mark)
	} else {
		t.bare = true
	}
}

// connectionOf cuts a mark behind its connection, and says whether there is more.
func connectionOf(mark []byte) (conn []byte, full bool) {
	first := bytes.IndexByte(mark, '-')
	if first < 0 {
		return mark, false
	}
	if second := bytes.IndexByte(mark[first+1:], '-'); second >= 0 {
		return mark[:first+1+second], true
	}
	return mark, false
}

func sum(b []byte) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(b) // never fails
	return h.Sum64()
}

// Ended takes note that the transaction is whole and ends at a place of the
// stored log.
func (x *Index) Ended(file uint64, end int64) {
	t := x.open
	x.open = transaction{}
	if x.from == nil || t.GTID.IsZero() {
		return
	}
	t.Place = storedlog.Place{File: file, Offset: end - t.size, Size: t.size}
	t.arrived = time.Now()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.from.backlog != nil {
		t.late = x.from.backlog.Contains(t.GTID)
	}
	if t.packed {
		x.from.packed = t.arrived
	}
	if t.thread != 0 {
		x.put(key{uint64(t.thread), x.from.number, false}, t.Transaction)
	}
	if t.conn != 0 {
		x.put(key{t.conn, x.from.number, true}, t.Transaction)
	}
}

// CutBack forgets the transactions that are not left in the stored log. For any
// goroutine, while nothing is appended.
func (x *Index) CutBack(left *cluster.GTIDSet) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, of := range []map[key]Transaction{x.recent, x.older} {
		maps.DeleteFunc(of, func(_ key, t Transaction) bool { return !left.Contains(t.GTID) })
	}
}

// Dropped takes note that the transaction that was begun will not be ended.
func (x *Index) Dropped() { x.open = transaction{} }

// put is called with the lock held.
func (x *Index) put(k key, t Transaction) {
	if len(x.recent) >= generation {
		if len(x.older) > 0 {
			x.forgot = t.arrived
		}
		x.recent, x.older = make(map[key]Transaction, generation/4), x.recent
	}
	x.recent[k] = t
}
