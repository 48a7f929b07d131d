package proxy

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/internal/fakemysql"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
)

// digestsOf returns the digests of a proxy by their text.
func digestsOf(s *Server) map[string]Digest {
	found := map[string]Digest{}
	for _, d := range s.Digests().Digests {
		found[d.Text] = d
	}
	return found
}

// counted waits until a digest has count statements: a client has its answer
// before it is counted.
func counted(t *testing.T, s *Server, text string, count uint64) Digest {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		d := digestsOf(s)[text]
		if d.Count >= count {
			return d
		}
		if time.Now().After(deadline) {
			t.Fatalf("%q is counted %d times, want %d; there are %v", text, d.Count, count, digestsOf(s))
		}
	}
}

func TestDigestsCountStatements(t *testing.T) {
	master := &node{name: "node1", answers: map[string]fakemysql.Step{
		"UPDATE item SET n = 1 WHERE id = 9": fakemysql.SendError(1054, "42S22", "Unknown column 'n'"),
	}}
	h := newHouse(t, nil, master.handler(), (&node{name: "node2"}).handler())
	c := h.client(t)
	for i := range 5 {
		c.query(fmt.Sprintf("SELECT name FROM Item WHERE id=%d", i))
	}
	c.query("UPDATE item SET n = 1 WHERE id = 9")
	c.query("UPDATE item SET n = 2 WHERE id = 10")

	d := counted(t, h.server, "SELECT name FROM Item WHERE id = ?", 5)
	if d.Count != 5 || d.Class != "read" || d.ToSlaves != 5 || d.ToMaster != 0 || d.RowsSent != 5 || d.Errors != 0 || len(d.ID) != 16 {
		t.Errorf("the reads are counted as %+v", d)
	}
	if d.Max == 0 || d.Total < d.Max || d.P50 > d.P99 || d.P99 > d.Max || d.BytesIn == 0 || d.BytesOut == 0 {
		t.Errorf("the reads took %+v", d)
	}
	if d.FirstSeen.After(d.LastSeen) || time.Since(d.LastSeen) > time.Minute {
		t.Errorf("the reads were seen from %v to %v", d.FirstSeen, d.LastSeen)
	}
	d = counted(t, h.server, "UPDATE item SET n = ? WHERE id = ?", 2)
	if d.Errors != 1 || d.ToMaster != 2 || d.Class != "write" {
		t.Errorf("the writes are counted as %+v", d)
	}
	h.server.ResetDigests()
	if got := h.server.Digests(); len(got.Digests) != 0 || got.Dropped != 0 || time.Since(got.Since) > time.Minute {
		t.Errorf("after a new beginning there are %+v", got)
	}
	c.query("SELECT name FROM Item WHERE id=7")
	if d := counted(t, h.server, "SELECT name FROM Item WHERE id = ?", 1); d.Count != 1 {
		t.Errorf("it goes on with %+v", d)
	}
}

func TestDigestsCanBeOff(t *testing.T) {
	h := newHouse(t, func(c *Config, _ *backend.Config) { c.Digests = 0 }, (&node{name: "node1"}).handler())
	c := h.client(t)
	c.query("SELECT name FROM item")
	c.query("SELECT name FROM item")
	if got := h.server.Digests(); len(got.Digests) != 0 || got.Dropped != 0 {
		t.Errorf("there are %+v", got)
	}
}

// table is digests without a proxy.
func newDigests(limit int) (*digests, *router.Classifier) {
	d := new(digests)
	d.begin(limit)
	return d, router.NewClassifier(1024)
}

func (d *digests) countFor(test *router.Classifier, sql, database string, n int) *digest {
	s := test.Classify([]byte(sql), router.Dialect{}, new(router.Scratch))
	found := d.find(s, database)
	if found == nil {
		found = d.add(s, database, []byte(sql), router.Dialect{})
	}
	for range n {
		found.shard(0).add(time.Millisecond, time.Now())
	}
	return found
}

func TestDigestsAreBounded(t *testing.T) {
	d, c := newDigests(10)
	for i := range 30 {
		d.countFor(c, fmt.Sprintf("SELECT a%d FROM t", i), "", 1)
	}
	server := &Server{}
	server.digests.table.Store(d.table.Load())
	report := server.Digests()
	if len(report.Digests) != 11 || report.Dropped != 20 {
		t.Errorf("there are %d digests and %d dropped, want 11 and 20", len(report.Digests), report.Dropped)
	}
	last := report.Digests[10]
	if !last.Other || last.Count != 20 || last.ID != "0000000000000000" {
		t.Errorf("the others are %+v", last)
	}
}

// One that nobody uses gives up its place, and nothing of the sum is lost.
func TestDigestsGiveUpTheirPlace(t *testing.T) {
	d, c := newDigests(2)
	old := d.countFor(c, "SELECT a FROM t", "", 1)
	d.countFor(c, "SELECT b FROM t", "", 1)
	refused := d.countFor(c, "SELECT c FROM t", "", 1)
	if refused != d.table.Load().other {
		t.Fatal("there was room for a third")
	}
	past := time.Now().Add(-2 * digestRest)
	old.first = past
	old.shard(0).last.Store(past.UnixNano())
	d.table.Load().swept = past
	if kept := d.countFor(c, "SELECT d FROM t", "", 1); kept == d.table.Load().other {
		t.Fatal("there was no room for another though one rests")
	}
	if again := d.countFor(c, "SELECT a FROM t", "", 1); again == old {
		t.Error("what gave up its place still counts")
	}
	server := &Server{}
	server.digests.table.Store(d.table.Load())
	total := uint64(0)
	for _, g := range server.Digests().Digests {
		total += g.Count
	}
	if total != 5 {
		t.Errorf("%d statements are counted in all, want 5", total)
	}
}

func TestDigestsKeepDatabasesApart(t *testing.T) {
	d, c := newDigests(100)
	for i := range 2 * mostBesides {
		d.countFor(c, "SELECT a FROM t", fmt.Sprint("db", i), i+1)
	}
	for i := range 2 * mostBesides {
		g := d.countFor(c, "SELECT a FROM t", fmt.Sprint("db", i), 0)
		if sum := g.sum(); g.database != fmt.Sprint("db", i) || sum.latency.total() != uint64(i+1) {
			t.Errorf("db%d: %s has %d", i, g.database, sum.latency.total())
		}
	}
}

// Everything at once, for the race detector; what is not reset is counted whole.
func TestDigestsUnderConcurrency(t *testing.T) {
	d, c := newDigests(20)
	var all sync.WaitGroup
	const rounds = 2000
	for worker := range 4 {
		all.Go(func() {
			for i := range rounds {
				g := d.countFor(c, fmt.Sprintf("SELECT a%d FROM t", i%40), "", 0)
				g.shard(uint32(worker)).add(time.Duration(i)*time.Microsecond, time.Now())
			}
		})
	}
	server := &Server{}
	server.digests.table.Store(d.table.Load())
	all.Go(func() {
		for range 20 {
			server.Digests()
		}
	})
	all.Wait()
	total := uint64(0)
	for _, g := range server.Digests().Digests {
		total += g.Count
	}
	if total != 4*rounds {
		t.Errorf("%d are counted, want %d", total, 4*rounds)
	}
}
