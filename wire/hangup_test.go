package wire

import (
	"net"
	"sync"
	"testing"
	"time"
)

// TestExchangeSeesHangUp: a peer that hangs up just before, or while, a request is
// sent ends the wait for its answer, also where it takes the request without a word.
func TestExchangeSeesHangUp(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for round := range 600 {
		client, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		server, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		exchangeWhileHangingUp(t, NewConn(client), server.(*net.TCPConn), round)
		client.Close()
		server.Close()
		if t.Failed() {
			return
		}
	}
}

// exchangeWhileHangingUp sends a request at about the time at which the server's side
// is closed, or half closed, sooner or later by the round.
func exchangeWhileHangingUp(t *testing.T, c *Conn, server *net.TCPConn, round int) {
	t.Helper()
	var hangUp sync.WaitGroup
	defer hangUp.Wait()
	hangUp.Go(func() {
		time.Sleep(time.Duration(round%50) * time.Microsecond)
		if round%2 == 0 {
			server.CloseWrite()
		} else {
			server.Close()
		}
	})
	time.Sleep(time.Duration(round%37) * time.Microsecond)
	stuck := time.AfterFunc(10*time.Second, func() { c.Close() })
	if _, err := c.Exchange([]byte{1, 0, 0, 0, 14}); err == nil {
		t.Errorf("round %d: an answer came from nobody", round)
	}
	if !stuck.Stop() {
		t.Errorf("round %d: the end of the connection was not noticed", round)
	}
}
