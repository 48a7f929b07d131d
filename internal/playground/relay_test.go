package playground

import (
	"context"
	"io"
	"net"
	"testing"
	"time"
)

// echo is a server that sends back what it gets.
func echo(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(conn, conn)
				_ = conn.Close()
			}()
		}
	}()
	return listener.Addr().String()
}

func running(t *testing.T, target string) *Relay {
	relay, err := NewRelay("127.0.0.1:0", target)
	ok(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := inBackground(func() error { return relay.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		ended(t, done)
	})
	return relay
}

func dial(t *testing.T, relay *Relay) *net.TCPConn {
	conn, err := net.Dial("tcp", relay.Addr())
	ok(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn)
}

// say sends a word and waits for its echo.
func say(conn net.Conn, word string) error {
	if _, err := io.WriteString(conn, word); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, make([]byte, len(word)))
	return err
}

func TestRelayHoldsWhatIsCut(t *testing.T) {
	relay := running(t, echo(t))
	conn := dial(t, relay)
	for name, cut := range map[string]func(){"both": relay.Cut, "to": relay.CutToNode, "from": relay.CutFromNode} {
		t.Run(name, func(t *testing.T) {
			ok(t, say(conn, "before"))
			cut()
			late := dial(t, relay)
			held, heldLate := inBackground(func() error { return say(conn, "held") }), inBackground(func() error { return say(late, "held") })
			stillHeld(t, held)
			stillHeld(t, heldLate)
			relay.Mend()
			ended(t, held)
			ended(t, heldLate)
		})
	}
}

func TestRelayCutsOneConnection(t *testing.T) {
	relay := running(t, echo(t))
	conn := dial(t, relay)
	ok(t, say(conn, "hello"))
	from := onlyPair(t, relay)
	other := dial(t, relay)
	relay.CutOne("127.0.0.1:1") // nobody's
	ok(t, say(conn, "still there"))
	relay.CutOne(from)
	held := inBackground(func() error { return say(conn, "held") })
	stillHeld(t, held)
	ok(t, say(other, "not concerned"))
	relay.Mend()
	ended(t, held)
}

// onlyPair is how the node knows the one connection that there is.
func onlyPair(t *testing.T, relay *Relay) string {
	t.Helper()
	relay.mu.Lock()
	defer relay.mu.Unlock()
	for from := range relay.pairs {
		return from
	}
	t.Fatal("there is no connection")
	return ""
}

func TestRelayPassesTheEndOn(t *testing.T) {
	relay := running(t, echo(t))
	conn := dial(t, relay)
	ok(t, say(conn, "hello"))
	relay.Cut()
	ok(t, conn.CloseWrite())
	atEnd := inBackground(func() error {
		_, err := io.ReadAll(conn)
		return err
	})
	stillHeld(t, atEnd)
	relay.Mend()
	ended(t, atEnd)
}

func TestRelayBreaksConnections(t *testing.T) {
	relay := running(t, echo(t))
	conn := dial(t, relay)
	ok(t, say(conn, "hello"))
	relay.Reset()
	broken(t, conn)
	ok(t, say(dial(t, relay), "again"))
}

func TestRelayWithoutTargetResets(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	ok(t, listener.Close())
	relay := running(t, listener.Addr().String())
	conn, err := net.Dial("tcp", relay.Addr())
	if err != nil {
		return // the reset came even before the dial's end
	}
	t.Cleanup(func() { _ = conn.Close() })
	broken(t, conn)
}

func TestRelayEndsWhileCut(t *testing.T) {
	relay, err := NewRelay("127.0.0.1:0", echo(t))
	ok(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := inBackground(func() error { return relay.Run(ctx) })
	conn := dial(t, relay)
	ok(t, say(conn, "hello"))
	relay.Cut()
	dial(t, relay)
	cancel()
	ended(t, done)
	broken(t, conn)
}

func broken(t *testing.T, conn net.Conn) {
	t.Helper()
	ok(t, conn.SetReadDeadline(time.Now().Add(patience)))
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Errorf("read %d bytes from a broken connection", n)
	} else if netErr, is := err.(net.Error); is && netErr.Timeout() {
		t.Error("the connection was not broken")
	}
}
