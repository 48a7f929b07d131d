// Package fakemysql is a scripted MySQL server for tests at the level of the
// wire: it shakes hands for real, then says what the test wrote down, and can
// break off in the middle of an answer, hang, or hang up.
package fakemysql

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/wire"
)

// The account of every fake server.
const (
	User     = "app"
	Password = "fake-password"
)

// patience bounds what a connection may wait, so that a broken test ends.
const patience = 30 * time.Second

// Server is a fake server. Its fields are set before it serves; its methods may
// be called from any goroutine.
type Server struct {
	// Version is what the server greets with.
	Version string
	// Capabilities that it offers.
	Capabilities wire.Capability
	// Refuse is sent instead of an OK at the end of the handshake, if not nil.
	Refuse *wire.ServerError

	t       testing.TB
	ln      net.Listener
	handler func(*Conn) error
	running sync.WaitGroup

	mu     sync.Mutex
	nextID uint32
	open   map[net.Conn]struct{} // nil once closed
}

// Serve starts a server on a loopback port that runs handler for each connection
// that has logged in as User with Password. It ends with the test. An error of a
// handler fails the test, unless it only says that the peer has left.
func Serve(t testing.TB, handler func(*Conn) error) *Server {
	t.Helper()
	s := New(t, handler)
	s.Start()
	return s
}

// New makes a server that listens and does not serve yet, so that its fields can
// be set; Start serves.
func New(t testing.TB, handler func(*Conn) error) *Server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	s := &Server{
		Version: "9.7.0-fake", Capabilities: wire.Offered,
		t: t, ln: ln, handler: handler, open: make(map[net.Conn]struct{}),
	}
	t.Cleanup(s.Close)
	return s
}

// Start serves until Close.
func (s *Server) Start() { s.running.Go(s.accept) }

// Addr is the server's host and port.
func (s *Server) Addr() string { return s.ln.Addr().String() }

// Dial is a configuration that logs in on the server.
func (s *Server) Dial() *wire.DialConfig {
	return &wire.DialConfig{
		Addr: s.Addr(), User: User, Secret: wire.PasswordSecret(Password), Timeout: patience,
		Capabilities: wire.Offered, Collation: wire.CollationUTF8MB4,
	}
}

// Close hangs up on everybody and waits for the handlers.
func (s *Server) Close() {
	_ = s.ln.Close()
	s.mu.Lock()
	for nc := range s.open {
		_ = nc.Close()
	}
	s.open = nil
	s.mu.Unlock()
	s.running.Wait()
}

func (s *Server) accept() {
	for {
		nc, err := s.ln.Accept()
		if err != nil {
			return
		}
		if id, ok := s.enter(nc); ok {
			s.running.Go(func() { s.serve(nc, id) })
		}
	}
}

func (s *Server) enter(nc net.Conn) (id uint32, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		_ = nc.Close()
		return 0, false
	}
	s.nextID++
	s.open[nc] = struct{}{}
	return s.nextID, true
}

func (s *Server) leave(nc net.Conn) {
	_ = nc.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, nc)
}

func (s *Server) serve(nc net.Conn, id uint32) {
	defer s.leave(nc)
	_ = nc.SetDeadline(time.Now().Add(patience))
	c, err := s.handshake(nc, id)
	if err == nil && c != nil {
		err = s.handler(c)
	}
	if err != nil && !gone(err) {
		s.t.Errorf("fake server, connection %d: %v", id, err)
	}
}

// gone reports whether an error only says that the peer has left.
func gone(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, wire.ErrRefused) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func (s *Server) handshake(nc net.Conn, id uint32) (*Conn, error) {
	c := wire.NewConn(nc)
	login, err := wire.Accept(c, &wire.Greeting{
		Version: s.Version, ConnectionID: id, Capabilities: s.Capabilities,
		Collation: uint8(wire.CollationUTF8MB4), Status: wire.StatusAutocommit, Accounts: account{},
	})
	if err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	if s.Refuse != nil {
		return nil, login.Fail(s.Refuse)
	}
	if err := login.Succeed(wire.OK{Status: wire.StatusAutocommit}); err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	return &Conn{Conn: c, ID: id, Database: login.Database, Capabilities: login.Capabilities, Status: wire.StatusAutocommit}, nil
}

// account knows the one account there is.
type account struct{}

var _ wire.AccountLookup = account{}

// Account knows User.
func (account) Account(user string) (wire.Account, bool) {
	if user != User {
		return wire.Account{}, false
	}
	v := wire.PasswordSecret(Password).Verifier()
	return wire.Account{Verifier: v[:]}, true
}
