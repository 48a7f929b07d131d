package acceptance

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"
)

// TestGarbageCostsOneConnection throws bytes at the proxy and wants nobody else
// to notice.
func TestGarbageCostsOneConnection(t *testing.T) {
	onEachFlavour(t, func(t *testing.T, w *world) {
		s := w.stage(t, "accjunk")
		other, err := open(w.proxy.proxyAddr, client{schema: true}, s.schema)
		if err != nil {
			t.Fatal(err)
		}
		defer other.conn.Close()
		for i, junk := range garbage() {
			if err := throw(w.proxy.proxyAddr, junk); err != nil {
				t.Errorf("garbage %d (%.20q): %v", i, junk, err)
			}
			if _, err := ask(other.conn, "SELECT 1"); err != nil {
				t.Fatalf("after garbage %d another client has: %v", i, err)
			}
		}
		if err := throwLater(w, s.schema); err != nil {
			t.Error(err)
		}
		if _, err := ask(other.conn, "SELECT 1"); err != nil {
			t.Error(err)
		}
	})
}

func garbage() [][]byte {
	random := rand.New(rand.NewPCG(7, 7))
	noise := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return b
	}
	all := [][]byte{
		{}, {0}, {0, 0, 0, 1}, {1, 0, 0, 1}, {0xff, 0xff, 0xff, 1}, {0xff, 0xff, 0xff, 0},
		[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), bytes.Repeat([]byte{0xff}, 5000), bytes.Repeat([]byte{0}, 5000),
		// A login that ends in the middle of its attributes, and one of every length up to there.
		append([]byte{0x40, 0, 0, 1, 0x85, 0xa6, 0xff, 0x01, 0, 0, 0, 1, 45}, bytes.Repeat([]byte{0}, 51)...),
	}
	login := append([]byte{0x85, 0xa6, 0xff, 0x01, 0, 0, 0, 1, 45}, make([]byte, 23)...)
	login = append(login, "app\x00\x20aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaacaching_sha2_password\x00\xfc\xff\xff\x03abc\xfe\xff"...)
	for n := 1; n < len(login); n += 5 {
		all = append(all, append([]byte{byte(n), 0, 0, 1}, login[:n]...))
	}
	for range 30 {
		n := 1 + random.IntN(300)
		all = append(all, append([]byte{byte(n), byte(n >> 8), 0, 1}, noise(n)...), noise(n))
	}
	return all
}

// throw sends bytes in place of a login and wants the proxy to hang up.
func throw(addr string, junk []byte) error {
	c, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := c.Write(junk); err != nil {
		return nil //nolint:nilerr // it has hung up already
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		return nil //nolint:nilerr // likewise
	}
	if _, err := io.Copy(io.Discard, c); err != nil {
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() { //nolint:errorlint // net returns it bare
			return fmt.Errorf("the proxy has not hung up: %w", err)
		}
	}
	return nil
}

// throwLater logs in first and then breaks the protocol.
func throwLater(w *world, schema string) error {
	for _, junk := range [][]byte{
		{}, {0x63}, {0xff}, {3}, {3, 0xff, 0xfe}, {0x17}, {0x17, 1, 0}, {0x19, 1}, {0x1c, 1, 0, 0, 0}, {0x18, 1, 2}, {0x16}, {0x11}, {0x11, 'a'},
		{0x1b}, {0x1b, 9, 9}, {2}, {2, 0}, {0x0e, 1, 2}, {4, 'x', 0}, {5}, {0x12}, {0x1e, 0, 0}, {0x0c, 1}, {0x1f, 1},
		bytes.Repeat([]byte{0x17}, 70000),
	} {
		c, err := open(w.proxy.proxyAddr, client{schema: true}, schema)
		if err != nil {
			return fmt.Errorf("log in before %.10q: %w", junk, err)
		}
		if err := c.conn.Send(junk); err != nil {
			return fmt.Errorf("send %.10q: %w", junk, err)
		}
		if tcp, ok := c.conn.Socket().(*net.TCPConn); ok {
			_ = tcp.CloseWrite()
		}
		_ = c.conn.Socket().SetDeadline(time.Now().Add(patience))
		_, err = io.Copy(io.Discard, c.conn.Socket())
		c.conn.Close()
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() { //nolint:errorlint // net returns it bare
			return fmt.Errorf("after %.10q the proxy has not hung up: %w", junk, err)
		}
	}
	return nil
}
