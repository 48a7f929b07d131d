package replicator

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"log/slog"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
)

// The master gets its answer, and a client its OK, before the log wakes its
// readers: a read that begins in between has to see the write.
func TestEndHasWhatAClientWasToldOf(t *testing.T) {
	r, relay := promisedRelay(t)
	beginFile(t, relay.sink)
	if end, _ := r.End(); end == nil || end.Count() != 0 {
		t.Fatalf("nothing is stored, and the end is %v", end)
	}
	changed := relay.stored.Changed()
	write := cluster.GTID{Flavour: cluster.FlavourMariaDB, Server: 1, Number: 1}
	harden(t, relay.sink, write)
	select {
	case <-changed:
		t.Fatal("the readers are woken by Harden: this test shows nothing any more")
	default:
	}
	set := cluster.EmptyGTIDSet(cluster.FlavourMariaDB).With(write)
	if err := r.Await(t.Context(), set); err != nil {
		t.Fatalf("the client is not told: %v", err)
	}
	if end, _ := r.End(); !end.ContainsSet(set) {
		t.Errorf("a client was told of %s, and a read that begins now is to see %s", set, end)
	}
	if stored := r.Stored(); !stored.ContainsSet(set) {
		t.Errorf("a client was told of %s, and %s is stored", set, stored)
	}
}

// A write of which a client was told although it is not stored (policy: degrade)
// is not in the end, so that the end is not whole until it is.
func TestEndIsNotWholeWithoutAWriteThatWasLetGo(t *testing.T) {
	r, relay := promisedRelay(t)
	c := *r.settings()
	c.Policy, c.DegradeAfter = PolicyDegrade, time.Millisecond
	r.current.Store(&c)
	relay.protection.set(true, time.Now())
	beginFile(t, relay.sink)
	write := cluster.GTID{Flavour: cluster.FlavourMariaDB, Server: 1, Number: 1}
	if _, whole := r.End(); !whole {
		t.Fatal("commits wait, and the end is not whole")
	}
	if err := r.Await(t.Context(), cluster.EmptyGTIDSet(cluster.FlavourMariaDB).With(write)); err != nil {
		t.Fatalf("the client is not told: %v", err)
	}
	if end, whole := r.End(); whole {
		t.Errorf("a client was told of %s, and %s is whole", write, end)
	}
	harden(t, relay.sink, write)
	if end, whole := r.End(); !whole {
		t.Errorf("the write is stored, and %s is not whole", end)
	}
}

// promisedRelay is a replicator that feeds all slaves from an empty log, and runs
// nothing.
func promisedRelay(t *testing.T) (*Replicator, *relay) {
	t.Helper()
	store := cluster.NewStore(&cluster.Topology{
		Nodes: []cluster.Node{{Name: "node1", Addr: "127.0.0.1:1", Role: cluster.RoleMaster}}, Master: 0, MasterIdentity: "one",
	})
	r := New(Config{Feed: FeedRelay}, store, slog.New(slog.DiscardHandler))
	stored, err := storedlog.Open(storedlog.Config{Dir: t.TempDir(), Flavour: cluster.FlavourMariaDB}, r.log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stored.Close() })
	relay := newRelay(r, identity{}, stored, nil)
	r.relay.Store(relay)
	r.promised.Store(true)
	r.alone.Store(true)
	return r, relay
}

// beginFile begins a file of a log, which wakes its readers.
func beginFile(t *testing.T, sink *watchedSink) {
	t.Helper()
	format := make([]byte, 57+40+1)
	format[0], format[56], format[len(format)-1] = 4, event.HeaderSize, 1
	copy(format[2:], "10.11.19-MariaDB")
	if err := sink.Rotate(made(event.FormatDescription, format)); err != nil {
		t.Fatal(err)
	}
}

// harden has a transaction stored, as the stream from a master has it before it
// answers.
func harden(t *testing.T, sink *watchedSink, g cluster.GTID) {
	t.Helper()
	gtid := append(binary.LittleEndian.AppendUint64(nil, g.Number), 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0)
	query := append(make([]byte, 14), "CREATE DATABASE shop"...)
	if err := errors.Join(
		sink.Append(made(event.MariaGTID, gtid), event.Mark{GTID: g, Part: event.Begin}),
		sink.Append(made(event.Query, query), event.Mark{GTID: g, Part: event.End}),
		sink.Harden(),
	); err != nil {
		t.Fatal(err)
	}
}

// made is an event of server 1.
func made(kind event.Type, body []byte) event.Event {
	e := make(event.Event, event.HeaderSize, event.HeaderSize+len(body)+4)
	e[4], e[5] = byte(kind), 1
	binary.LittleEndian.PutUint32(e[9:], uint32(cap(e)))
	e = append(e, body...)
	return binary.LittleEndian.AppendUint32(e, crc32.ChecksumIEEE(e))
}
