package outcome

import (
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// Write is one whose answer was lost: the last thing that its connection to a
// server was asked for, and one transaction at most. It is a value.
type Write struct {
	// Identity is that of the server.
	Identity string
	// Thread is the server's id of the connection.
	Thread uint32
	// Mark is what stands between "/*bw:" and "*/" in front of its statements on a
	// MariaDB: instance, connection and number, with a dash between them; "" where
	// there is none.
	Mark string
	// After is the last GTID that somebody was told on the connection: the write is
	// later. Empty: nobody was told any; nil: one may have been missed.
	After *cluster.GTIDSet
	// Opened is when the connection was made.
	Opened time.Time
	// Definition says that it is one statement that is logged as text, if at all: so
	// on a MariaDB it has the id of its connection, as all have on a MySQL.
	Definition bool
}

// Verdict is what is known of a write. The zero value is unknown.
type Verdict uint8

// The verdicts.
const (
	VerdictUnknown Verdict = iota
	Absent                 // it is not among what was appended
	Found
	Ambiguous // it may be, and nobody can tell
)

// String returns the verdict in lower case.
func (v Verdict) String() string {
	return [...]string{"unknown", "absent", "found", "ambiguous"}[min(v, 3)]
}

// Find looks for a write. What is Absent may still come.
func (x *Index) Find(w Write) (Transaction, Verdict) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if w.Opened.IsZero() || !w.Opened.After(x.born) {
		return Transaction{}, Ambiguous
	}
	o := x.origins[w.Identity]
	if o == nil {
		return Transaction{}, Absent
	}
	if w.Mark != "" {
		return x.marked(o, w)
	}
	return x.threaded(o, w)
}

// last is the last transaction of a connection; known is false where it may have
// been forgotten.
func (x *Index) last(k key, opened time.Time) (t Transaction, there, known bool) {
	if t, there = x.recent[k]; !there {
		t, there = x.older[k]
	}
	return t, there, there || opened.After(x.forgot)
}

// marked: no two connections have the same mark.
func (x *Index) marked(o *origin, w Write) (Transaction, Verdict) {
	conn, full := connectionOf([]byte(w.Mark))
	t, there, known := x.last(key{sum(conn), o.number, true}, w.Opened)
	switch {
	case !known:
		return Transaction{}, Ambiguous
	case !there:
		return Transaction{}, Absent
	case full && t.mark == sum([]byte(w.Mark)):
		return t, Found
	case !t.bare:
		return Transaction{}, Absent // of a write before it
	case w.After == nil:
		return Transaction{}, Ambiguous
	case w.After.Contains(t.GTID):
		return Transaction{}, Absent
	case t.mark != 0 && full:
		return Transaction{}, Absent // it has another number
	}
	return t, Found
}

// threaded: another connection may have had the same id, at an earlier start of
// the server or a later one.
func (x *Index) threaded(o *origin, w Write) (Transaction, Verdict) {
	t, there, known := x.last(key{uint64(w.Thread), o.number, false}, w.Opened)
	switch {
	case !known, !o.packed.Before(w.Opened) && !o.packed.IsZero():
		if there && x.whose(o, t, w) == Found && w.After != nil && !w.After.Contains(t.GTID) {
			return t, Found
		}
		return Transaction{}, Ambiguous
	case !there || t.arrived.Before(w.Opened):
		return Transaction{}, Absent
	case w.After.Contains(t.GTID):
		return Transaction{}, Absent
	case w.After == nil:
		return Transaction{}, Ambiguous
	}
	return t, x.whose(o, t, w)
}

// slack is how far a server's start may be off, by either clock: it tells whole
// seconds.
const slack = 1100 * time.Millisecond

// whose says whether a transaction with the thread id of a write's connection is
// of that connection: Found; of one at another start of the server: Absent.
func (x *Index) whose(o *origin, t Transaction, w Write) Verdict {
	before := w.Opened.Before(o.started.Add(-slack))
	after := w.Opened.After(o.started.Add(slack)) || w.Opened.After(o.seen)
	if !t.late {
		if after || before && !t.arrived.After(o.seen) {
			return Found
		}
		return Ambiguous
	}
	earlier, later := int64(t.stamp) < o.start-1, int64(t.stamp) > o.start+1
	switch {
	case before && earlier, after && later:
		return Found
	case after && earlier:
		return Absent
	}
	return Ambiguous
}

// Started is when a server was started that was met before a connection was made
// to it at a time; zero where it was not.
func (x *Index) Started(identity string, opened time.Time) time.Time {
	x.mu.Lock()
	defer x.mu.Unlock()
	if o := x.origins[identity]; o != nil && opened.After(o.seen) {
		return o.started
	}
	return time.Time{}
}
