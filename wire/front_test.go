package wire_test

import (
	"crypto/rsa"
	"crypto/tls"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/internal/fakemysql"
	"github.com/bellwether-db/bellwether/wire"
)

// The accounts of the server that real clients log in on.
const (
	clientUser     = "app"
	nativeUser     = "old"
	emptyUser      = "open"
	clientPassword = "pass word'é"
)

var passwords = map[string]string{clientUser: clientPassword, nativeUser: "native", emptyUser: ""}

// front is a server for real clients: Accept, a judge in place of a node, and
// one answer to every query. It remembers who has logged in.
type front struct {
	t       *testing.T
	ln      net.Listener
	tls     *tls.Config
	rsa     *rsa.PrivateKey
	ask     bool // every fast client for its password
	decide  func(*wire.Login) *wire.ServerError
	running sync.WaitGroup

	mu    sync.Mutex
	known map[string]wire.Account
	login string // how the last went: fast, full, native or empty, +tls
	asked int
}

func newFront(t *testing.T) *front {
	t.Helper()
	cert, key, err := wire.LoadOrMakeCertificate(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &front{t: t, ln: ln, rsa: key, tls: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}}
	f.decide = f.judge
	f.forget()
	f.running.Go(f.accept)
	t.Cleanup(func() {
		_ = ln.Close()
		f.running.Wait()
	})
	return f
}

// forget leaves only what is configured.
func (f *front) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	hash := wire.PasswordSecret(passwords[nativeUser]).NativeHash()
	f.known = map[string]wire.Account{nativeUser: {NativeHash: hash[:]}}
}

func (f *front) last() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.login
}

// Account says what is known of a user.
func (f *front) Account(user string) (wire.Account, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a, ok := f.known[user]
	return a, ok
}

func (f *front) accept() {
	for {
		nc, err := f.ln.Accept()
		if err != nil {
			return
		}
		f.running.Go(func() {
			defer nc.Close()
			_ = nc.SetDeadline(time.Now().Add(time.Minute))
			f.serve(wire.NewConn(nc))
		})
	}
}

func (f *front) serve(c *wire.Conn) {
	l, err := wire.Accept(c, &wire.Greeting{
		Version: "9.7.0-wire", ConnectionID: 1, Capabilities: wire.Offered, Collation: 255,
		Status: wire.StatusAutocommit, TLS: f.tls, RSA: f.rsa, Accounts: f,
	})
	if err != nil {
		return // the client says why
	}
	if f.asks() && l.Fast() {
		if err := l.AskPassword(); err != nil {
			f.t.Errorf("ask: %v", err)
			return
		}
		f.note(func() { f.asked++ })
	}
	f.mu.Lock()
	decide := f.decide
	f.mu.Unlock()
	if verdict := decide(l); verdict != nil {
		_ = l.Fail(verdict)
		return
	}
	if err := l.Succeed(wire.OK{Status: wire.StatusAutocommit}); err != nil {
		f.t.Errorf("succeed: %v", err)
		return
	}
	f.answer(&fakemysql.Conn{Conn: c, Capabilities: l.Capabilities, Status: wire.StatusAutocommit})
}

func (f *front) answer(c *fakemysql.Conn) {
	_ = fakemysql.Answer(func(command wire.Command, query string) fakemysql.Step {
		switch {
		case command == wire.ComQuery && query == "SELECT 'hello'":
			return fakemysql.SendRows([]string{"hello"}, []string{"hello"})
		case command == wire.ComQuery && strings.Contains(query, "$$"): // mysql 9 tries whether it is an error
			return fakemysql.SendError(1054, "42S22", "Unknown column '$$' in 'field list'")
		}
		return nil
	})(c)
}

// judge is the node: it knows all passwords. What it has judged is remembered.
func (f *front) judge(l *wire.Login) *wire.ServerError {
	password, exists := passwords[l.User]
	right := exists && l.Secret.Same(wire.PasswordSecret(password))
	f.note(func() { f.login = how(l) })
	if !right {
		return l.AccessDenied()
	}
	if l.User == clientUser {
		f.remember(l)
	}
	return nil
}

// remember keeps what is needed for the fast path, on both sides.
func (f *front) remember(l *wire.Login) {
	v := l.Secret.Verifier()
	f.note(func() { f.known[l.User] = wire.Account{Verifier: v[:], Known: l.Secret.WithoutPassword()} })
}

func (f *front) asks() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ask
}

func (f *front) note(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func how(l *wire.Login) string {
	kind := "native"
	if password, known := l.Secret.Password(); known && password == "" {
		kind = "empty"
	} else if known {
		kind = "full"
	} else if l.Fast() {
		kind = "fast"
	}
	if l.Secure {
		kind += "+tls"
	}
	return kind
}
