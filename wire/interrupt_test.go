package wire

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"
)

// TestInterruptedCommandIsNotLost: a deadline that comes while nothing, or half
// a command, has arrived leaves the connection as it was.
func TestInterruptedCommandIsNotLost(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = peer.Close() }()
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c := NewConn(nc)
	defer func() { _ = c.Close() }()
	command := []byte{5, 0, 0, 0, byte(ComQuery), 'D', 'O', ' ', '1'}
	for _, half := range []int{0, 2, 6} {
		if _, err := peer.Write(command[:half]); err != nil {
			t.Fatal(err)
		}
		_ = nc.SetReadDeadline(time.Now().Add(30 * time.Millisecond))
		if _, _, err := c.ReadCommand(); !errors.Is(err, os.ErrDeadlineExceeded) || !c.Interrupted() {
			t.Fatalf("after %d bytes: %v, interrupted %t", half, err, c.Interrupted())
		}
		_ = nc.SetReadDeadline(time.Time{})
		if _, err := peer.Write(command[half:]); err != nil {
			t.Fatal(err)
		}
		frame, payload, err := c.ReadCommand()
		if err != nil || c.Interrupted() || string(frame) != string(command) || string(payload) != string(command[4:]) {
			t.Fatalf("after %d bytes: %q %q %v", half, frame, payload, err)
		}
		c.Release()
	}
	_ = peer.Close()
	if _, _, err := c.ReadCommand(); err == nil || c.Interrupted() {
		t.Errorf("the end of the connection: %v, interrupted %t", err, c.Interrupted())
	}
}
