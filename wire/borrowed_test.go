package wire

import (
	"bytes"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
)

// TestLoginLeavesBuffersAlone: while a client makes up its password, its login
// has no buffer. What it was read into is another connection's by then, and the
// end of the login must not touch it.
func TestLoginLeavesBuffersAlone(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // one pool
	for range 100 {                                 // the race detector's pools lose buffers on purpose
		if loginWithBufferTaken(t) {
			return
		}
	}
	t.Fatal("the buffer of the request for the key never came back to the pool")
}

// loginWithBufferTaken reports whether it got hold of the buffer.
func loginWithBufferTaken(t *testing.T) bool {
	t.Helper()
	client, server := tcpPair(t)
	login := &Login{conn: NewConn(server), rsa: testIdentity().RSA, nonce: newNonce()}
	var wg sync.WaitGroup
	wg.Go(func() { _ = login.full(&Account{}) })
	defer wg.Wait()
	defer client.Close()
	request := []byte{1, 0, 0, 1, sha2RequestKey}
	answer(t, client, request)
	taken := takeWith(request)
	if taken == nil {
		return false
	}
	for i := range taken {
		taken[i] = 0xff
	}
	answer(t, client, append([]byte{0, 1, 0, 3}, make([]byte, 256)...))
	wg.Wait() // it is refused
	if i := bytes.IndexByte(taken, 0); i >= 0 {
		t.Errorf("byte %d of another connection's buffer was overwritten", i)
	}
	return true
}

// answer reads one packet and sends a frame.
func answer(t *testing.T, c net.Conn, frame []byte) {
	t.Helper()
	head := make([]byte, HeaderSize)
	if _, err := io.ReadFull(c, head); err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, c, int64(head[0])|int64(head[1])<<8); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(frame); err != nil {
		t.Fatal(err)
	}
}

// takeWith returns the pool's buffer that begins with some bytes, nil where it
// does not come.
func takeWith(begin []byte) []byte {
	for range 100 {
		runtime.Gosched()
		if b := takeBuffer(smallBuffer); bytes.HasPrefix(b, begin) {
			return b
		}
	}
	return nil
}
