package relay

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open starts a relay to an echoing server; both end with the test.
func open(t *testing.T) (addr string, stop func() error) {
	t.Helper()
	server := listen(t)
	echo := make(chan struct{})
	go func() {
		defer close(echo)
		for {
			c, err := server.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(c, c)
			c.Close()
		}
	}()
	ln := listen(t)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, ln, server.Addr().String()) }()
	stop = func() error {
		cancel()
		select {
		case err := <-ended:
			ended <- err
			return err
		case <-time.After(5 * time.Second):
			t.Fatal("the relay does not end")
			return nil
		}
	}
	t.Cleanup(func() {
		_ = stop()
		server.Close()
		<-echo
	})
	return ln.Addr().String(), stop
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	return c
}

func TestBytesComeThrough(t *testing.T) {
	addr, _ := open(t)
	for _, size := range []int{1, bufferSize, bufferSize + 1} {
		c := dial(t, addr)
		sent := bytes.Repeat([]byte("x"), size)
		if _, err := c.Write(sent); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, size)
		if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%d bytes: error %v, equal %t", size, err, bytes.Equal(got, sent))
		}
		c.Close()
	}
}

func TestStopClosesConnections(t *testing.T) {
	addr, stop := open(t)
	c := dial(t, addr)
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := stop(); err != nil {
		t.Errorf("ended with %v", err)
	}
	if n, err := c.Read(make([]byte, 1)); err == nil {
		t.Errorf("read %d bytes from a relay that has ended", n)
	}
}
