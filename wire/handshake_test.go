package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// testIdentity makes one certificate for all tests: keys are slow to make.
var testIdentity = sync.OnceValue(func() *Greeting {
	dir, err := tempDir()
	if err != nil {
		panic(err)
	}
	cert, key, err := LoadOrMakeCertificate(dir)
	if err != nil {
		panic(err)
	}
	return &Greeting{
		Version: "9.7.0-test", ConnectionID: 7, Capabilities: Offered, Collation: 255, Status: StatusAutocommit,
		TLS: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, RSA: key,
	}
})

// accounts is an AccountLookup over a map.
type accounts map[string]Account

// Account looks a user up.
func (a accounts) Account(user string) (Account, bool) {
	account, ok := a[user]
	return account, ok
}

func verifierOf(password string) []byte {
	v := PasswordSecret(password).Verifier()
	return v[:]
}

func nativeHashOf(password string) []byte {
	h := PasswordSecret(password).NativeHash()
	return h[:]
}

// tcpPair returns the two ends of a loopback connection.
func tcpPair(t *testing.T) (client, server net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err = net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err = ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for _, nc := range []net.Conn{client, server} {
		_ = nc.SetDeadline(deadline)
		t.Cleanup(func() { _ = nc.Close() })
	}
	return client, server
}

// outcome is what one handshake gave on both sides.
type outcome struct {
	login   *Login
	fast    bool
	accept  error
	ask     error
	hello   *ServerHello
	dialErr error
}

// talk lets Dial and Accept shake hands; judge runs between Accept and the OK.
func talk(t *testing.T, cfg *DialConfig, g *Greeting, judge func(*Login) error) outcome {
	t.Helper()
	client, server := tcpPair(t)
	var o outcome
	var wg sync.WaitGroup
	wg.Go(func() {
		defer server.Close()
		if o.login, o.accept = Accept(NewConn(server), g); o.accept != nil {
			return
		}
		o.fast = o.login.Fast()
		if judge != nil {
			o.ask = judge(o.login)
		}
		_ = o.login.Succeed(OK{Status: StatusAutocommit})
	})
	_, o.hello, o.dialErr = login(t.Context(), client, cfg)
	_ = client.Close()
	wg.Wait()
	return o
}

func TestHandshakes(t *testing.T) {
	const password = "s3crèt"
	sha256Only := SHA256Secret(PasswordSecret(password).sha256)
	sha1Only := SHA1Secret(PasswordSecret(password).sha1)
	remembered := accounts{"app": {Verifier: verifierOf(password)}}
	configured := accounts{"app": {NativeHash: nativeHashOf(password)}}
	hash, err := ParseSHA2Hash(sha2HashOf(password))
	if err != nil {
		t.Fatal(err)
	}
	hashed := accounts{"app": {SHA2Hash: hash}}
	for _, tc := range []struct {
		name      string
		secret    Secret
		tls       TLSMode
		accounts  accounts
		wantDial  error
		wantFast  bool
		wantKnown string // the password that Accept learns
	}{
		{"full over RSA", PasswordSecret(password), TLSOff, nil, nil, false, password},
		{"full over TLS", PasswordSecret(password), TLSRequired, nil, nil, false, password},
		{"preferred is TLS", PasswordSecret(password), TLSPreferred, nil, nil, false, password},
		{"fast", PasswordSecret(password), TLSOff, remembered, nil, true, ""},
		{"fast over TLS", PasswordSecret(password), TLSRequired, remembered, nil, true, ""},
		{"fast from a hash", sha256Only, TLSOff, remembered, nil, true, ""},
		{"changed password", PasswordSecret("new"), TLSOff, remembered, nil, false, "new"},
		{"changed password, hash only", SHA256Secret([32]byte{1}), TLSOff, remembered, ErrNeedPassword, false, ""},
		{"empty password", PasswordSecret(""), TLSOff, nil, nil, false, ""},
		{"empty password, remembered otherwise", PasswordSecret(""), TLSOff, remembered, nil, false, ""},
		{"native", sha1Only, TLSOff, configured, nil, false, ""},
		{"native, wrong", SHA1Secret([20]byte{1}), TLSOff, configured, &ServerError{Code: CodeAccessDenied}, false, ""},
		{"native, not configured", sha1Only, TLSOff, remembered, ErrNeedPassword, false, ""},
		{"configured for native, client comes with sha2", PasswordSecret(password), TLSOff, configured, nil, false, password},
		{"sha2 hash over RSA", PasswordSecret(password), TLSOff, hashed, nil, false, password},
		{"sha2 hash over TLS", PasswordSecret(password), TLSRequired, hashed, nil, false, password},
		{"sha2 hash, wrong", PasswordSecret("wrong"), TLSOff, hashed, &ServerError{Code: CodeAccessDenied}, false, ""},
		{"sha2 hash, wrong over TLS", PasswordSecret("wrong"), TLSRequired, hashed, &ServerError{Code: CodeAccessDenied}, false, ""},
		{"sha2 hash, empty", PasswordSecret(""), TLSOff, hashed, &ServerError{Code: CodeAccessDenied}, false, ""},
		{"nothing known", Secret{}, TLSOff, nil, ErrNeedPassword, false, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := *testIdentity()
			g.Accounts = tc.accounts
			cfg := &DialConfig{User: "app", Secret: tc.secret, Database: "shop", TLS: tc.tls,
				Capabilities: Offered, Collation: 45, Attributes: map[string]string{"program_name": "test"}}
			o := talk(t, cfg, &g, nil)
			checkDial(t, o.dialErr, tc.wantDial)
			if tc.wantDial != nil {
				return
			}
			if o.accept != nil {
				t.Fatal(o.accept)
			}
			l := o.login
			known, _ := l.Secret.Password()
			if o.fast != tc.wantFast || known != tc.wantKnown || l.Secure != (tc.tls > TLSOff) {
				t.Errorf("fast %v, password %q, secure %v", o.fast, known, l.Secure)
			}
			if l.User != "app" || l.Database != "shop" || l.Collation != 45 || l.Attributes["program_name"] != "test" {
				t.Errorf("login %+v", l)
			}
			if o.hello.ThreadID != 7 || o.hello.Version != "9.7.0-test" || o.hello.Status != StatusAutocommit {
				t.Errorf("hello %+v", o.hello)
			}
		})
	}
}

func checkDial(t *testing.T, got, want error) {
	t.Helper()
	var wantServer, gotServer *ServerError
	if errors.As(want, &wantServer) {
		if !errors.As(got, &gotServer) || gotServer.Code != wantServer.Code {
			t.Fatalf("dial: %v, want code %d", got, wantServer.Code)
		}
		return
	}
	if !errors.Is(got, want) {
		t.Fatalf("dial: %v, want %v", got, want)
	}
}

func TestAskPassword(t *testing.T) {
	g := *testIdentity()
	g.Accounts = accounts{
		"sha2":   {Verifier: verifierOf("pw")},
		"native": {NativeHash: nativeHashOf("pw")},
	}
	for _, tc := range []struct {
		user   string
		secret Secret
		tls    TLSMode
		ask    error
	}{
		{"sha2", PasswordSecret("pw"), TLSOff, nil},
		{"sha2", PasswordSecret("pw"), TLSRequired, nil},
		{"unknown", PasswordSecret("pw"), TLSOff, nil}, // asked already
	} {
		cfg := &DialConfig{User: tc.user, Secret: tc.secret, TLS: tc.tls}
		o := talk(t, cfg, &g, (*Login).AskPassword)
		if o.dialErr != nil || o.accept != nil || !errors.Is(o.ask, tc.ask) {
			t.Fatalf("%s: dial %v, accept %v, ask %v", tc.user, o.dialErr, o.accept, o.ask)
		}
		if pw, _ := o.login.Secret.Password(); pw != "pw" {
			t.Errorf("%s: learned %q", tc.user, pw)
		}
	}
}

// TestAskPasswordAfterNative: a client that came with mysql_native_password by
// itself can still be switched; one that was switched to it cannot.
func TestAskPasswordAfterNative(t *testing.T) {
	client, server := tcpPair(t)
	l := &Login{conn: NewConn(server), stage: stageNative, switched: true, Capabilities: Offered}
	if err := l.AskPassword(); !errors.Is(err, ErrCannotAsk) {
		t.Errorf("switched twice: %v", err)
	}
	l.switched, l.rsa = false, testIdentity().RSA
	h := &nodeHandshake{conn: NewConn(client), cfg: &DialConfig{}, secret: PasswordSecret("pw")}
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 2 {
			if _, err := h.step(); err != nil {
				t.Error(err)
			}
		}
	})
	if err := l.AskPassword(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if pw, _ := l.Secret.Password(); pw != "pw" {
		t.Errorf("learned %q", pw)
	}
}

func TestTLSRequiredButNotOffered(t *testing.T) {
	g := *testIdentity()
	g.TLS = nil
	o := talk(t, &DialConfig{User: "a", Secret: PasswordSecret("b"), TLS: TLSRequired}, &g, nil)
	if !errors.Is(o.dialErr, ErrNoTLS) {
		t.Fatal(o.dialErr)
	}
	o = talk(t, &DialConfig{User: "a", Secret: PasswordSecret("b"), TLS: TLSPreferred}, &g, nil)
	if o.dialErr != nil || o.login.Secure {
		t.Fatal(o.dialErr)
	}
}

func TestTLSVerify(t *testing.T) {
	g := testIdentity()
	o := talk(t, &DialConfig{Addr: "localhost:1", User: "a", Secret: PasswordSecret("b"), TLS: TLSVerify}, g, nil)
	if o.dialErr == nil || !strings.Contains(o.dialErr.Error(), "certificate") {
		t.Fatalf("a self-signed certificate passed: %v", o.dialErr)
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	client, _ := tcpPair(t)
	_ = client.SetDeadline(time.Time{})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, _, err := login(ctx, client, &DialConfig{User: "a", Secret: PasswordSecret("b")})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}

func TestDialHearsErrorInsteadOfGreeting(t *testing.T) {
	client, server := tcpPair(t)
	packet := AppendError(nil, &ServerError{Code: CodeTooManyConnections, State: "08004", Message: "Too many connections"})
	if err := send(NewConn(server), packet); err != nil {
		t.Fatal(err)
	}
	_, _, err := login(t.Context(), client, &DialConfig{User: "a", Secret: PasswordSecret("b")})
	checkDial(t, err, &ServerError{Code: CodeTooManyConnections})
}

func TestChangeUser(t *testing.T) {
	g := *testIdentity()
	g.Accounts = accounts{"two": {Verifier: verifierOf("pw")}}
	for _, user := range []string{"one", "two"} {
		client, server := tcpPair(t)
		payload := append([]byte{byte(ComChangeUser)}, user+"\x00\x00shop\x00\x2d\x00caching_sha2_password\x00"...)
		cc, sc := NewConn(client), NewConn(server)
		h := &nodeHandshake{conn: cc, cfg: &DialConfig{}, secret: PasswordSecret("pw"), hello: ServerHello{Capabilities: Offered}}
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := send(cc, payload); err != nil {
				t.Error(err)
			}
			for done := false; !done; {
				var err error
				if done, err = h.step(); err != nil {
					t.Error(err)
					return
				}
			}
		})
		p, err := sc.ReadPacket()
		if err != nil {
			t.Fatal(err)
		}
		l, err := AcceptChangeUser(sc, &g, p)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Succeed(OK{}); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		if l.User != user || l.Database != "shop" || l.Collation != 45 {
			t.Errorf("%+v", l)
		}
	}
}
