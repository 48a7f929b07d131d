package cluster

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"
)

// silentServer accepts connections and never says a word, as the kernel does for
// a process that is stopped. It counts them.
func silentServer(t *testing.T) (addr string, accepted func() int) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var conns []net.Conn
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		accepting.Wait()
		for _, conn := range conns {
			_ = conn.Close()
		}
	})
	return listener.Addr().String(), func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(conns)
	}
}

func TestProbesDoNotPileUp(t *testing.T) {
	addr, accepted := silentServer(t)
	c := Default()
	c.Operator = Account{User: "op"}
	probe, err := openProber(addr, c)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if o := probe.probe(ctx); o.outcome != OutcomeTimeout || o.err == nil {
			t.Errorf("probe %d: %v, %v", i, o.outcome, o.err)
		}
		cancel()
	}
	if n := accepted(); n > mostUnderway {
		t.Errorf("%d connections to a server that does not answer", n)
	}
	begun := time.Now()
	if err := probe.close(); err != nil || time.Since(begun) > 5*time.Second {
		t.Errorf("closed after %v: %v", time.Since(begun), err)
	}
}
