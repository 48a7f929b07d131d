package outcome

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
)

// fleet is an index with one server, met a while ago.
type fleet struct {
	*testing.T
	index *Index
	begun time.Time
	seq   uint64
}

func newFleet(t testing.TB) *fleet {
	f := &fleet{begun: time.Now().Add(-time.Hour)}
	f.T, _ = t.(*testing.T)
	f.index = NewIndex(f.begun)
	f.meet(time.Now().Add(-30*time.Minute), nil)
	f.index.origins["a"].seen = time.Now().Add(-29 * time.Minute)
	return f
}

// meet connects to the server, which was started at a time by both clocks.
func (f *fleet) meet(started time.Time, backlog *cluster.GTIDSet) {
	f.index.Met(Meeting{Identity: "a", Started: started, Clock: started, Backlog: backlog})
}

// commit appends one transaction, committed at a time by the server's clock.
func (f *fleet) commit(thread uint32, texts ...string) cluster.GTID {
	return f.commitAt(time.Now(), thread, texts...)
}

func (f *fleet) commitAt(at time.Time, thread uint32, texts ...string) cluster.GTID {
	f.seq++
	g := cluster.MariaDBGTID(0, 1, f.seq)
	f.index.Appended(made(event.MariaGTID, at, nil), event.Mark{Part: event.Begin, GTID: g})
	for _, text := range texts {
		f.index.Appended(made(event.MariaAnnotateRows, at, []byte(text)), event.Mark{Part: event.Inside, GTID: g})
	}
	f.index.Appended(made(event.XID, at, nil), event.Mark{Part: event.End, GTID: g, ThreadID: thread})
	f.index.Ended(1, 1000)
	return g
}

func made(t event.Type, at time.Time, body []byte) event.Event {
	e := make([]byte, event.HeaderSize, event.HeaderSize+len(body)+event.ChecksumSize)
	binary.LittleEndian.PutUint32(e, uint32(at.Unix()))
	e[4] = byte(t)
	return append(append(e, body...), 0, 0, 0, 0)
}

func (f *fleet) want(w Write, verdict Verdict, g cluster.GTID) {
	f.Helper()
	w.Identity = "a"
	got, v := f.index.Find(w)
	if v != verdict || verdict == Found && got.GTID != g {
		f.Errorf("%+v: %v %v, want %v %v", w, v, got.GTID, verdict, g)
	}
}

// after is a set that ends with a GTID.
func after(g cluster.GTID) *cluster.GTIDSet {
	return cluster.EmptyGTIDSet(cluster.FlavourMariaDB).With(g)
}

func TestByThread(t *testing.T) {
	f := newFleet(t)
	opened := time.Now().Add(-time.Minute)
	nobody := cluster.EmptyGTIDSet(cluster.FlavourMariaDB)
	f.want(Write{Thread: 7, Opened: opened, After: nobody}, Absent, cluster.GTID{})
	first := f.commit(7)
	f.commit(8)
	f.want(Write{Thread: 7, Opened: opened, After: nobody}, Found, first)
	f.want(Write{Thread: 7, Opened: opened, After: after(first)}, Absent, first)
	f.want(Write{Thread: 7, Opened: opened}, Ambiguous, first)
	f.want(Write{Thread: 9, Opened: opened}, Absent, first)
	f.want(Write{Thread: 7, After: nobody}, Ambiguous, first)
	f.want(Write{Thread: 7, Opened: time.Now(), After: nobody}, Absent, first) // an earlier connection's
	f.want(Write{Thread: 7, Opened: f.begun.Add(-time.Second), After: nobody}, Ambiguous, first)
	second := f.commit(7)
	f.want(Write{Thread: 7, Opened: opened, After: after(first)}, Found, second)
}

func TestByMark(t *testing.T) {
	f := newFleet(t)
	opened := time.Now().Add(-time.Minute)
	w := Write{Mark: "x-1-5", Opened: opened}
	f.want(w, Absent, cluster.GTID{})
	before := f.commit(0, "/*bw:x-1-4*/INSERT")
	f.want(w, Absent, before)
	g := f.commit(0, "/*bw:x-1-5*/INSERT", "/*bw:x-1*/UPDATE")
	f.commit(0, "/*bw:x-2-5*/INSERT")
	f.commit(0, "no mark", "/*bw:x-1-5")
	f.want(w, Found, g)
	f.want(Write{Mark: "x-1-6", Opened: opened, After: after(before)}, Absent, g)
	bare := f.commit(0, "/*bw:x-1*/UPDATE")
	f.want(Write{Mark: "x-1-6", Opened: opened, After: after(g)}, Found, bare)
	f.want(Write{Mark: "x-1-6", Opened: opened, After: after(bare)}, Absent, bare)
	f.want(Write{Mark: "x-1-6", Opened: opened}, Ambiguous, bare)
}

// Ids begin anew with the server: what its recovery committed is told from what
// came after by the server's own clock.
func TestARestartedServer(t *testing.T) {
	f := newFleet(t)
	old, nobody := time.Now().Add(-time.Minute), cluster.EmptyGTIDSet(cluster.FlavourMariaDB)
	f.commit(7)
	restart := time.Now().Add(-10 * time.Second)
	f.meet(restart, after(cluster.MariaDBGTID(0, 1, 100)))
	f.index.origins["a"].seen = restart.Add(5 * time.Second)
	tail := f.commitAt(restart.Add(-3*time.Second), 8)
	f.want(Write{Thread: 8, Opened: old, After: nobody}, Found, tail)
	f.want(Write{Thread: 8, Opened: restart.Add(8 * time.Second), After: nobody}, Absent, tail)
	early := f.commitAt(restart.Add(3*time.Second), 9)
	f.want(Write{Thread: 9, Opened: old, After: nobody}, Ambiguous, early)
	f.want(Write{Thread: 9, Opened: restart.Add(2 * time.Second), After: nobody}, Found, early)
	f.commitAt(restart, 10)
	f.want(Write{Thread: 10, Opened: old, After: nobody}, Ambiguous, early)
	f.seq = 200
	late := f.commit(11)
	f.want(Write{Thread: 11, Opened: old, After: nobody}, Ambiguous, late)
	f.want(Write{Thread: 11, Opened: restart.Add(6 * time.Second), After: nobody}, Found, late)
}

// Connections are forgotten where there are too many, and it is known that they
// may have been.
func TestForgetting(t *testing.T) {
	f := newFleet(t)
	opened, nobody := time.Now().Add(-time.Minute), cluster.EmptyGTIDSet(cluster.FlavourMariaDB)
	for i := range uint32(3*generation + 10) {
		f.commit(1000 + i)
	}
	if n := len(f.index.recent) + len(f.index.older); n > 2*generation {
		t.Errorf("%d connections are kept", n)
	}
	f.want(Write{Thread: 1000, Opened: opened, After: nobody}, Ambiguous, cluster.GTID{})
	f.want(Write{Thread: 5, Opened: time.Now(), After: nobody}, Absent, cluster.GTID{})
}

// A compressed transaction may be anybody's.
func TestPackedTransactions(t *testing.T) {
	f := newFleet(t)
	opened, nobody := time.Now().Add(-time.Minute), cluster.EmptyGTIDSet(cluster.FlavourMariaDB)
	g := f.commit(7)
	f.index.Appended(made(event.GTID, time.Now(), nil), event.Mark{Part: event.Begin, GTID: cluster.MariaDBGTID(0, 1, 90)})
	f.index.Appended(made(event.TransactionPayload, time.Now(), nil), event.Mark{Part: event.End, GTID: cluster.MariaDBGTID(0, 1, 90)})
	f.index.Ended(1, 2000)
	f.want(Write{Thread: 7, Opened: opened, After: nobody}, Found, g)
	f.want(Write{Thread: 8, Opened: opened, After: nobody}, Ambiguous, g)
	f.want(Write{Thread: 8, Opened: time.Now(), After: nobody}, Absent, g)
}

// BenchmarkTransaction is what the index adds to each transaction.
func BenchmarkTransaction(b *testing.B) {
	f := newFleet(b)
	texts := make([]string, 512)
	for i := range texts {
		texts[i] = fmt.Sprintf("/*bw:x-%d-5*/INSERT INTO t VALUES (1)", i)
	}
	b.ReportAllocs()
	for i := range b.N {
		f.commit(uint32(i%512), texts[i%512])
	}
}
