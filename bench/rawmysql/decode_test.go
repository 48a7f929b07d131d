package rawmysql

import (
	"errors"
	"net"
	"testing"
	"time"
)

// Whatever a server sends, reading it ends with an answer or an error.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte{7, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0})
	f.Add([]byte{1, 0, 0, 1, 1, 1, 0, 0, 2, 3, 2, 0, 0, 3, 1, 'x', 5, 0, 0, 4, 0xfe, 0, 0, 2, 0})
	f.Add([]byte{9, 0, 0, 1, 0xff, 0x15, 4, '#', '2', '8', '0', '0', '0'})
	f.Add([]byte{0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, answer []byte) {
		c := scripted(t, answer)
		if _, err := c.Query([]byte("SELECT 1")); err == nil && len(answer) == 0 {
			t.Error("an answer out of nothing")
		}
	})
}

// scripted is a connection whose server says what is given and hangs up.
func scripted(t *testing.T, says []byte) *Conn {
	t.Helper()
	near, far := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = far.Read(make([]byte, 1024))
		_, _ = far.Write(says)
		far.Close()
	}()
	t.Cleanup(func() {
		near.Close()
		<-done
	})
	_ = near.SetDeadline(time.Now().Add(5 * time.Second))
	return &Conn{nc: near, in: make([]byte, 16)}
}

func FuzzGreeting(f *testing.F) {
	f.Add([]byte("\x0a9.7.0\x00\x01\x00\x00\x0012345678\x00\xff\xff\xff\x02\x00\xff\xdf\x15\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00123456789012\x00caching_sha2_password\x00"))
	f.Add([]byte{0xff, 0x10, 4, 'T'})
	f.Fuzz(func(t *testing.T, payload []byte) {
		g, err := parseGreeting(payload)
		if (g == nil) == (err == nil) {
			t.Errorf("greeting %v with error %v", g, err)
		}
	})
}

func TestWrongPacketNumberIsAnError(t *testing.T) {
	c := scripted(t, []byte{7, 0, 0, 5, 0, 0, 0, 2, 0, 0, 0})
	if _, err := c.Query([]byte("SELECT 1")); !errors.Is(err, ErrProtocol) {
		t.Errorf("error %v, want one of the protocol", err)
	}
}
