package upstream

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/wire"
)

// FuzzAnswers: whatever a server answers to the questions, nothing panics.
func FuzzAnswers(f *testing.F) {
	row := wire.AppendTextRow(nil, []byte("5"))
	eof := wire.AppendEOF(nil, wire.EOF{})
	column := wire.AppendColumn(nil, &wire.Column{Name: "a"})
	var answer bytes.Buffer
	for i, p := range [][]byte{{1}, column, eof, row, eof} {
		answer.Write([]byte{byte(len(p)), 0, 0, byte(i + 1)})
		answer.Write(p)
	}
	f.Add(answer.Bytes(), uint64(1))
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		s := &session{
			conn:  wire.NewConn(&pieces{rest: in, random: rand.New(rand.NewPCG(seed, 0))}),
			hello: &wire.ServerHello{MariaDB: seed%2 == 0},
		}
		if values, err := s.ask("SELECT 1"); err == nil && len(values) == 0 {
			t.Fatal("a row without values")
		}
		_, _ = s.facts()
	})
}

// FuzzStream: whatever a server sends for a binary log, the sink's contract is
// kept.
func FuzzStream(f *testing.F) {
	s := &script{version: "9.7.0", flavour: cluster.FlavourMySQL}
	var whole [][]byte
	for _, e := range append([][]byte{madeRotate("b.1"), madeFormat("9.7.0")}, append(s.transaction(1), s.transaction(2)...)...) {
		whole = append(whole, append([]byte{wire.HeaderOK}, e...))
	}
	f.Add(framed(whole...), uint64(1))
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) { relayOnce(t, in, seed) })
}

// FuzzEvents is FuzzStream with events that are whole and have right checksums:
// in is a row of types, lengths of bodies, and bodies.
func FuzzEvents(f *testing.F) {
	var in []byte
	s := &script{version: "9.7.0", flavour: cluster.FlavourMySQL}
	for _, e := range append(s.transaction(1), s.transaction(2)...) {
		in = append(append(in, e[4], byte(len(e)-event.HeaderSize-event.ChecksumSize)), e[event.HeaderSize:len(e)-event.ChecksumSize]...)
	}
	f.Add(in, uint64(1), false)
	f.Fuzz(func(t *testing.T, in []byte, seed uint64, mariaDB bool) {
		version := "9.7.0"
		if mariaDB {
			version = "10.11.6-MariaDB"
		}
		packets := [][]byte{append([]byte{0, semiSyncMagic, 0}, madeFormat(version)...)}
		for len(in) >= 2 {
			n := min(int(in[1]), len(in)-2)
			packets = append(packets, append([]byte{0, semiSyncMagic, in[0] >> 7}, made(event.Type(in[0]), 0, in[2:2+n])...))
			in = in[2+n:]
		}
		relayOnce(t, framed(packets...), seed)
	})
}

// relayOnce relays a stream to its end and looks at what the sink has then.
func relayOnce(t *testing.T, in []byte, seed uint64) {
	t.Helper()
	m := newMemory(cluster.FlavourMySQL)
	conn := &pieces{rest: in, random: rand.New(rand.NewPCG(seed, 0))}
	s := &stream{
		frames: newFrames(conn, time.Second, 1<<20), sink: m, board: &board{}, have: m.Executed(),
		semiSync: true, opened: func() {}, bared: func(bool) {}, backoff: &backoff{},
	}
	err := s.run()
	if m.executed == nil {
		return // another flavour's GTIDs, which the judgement of the server keeps out
	}
	if err == nil || errors.Is(err, errSinkMisused) {
		t.Fatalf("got %v", err)
	}
	if !m.open.IsZero() || len(m.pending) > 0 {
		t.Fatalf("left open %s, not durable %v after %v", m.open, m.pending, err)
	}
}

// FuzzFrames: whatever arrives, frames neither panics nor invents bytes.
func FuzzFrames(f *testing.F) {
	f.Add(framed(eventOf(40, 1), eventOf(20, 2)), uint64(1))
	f.Add([]byte{0xff, 0xff, 0xff, 0, 1}, uint64(2))
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		f := newFrames(&pieces{rest: in, random: rand.New(rand.NewPCG(seed, 0))}, time.Second, 1<<20)
		total := 0
		for {
			p, err := f.packet()
			if err != nil {
				break
			}
			total += wire.HeaderSize + len(p)
			if len(p) > 0 {
				_, _, _ = stripSemiSync(p[1:])
			}
		}
		if total > len(in) {
			t.Fatalf("%d bytes of %d", total, len(in))
		}
	})
}

// FuzzRotate: no bytes make it panic.
func FuzzRotate(f *testing.F) {
	f.Add([]byte(header(event.Rotate, 0, 0)))
	f.Fuzz(func(t *testing.T, in []byte) {
		e, err := event.Check(in)
		if err != nil {
			return
		}
		if p, err := parseRotate(e); err == nil && p.file == "" {
			t.Fatal("a rotate event to nowhere")
		}
	})
}

// FuzzOwned: no text makes it panic.
func FuzzOwned(f *testing.F) {
	f.Add(uuidA + ":7#31:8#32")
	f.Fuzz(func(t *testing.T, text string) { _, _ = parseOwned(text) })
}
