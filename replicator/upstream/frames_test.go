package upstream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/wire"
)

// pieces is a connection on which the given bytes arrive, cut into reads at
// random, and then its end.
type pieces struct {
	net.Conn
	rest   []byte
	random *rand.Rand
}

func (p *pieces) SetReadDeadline(time.Time) error { return nil }

func (p *pieces) SetWriteDeadline(time.Time) error { return nil }

func (p *pieces) SetDeadline(time.Time) error { return nil }

func (p *pieces) Write(b []byte) (int, error) { return len(b), nil }

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	most := min(len(b), len(p.rest))
	n := 1 + p.random.IntN(most)
	if p.random.IntN(2) == 0 {
		n = most
	}
	copy(b, p.rest[:n])
	p.rest = p.rest[n:]
	return n, nil
}

// framed cuts payloads into frames, as a server does.
func framed(payloads ...[]byte) (out []byte) {
	for _, p := range payloads {
		for {
			n := min(len(p), wire.MaxPiece)
			out = append(append(out, byte(n), byte(n>>8), byte(n>>16), 7), p[:n]...)
			p = p[n:]
			if n < wire.MaxPiece {
				break
			}
		}
	}
	return out
}

// eventOf is a payload that holds one event of n bytes.
func eventOf(n int, seed byte) []byte {
	e := bytes.Repeat([]byte{seed}, 1+n)
	e[0] = wire.HeaderOK
	binary.LittleEndian.PutUint32(e[1+9:], uint32(n))
	return e
}

func TestFramesAroundEveryBoundary(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var want [][]byte
	for i, n := range []int{
		20, readBuffer - 6, readBuffer - 5, readBuffer - 4, readBuffer - 1, readBuffer, readBuffer + 1, 19, 100,
		wire.MaxPiece - 1, 33,
	} {
		want = append(want, eventOf(n, byte(i)))
	}
	f := newFrames(&pieces{rest: framed(want...), random: random}, time.Second, maxEvent)
	for i, w := range want {
		got, err := f.packet()
		if err != nil || !bytes.Equal(got, w) {
			t.Fatalf("packet %d: %d bytes, %v; want %d", i, len(got), err, len(w))
		}
	}
	if _, err := f.packet(); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}

// A packet larger than the limit is refused before it is read, and one that
// only says that it is large costs no memory.
func TestFramesAreBounded(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	f := newFrames(&pieces{rest: framed(eventOf(readBuffer+10, 1)), random: random}, time.Second, readBuffer)
	if _, err := f.packet(); !errors.Is(err, wire.ErrPacketTooLarge) {
		t.Errorf("a packet over the limit: %v", err)
	}
	f = newFrames(&pieces{rest: framed(eventOf(wire.MaxPiece+10, 1)), random: random}, time.Second, wire.MaxPiece)
	if _, err := f.packet(); !errors.Is(err, wire.ErrPacketTooLarge) {
		t.Errorf("a packet of two frames over the limit: %v", err)
	}
	said := []byte{0xff, 0xff, 0xff, 0, 0, 1, 2, 3}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f = newFrames(&pieces{rest: said, random: random}, time.Second, maxEvent)
	if _, err := f.packet(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > readBuffer+4*growStep {
		t.Errorf("16 MB that never came cost %d bytes", got)
	}
}

// A large event takes about its own length of memory, whether or not a
// semi-synchronous header stands before it: that moved the place of its length, and
// what was read there instead took a gigabyte.
func TestLargeEventTakesItsLength(t *testing.T) {
	const size = 20_000_000
	for _, head := range [][]byte{{wire.HeaderOK}, {wire.HeaderOK, semiSyncMagic, semiSyncWantsReply}} {
		packet := append(bytes.Clone(head), eventOf(size, 0x99)[1:]...)
		f := newFrames(&pieces{rest: framed(packet), random: rand.New(rand.NewPCG(1, 2))}, time.Second, maxEvent)
		got, err := f.packet()
		if err != nil || !bytes.Equal(got, packet) || cap(got) > 2*size {
			t.Errorf("behind %x: %d bytes in %d of memory: %v", head, len(got), cap(got), err)
		}
	}
}

func TestSilenceEndsARead(t *testing.T) {
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	f := newFrames(here, 30*time.Millisecond, maxEvent)
	if _, err := f.packet(); !errors.Is(err, errSilent) {
		t.Errorf("got %v", err)
	}
}

func TestArrived(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	there, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	here, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	f := newFrames(here, 5*time.Second, maxEvent)
	if f.arrived() {
		t.Error("something has arrived where nothing was sent")
	}
	if _, err := there.Write(framed(eventOf(20, 1), eventOf(20, 2), eventOf(20, 3))[:60]); err != nil {
		t.Fatal(err)
	}
	for _, want := range []bool{true, false} { // two whole packets, one cut
		if _, err := f.packet(); err != nil {
			t.Fatal(err)
		}
		if got := f.arrived(); got != want {
			t.Errorf("arrived: %t, want %t", got, want)
		}
	}
	if _, err := there.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); !f.arrived(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a byte in the socket is not seen")
		}
	}
}

func TestSemiSyncHeader(t *testing.T) {
	plain := []byte(header(event.XID, 100, 0))
	magic := bytes.Clone(plain)
	magic[0], magic[1] = semiSyncMagic, semiSyncWantsReply // a timestamp that looks like the header
	for _, c := range []struct {
		name  string
		bytes []byte
		event []byte
		wants bool
	}{
		{"none", plain, plain, false},
		{"no reply", append([]byte{semiSyncMagic, 0}, plain...), plain, false},
		{"reply", append([]byte{semiSyncMagic, 1}, plain...), plain, true},
		{"none, looks like one", magic, magic, false},
		{"before one that looks like one", append([]byte{semiSyncMagic, 0}, magic...), magic, false},
	} {
		e, wants, err := stripSemiSync(c.bytes)
		if err != nil || !bytes.Equal(e, c.event) || wants != c.wants {
			t.Errorf("%s: %x, %t, %v", c.name, []byte(e), wants, err)
		}
	}
	for _, b := range [][]byte{nil, {semiSyncMagic}, {semiSyncMagic, 1}, plain[:18], append([]byte{1, 1}, plain...)} {
		if _, _, err := stripSemiSync(b); !errors.Is(err, event.ErrMalformed) {
			t.Errorf("%x: %v", b, err)
		}
	}
}
