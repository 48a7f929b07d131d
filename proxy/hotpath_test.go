//go:build !race

// The race detector makes sync.Pool forget at random, so that allocations are
// counted without it; make test runs these tests in a second pass.

package proxy

import (
	"encoding/binary"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/internal/fakemysql"
	"github.com/bellwether-db/bellwether/wire"
)

// The statement and the answer of the tests here: a point select of one row.
const pointSelect = "SELECT name FROM item WHERE id = 4711"

// swiftNode answers point selects without allocating, so that what is counted
// is the proxy's own.
func swiftNode(n *node) func(*fakemysql.Conn) error {
	ordinary := n.handler()
	return func(c *fakemysql.Conn) error {
		answer := pointAnswer(c.Capabilities)
		return swift(c, answer, ordinary)
	}
}

func swift(c *fakemysql.Conn, answer []byte, _ func(*fakemysql.Conn) error) error {
	for {
		_, payload, err := c.ReadCommand()
		if err != nil {
			return err
		}
		switch {
		case len(payload) > 1 && payload[0] == byte(wire.ComQuery) && string(payload[1:7]) == "SELECT" && payload[8] != 'C':
			err = c.Conn.Send(answer)
		case len(payload) > 1 && string(payload[1:]) == "SELECT CURRENT_USER()":
			c.ExpectAnswer()
			err = c.Rows([]string{"u"}, []string{"app@%"})
		case payload[0] == byte(wire.ComQuit):
			return io.EOF
		default:
			c.ExpectAnswer()
			err = c.OK(wire.OK{})
		}
		if err != nil {
			return err
		}
	}
}

// pointAnswer is the whole answer, framed.
func pointAnswer(caps wire.Capability) []byte {
	var b []byte
	seq := byte(1)
	frame := func(p []byte) {
		b = append(b, byte(len(p)), byte(len(p)>>8), byte(len(p)>>16), seq)
		b = append(b, p...)
		seq++
	}
	frame([]byte{1})
	frame(wire.AppendColumn(nil, &wire.Column{Name: "name", Type: wire.TypeVarString, Collation: 45}))
	if !caps.Has(wire.ClientDeprecateEOF) {
		frame(wire.AppendEOF(nil, wire.EOF{Status: wire.StatusAutocommit}))
	}
	frame(wire.AppendTextRow(nil, []byte("bell")))
	if caps.Has(wire.ClientDeprecateEOF) {
		frame(wire.AppendOK(nil, wire.HeaderEOF, caps, &wire.OK{Status: wire.StatusAutocommit}))
	} else {
		frame(wire.AppendEOF(nil, wire.EOF{Status: wire.StatusAutocommit}))
	}
	return b
}

// pointClient sends the statement and reads the answer without allocating.
type pointClient struct {
	nc      io.ReadWriter
	request []byte
	buffer  []byte
	size    int
}

func newPointClient(t testing.TB, h *house) *pointClient {
	c := h.client(t)
	if got := c.query(pointSelect); got != "bell" {
		t.Fatalf("answer %q, want bell", got)
	}
	request := binary.LittleEndian.AppendUint32(nil, uint32(len(pointSelect)+1))
	request = append(append(request, byte(wire.ComQuery)), pointSelect...)
	return &pointClient{nc: c.conn.NetConn().(io.ReadWriter), request: request, buffer: make([]byte, 4096),
		size: len(pointAnswer(wire.ClientDeprecateEOF))}
}

func (c *pointClient) once(t testing.TB) {
	if _, err := c.nc.Write(c.request); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c.nc, c.buffer[:c.size]); err != nil {
		t.Fatal(err)
	}
}

// A statement through the warm proxy allocates nothing.
func TestStatementAllocatesNothing(t *testing.T) {
	h := newHouse(t, nil, swiftNode(&node{name: "node1"}), swiftNode(&node{name: "node2"}))
	c := newPointClient(t, h)
	for range 200 {
		c.once(t)
	}
	if got := testing.AllocsPerRun(2000, func() { c.once(t) }); got >= 1 {
		t.Errorf("%.2f allocations a statement, want none", got)
	}
}

func BenchmarkPointSelect(b *testing.B) {
	h := newHouse(b, nil, swiftNode(&node{name: "node1"}), swiftNode(&node{name: "node2"}))
	c := newPointClient(b, h)
	b.ReportAllocs()
	before := processor()
	for b.Loop() {
		c.once(b)
	}
	b.ReportMetric(float64(processor()-before)/float64(b.N), "cpu-ns/op")
}

// processor is the processor time that this process has used.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkTally measures what a statement costs that is counted and shown, of
// what BenchmarkPointSelect measures (there with the client's and the node's own).
func BenchmarkTally(b *testing.B) {
	h := newHouse(b, nil, swiftNode(&node{name: "node1"}))
	x := &session{server: h.server, id: 1}
	r := &request{payload: append([]byte{byte(wire.ComQuery)}, pointSelect...), answer: wire.AnswerQuery}
	r.statement = x.classify(r.payload[1:])
	b.ReportAllocs()
	before := processor()
	for b.Loop() {
		x.beginTally(r)
		x.tally.ended, x.tally.ran = x.tally.begun.Add(time.Millisecond), ranSlave
		x.answer.Rows = 1
		x.endTally(r, nil)
		x.show()
	}
	b.ReportMetric(float64(processor()-before)/float64(b.N), "cpu-ns/op")
}
