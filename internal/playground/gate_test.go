package playground

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"
)

// A cut comes while a write is stuck because nobody reads: it must not wait for
// the reader, nothing may follow it, and the mend loses and doubles nothing.
func TestGateInterruptsAStuckWrite(t *testing.T) {
	writer, reader := connected(t)
	sent := numbered(8 << 20) // more than the kernel keeps for both
	g := newGate()
	written := inBackground(func() error { return g.write(writer, sent) })
	stillHeld(t, written)
	ended(t, inBackground(func() error { g.block(); return nil }))

	early := untilQuiet(t, reader)
	stillHeld(t, written)
	g.unblock()
	late := make([]byte, len(sent)-len(early))
	ok(t, reader.SetReadDeadline(time.Now().Add(patience)))
	_, err := io.ReadFull(reader, late)
	ok(t, err)
	ended(t, written)
	if !bytes.Equal(append(early, late...), sent) {
		t.Error("other bytes arrived than were sent")
	}
}

// connected is both ends of one TCP connection.
func connected(t *testing.T) (client, server *net.TCPConn) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	defer func() { _ = listener.Close() }()
	dialed, err := net.Dial("tcp", listener.Addr().String())
	ok(t, err)
	accepted, err := listener.Accept()
	ok(t, err)
	t.Cleanup(func() { _, _ = dialed.Close(), accepted.Close() })
	return dialed.(*net.TCPConn), accepted.(*net.TCPConn)
}

// numbered has no two equal stretches near one another, so that what is lost or
// doubled shows.
func numbered(size int) []byte {
	text := make([]byte, size)
	for i := range text {
		text[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return text
}

// untilQuiet reads what has been sent and wants nothing after it.
func untilQuiet(t *testing.T, conn *net.TCPConn) []byte {
	t.Helper()
	var got []byte
	chunk := make([]byte, 1<<20)
	for {
		ok(t, conn.SetReadDeadline(time.Now().Add(150*time.Millisecond)))
		n, err := conn.Read(chunk)
		got = append(got, chunk[:n]...)
		if err, is := err.(net.Error); is && err.Timeout() {
			return got
		}
		ok(t, err)
	}
}
