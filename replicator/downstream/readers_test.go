package downstream

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/wire"
)

// loaded is a log of n transactions of size bytes each.
func loaded(flavour cluster.Flavour, n, size int) *memLog {
	l := newMemLog(flavour)
	l.rotate(makeFormat(flavour))
	txs := make([]memTx, n)
	for i := range txs {
		txs[i] = makeTx(flavour, uint64(i+1), 1, size)
	}
	l.add(txs...)
	return l
}

// TestManyReaders has 64 slaves read at once, of whom one takes in nothing. The
// others are not hindered, memory stays in proportion, and the one is dropped.
func TestManyReaders(t *testing.T) {
	const readers, transactions, size = 64, 100, 80_000
	flavour := cluster.FlavourMySQL
	log := loaded(flavour, transactions, size)
	config := testConfig(flavour)
	config.WriteTimeout = 8 * time.Second
	s := serve(t, config, log)
	stalled := reads(t, s, flavour, nil)
	_ = stalled.conn.NetConn().(*net.TCPConn).SetReadBuffer(4096)
	stalled.asks(flavour, 0, 999, cluster.EmptyGTIDSet(flavour))
	before := heap()
	begun := time.Now()
	var wg sync.WaitGroup
	for i := range readers - 1 {
		c := reads(t, s, flavour, nil)
		c.asks(flavour, 0, uint32(i+100), cluster.EmptyGTIDSet(flavour))
		wg.Go(func() { c.drain(3 + 2*transactions) })
	}
	wg.Wait()
	took := time.Since(begun)
	if grown := int64(heap()) - int64(before); grown > readers*128<<10 {
		t.Errorf("%d readers cost %d bytes each", readers, grown/readers)
	}
	t.Logf("%d readers of %d MB each: %v", readers-1, transactions*size>>20, took)
	waitFor(t, "the stalled reader to be dropped", func() bool { return len(s.Slaves()) == readers-1 })
}

// drain reads n events and forgets them.
func (c *client) drain(n int) {
	for range n {
		if _, err := c.event(); err != nil {
			c.t.Error(err)
			return
		}
	}
	c.conn.Release()
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // sweeps what the first one found
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	for begun := time.Now(); !is(); pause(t.Context(), 5*time.Millisecond) {
		if time.Since(begun) > time.Minute {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

// A slave that comes again replaces its former connection, and only that.
func TestReplacement(t *testing.T) {
	t.Parallel()
	for _, flavour := range flavours {
		t.Run(flavour.String(), func(t *testing.T) {
			s := serve(t, testConfig(flavour), filled(flavour, 1, 1))
			begin := func(id uint32, uuid string) *client {
				c := reads(t, s, flavour, set(flavour, 1))
				c.must("SET @slave_uuid='" + uuid + "'")
				c.asks(flavour, 0, id, set(flavour, 1))
				if _, err := c.events(3); err != nil {
					t.Fatal(err)
				}
				return c
			}
			first, other := begin(7, "u7"), begin(8, "u8")
			again := begin(7, "u7")
			_, err := first.event()
			var refusal *wire.ServerError
			if !errors.As(err, &refusal) || !strings.Contains(refusal.Message, "same server_uuid") {
				t.Errorf("the former connection ends with %v", err)
			}
			waitFor(t, "two to be left", func() bool { return len(s.Slaves()) == 2 })
			_, _ = again, other
		})
	}
}

// Heartbeats come at the period that was asked for, in the version that was.
func TestHeartbeats(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		flavour cluster.Flavour
		flags   uint16
		want    event.Type
	}{
		{cluster.FlavourMySQL, 0, event.Heartbeat}, {cluster.FlavourMySQL, flagHeartbeatV2, event.HeartbeatV2},
		{cluster.FlavourMariaDB, flagAnnotate, event.Heartbeat},
	} {
		log := filled(tc.flavour, 1, 3)
		s := serve(t, testConfig(tc.flavour), log)
		c := reads(t, s, tc.flavour, set(tc.flavour, 2))
		c.must("SET @master_heartbeat_period = 50000000")
		begun := time.Now()
		c.asks(tc.flavour, tc.flags, 7, set(tc.flavour, 2))
		before, err := c.events(5)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.events(4)
		if took := time.Since(begun); err != nil || took < 150*time.Millisecond || took > time.Minute {
			t.Errorf("%v: four heartbeats in %v, %v", tc.want, took, err)
		}
		least := uint64(before[4].LogPos()) // what a MariaDB slave computes
		if tc.flavour == cluster.FlavourMySQL {
			least = 4 // and a MySQL slave
			for _, e := range before[1:] {
				least += uint64(len(e))
			}
		}
		for _, e := range got {
			where := uint64(e.LogPos())
			if tc.want == event.HeartbeatV2 { // type, length, file; type, length, number
				where = uint64(binary.LittleEndian.Uint16(e[len(e)-7:]))
			}
			if e.Type() != tc.want || !e.ChecksumOK() || where < least || where < uint64(log.files[0].size) && tc.flavour == cluster.FlavourMySQL {
				t.Errorf("%v: heartbeat % x says %d, the slave is at %d", tc.want, e, where, least)
			}
		}
	}
}

// A slave of a log that is still empty waits, at no cost, and is served what comes.
func TestEmptyLog(t *testing.T) {
	flavour := cluster.FlavourMySQL
	log := newMemLog(flavour)
	s := serve(t, testConfig(flavour), log)
	c := reads(t, s, flavour, nil)
	c.must("SET @master_heartbeat_period = 20000000")
	c.asks(flavour, 0, 7, cluster.EmptyGTIDSet(flavour))
	waitFor(t, "the slave to wait", func() bool { return len(s.Slaves()) == 1 })
	before := processorTime(t)
	pause(t.Context(), time.Second)
	if used := processorTime(t) - before; used > 500*time.Millisecond {
		t.Errorf("waiting takes %v of processor time in a second", used)
	}
	log.rotate(makeFormat(flavour))
	log.add(makeTx(flavour, 1, 1, 10))
	if got, err := c.events(5); err != nil {
		t.Errorf("%v, %v", types(got), err)
	}
}

// brokenLog cannot be read for the moment.
type brokenLog struct{ *memLog }

func (brokenLog) Read(*cluster.GTIDSet) (Reader, error) { return nil, errors.New("disk on fire") }

// What passes must not stop a slave for good.
func TestBrokenLog(t *testing.T) {
	t.Parallel()
	flavour := cluster.FlavourMySQL
	s := serve(t, testConfig(flavour), brokenLog{filled(flavour, 1, 1)})
	c := reads(t, s, flavour, nil)
	c.asks(flavour, 0, 7, cluster.EmptyGTIDSet(flavour))
	_, err := c.event()
	var refusal *wire.ServerError
	if !errors.As(err, &refusal) || refusal.Code != wire.CodeUnknown || !strings.Contains(refusal.Message, "disk on fire") {
		t.Errorf("got %v", err)
	}
	if _, err := c.conn.ReadPacket(); !errors.Is(err, io.EOF) {
		t.Errorf("the connection goes on: %v", err)
	}
}

// A client that leaves while there is nothing to send is noticed.
func TestLeaving(t *testing.T) {
	t.Parallel()
	flavour := cluster.FlavourMySQL
	s := serve(t, testConfig(flavour), filled(flavour, 1, 1))
	c := reads(t, s, flavour, nil)
	c.asks(flavour, 0, 7, set(flavour, 1))
	if _, err := c.events(3); err != nil {
		t.Fatal(err)
	}
	c.conn.Close()
	waitFor(t, "nobody to be left", func() bool { return len(s.Slaves()) == 0 })
}

// MariaDB's ANNOTATE_ROWS are for those who ask for them.
func TestAnnotations(t *testing.T) {
	flavour := cluster.FlavourMariaDB
	log := newMemLog(flavour)
	log.rotate(makeFormat(flavour))
	tx := makeTx(flavour, 1, 1, 10)
	tx.events = append(tx.events, makeEvent(event.MariaAnnotateRows, 1, 5000, []byte("INSERT"))...)
	log.add(tx)
	s := serve(t, testConfig(flavour), log)
	for flags, want := range map[uint16]int{flagNonBlocking: 5, flagNonBlocking | flagAnnotate: 6} {
		c := reads(t, s, flavour, cluster.EmptyGTIDSet(flavour))
		c.asks(flavour, flags, 7, nil)
		if got, err := c.events(100); !errors.Is(err, io.EOF) || len(got) != want {
			t.Errorf("flags %d: %v, %v", flags, types(got), err)
		}
	}
}
