package wire

import (
	"encoding/binary"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestRefusals: clients that cannot be served hear why, in a server's words.
func TestRefusals(t *testing.T) {
	old := &response41{capabilities: ClientProtocol41 | ClientSecureConnection, user: "u", auth: make([]byte, 20)}
	before41 := appendResponse(nil, old)
	binary.LittleEndian.PutUint32(before41, uint32(ClientLongPassword))
	short := &response41{capabilities: Offered &^ ClientSSL, user: "u", auth: make([]byte, 31), plugin: pluginSHA2}
	full := &response41{capabilities: Offered &^ ClientSSL, user: "u", auth: make([]byte, 32), plugin: pluginSHA2}
	attributes := appendResponse(nil, full)
	for name, tc := range map[string]struct {
		payloads [][]byte
		code     uint16
	}{
		"empty":                    {[][]byte{{}}, CodeHandshakeError},
		"before 4.1":               {[][]byte{before41}, CodeHandshakeError},
		"cut in its attributes":    {[][]byte{append(attributes[:len(attributes)-1:len(attributes)-1], 9, 1, 'a')}, CodeHandshakeError},
		"cut after the flags":      {[][]byte{attributes[:6]}, CodeHandshakeError},
		"no plugins":               {[][]byte{appendResponse(nil, old)}, 1251},
		"scramble of a wrong size": {[][]byte{appendResponse(nil, short)}, CodeAccessDenied},
		"clear password, no TLS":   {[][]byte{appendResponse(nil, full), []byte("password\x00")}, CodeAccessDenied},
		"rubbish for the key":      {[][]byte{appendResponse(nil, full), {sha2RequestKey}, make([]byte, 256)}, CodeAccessDenied},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := tcpPair(t)
			if _, err := client.Write(frames(1, tc.payloads...)); err != nil {
				t.Fatal(err)
			}
			l, err := Accept(NewConn(server), testIdentity())
			var told *ServerError
			if l != nil || !errors.Is(err, ErrRefused) || !errors.As(err, &told) || told.Code != tc.code {
				t.Fatalf("%v, want code %d", err, tc.code)
			}
			_ = server.(*net.TCPConn).CloseWrite()
			if heard := lastError(t, NewConn(client)); heard.Code != tc.code {
				t.Errorf("client heard %v", heard)
			}
		})
	}
}

// lastError reads until an ERR packet.
func lastError(t *testing.T, c *Conn) *ServerError {
	t.Helper()
	for {
		p, err := c.ReadPacket()
		if err != nil {
			t.Fatal(err)
		}
		c.seq++ // the client's own packet
		if IsError(p) {
			e, err := ParseError(p)
			if err != nil {
				t.Fatal(err)
			}
			return e
		}
	}
}

// TestHandshakeIsBounded: a packet that no handshake has is not read at all.
func TestHandshakeIsBounded(t *testing.T) {
	client, server := tcpPair(t)
	if _, err := client.Write([]byte{0xff, 0xff, 0xfe, 1}); err != nil {
		t.Fatal(err)
	}
	c := NewConn(server)
	if _, err := Accept(c, testIdentity()); !errors.Is(err, ErrPacketTooLarge) {
		t.Fatal(err)
	}
	if c.max != DefaultMaxPacket {
		t.Errorf("limit left at %d", c.max)
	}
}

func TestAttributesAreBounded(t *testing.T) {
	many := make(map[string]string)
	for i := range 60 {
		many[strings.Repeat("n", i+1)] = strings.Repeat("v", 500)
	}
	r := reader{rest: appendAttributes(nil, many)}
	kept := 0
	for name, value := range parseAttributes(&r) {
		kept += len(name) + len(value)
	}
	if r.bad || kept == 0 || kept > maxAttributeBytes {
		t.Errorf("kept %d bytes, malformed %v", kept, r.bad)
	}
}

// joinWrites sends its first write together with its second: the SSLRequest with
// the ClientHello.
type joinWrites struct {
	net.Conn
	writes int
	held   []byte
}

func (j *joinWrites) Write(b []byte) (int, error) {
	if j.writes++; j.writes == 1 {
		j.held = append(j.held, b...)
		return len(b), nil
	}
	_, err := j.Conn.Write(append(j.held, b...))
	j.held = nil
	return len(b), err
}

func TestClientHelloBehindSSLRequest(t *testing.T) {
	client, server := tcpPair(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		cfg := &DialConfig{User: "u", Secret: PasswordSecret("pw"), TLS: TLSRequired}
		if _, _, err := login(t.Context(), &joinWrites{Conn: client}, cfg); err != nil {
			t.Error(err)
		}
	})
	l, err := Accept(NewConn(server), testIdentity())
	if err != nil {
		t.Fatal(err)
	}
	if password, _ := l.Secret.Password(); password != "pw" || !l.Secure {
		t.Errorf("password %q, secure %v", password, l.Secure)
	}
	if err := l.Succeed(OK{}); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
}

// TestUnixSocket: nobody listens there, so the password goes in clear.
func TestUnixSocket(t *testing.T) {
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	g := *testIdentity()
	g.RSA, g.TLS = nil, nil
	var wg sync.WaitGroup
	wg.Go(func() {
		nc, err := ln.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		defer nc.Close()
		_ = nc.SetDeadline(time.Now().Add(time.Minute))
		l, err := Accept(NewConn(nc), &g)
		if err != nil {
			t.Error(err)
			return
		}
		if password, _ := l.Secret.Password(); password != "pw" || l.Secure || !strings.Contains(l.AccessDenied().Message, "'u'@'localhost'") {
			t.Errorf("password %q, secure %v", password, l.Secure)
		}
		_ = l.Fail(l.AccessDenied())
	})
	cfg := &DialConfig{Network: "unix", Addr: ln.Addr().String(), User: "u", Secret: PasswordSecret("pw"), Timeout: time.Minute}
	_, _, err = Dial(t.Context(), cfg)
	checkDial(t, err, &ServerError{Code: CodeAccessDenied})
	wg.Wait()
}

// TestDialRefuses what no node should do.
func TestDialRefuses(t *testing.T) {
	hello := func(caps Capability) []byte {
		return appendHello(nil, &helloV10{version: "9", capabilities: caps, nonce: newNonce(), plugin: pluginSHA2})
	}
	more := []byte{authMoreData, sha2FastSuccess}
	for name, tc := range map[string]struct {
		payloads [][]byte
		want     error
	}{
		"clear password":    {[][]byte{hello(Offered), appendAuthSwitch(nil, "mysql_clear_password", nil)}, ErrAuthPlugin},
		"passwords of old":  {[][]byte{hello(Offered), {HeaderEOF}}, ErrMalformed},
		"never ends":        {append([][]byte{hello(Offered)}, more, more, more, more, more, more, more, more), ErrMalformed},
		"protocol 9":        {[][]byte{{9, '3', 0}}, ErrMalformed},
		"nothing":           {[][]byte{{}}, ErrMalformed},
		"a key of rubbish":  {[][]byte{hello(Offered), {authMoreData, sha2FullRequired}, {authMoreData, 'x'}}, ErrMalformed},
		"a result at login": {[][]byte{hello(Offered), {1}}, ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := tcpPair(t)
			// A node that talks without listening: its numbers are made to fit.
			all := frames(0, tc.payloads...)
			if name == "never ends" {
				all = inARow(tc.payloads)
			}
			if _, err := server.Write(all); err != nil {
				t.Fatal(err)
			}
			_, _, err := login(t.Context(), client, &DialConfig{User: "u", Secret: PasswordSecret("pw")})
			if !errors.Is(err, tc.want) {
				t.Fatalf("%v, want %v", err, tc.want)
			}
		})
	}
	lacking := frames(0, hello(Offered&^ClientPluginAuth))
	client, server := tcpPair(t)
	if _, err := server.Write(lacking); err != nil {
		t.Fatal(err)
	}
	_, _, err := login(t.Context(), client, &DialConfig{User: "u", Secret: PasswordSecret("pw")})
	if err == nil || !strings.Contains(err.Error(), "PLUGIN_AUTH") {
		t.Fatal(err)
	}
}

// inARow frames a greeting and then packets that nobody answers.
func inARow(payloads [][]byte) []byte {
	all := frames(0, payloads[0])
	for i, p := range payloads[1:] {
		all = append(all, frames(byte(i+2), p)...)
	}
	return all
}
