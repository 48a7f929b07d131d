package wire

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"
)

// deafConn is a peer that says what it was given, whatever it hears, and leaves.
type deafConn struct {
	says io.Reader
}

var _ net.Conn = (*deafConn)(nil)

func (d *deafConn) Read(b []byte) (int, error)       { return d.says.Read(b) }
func (d *deafConn) Write(b []byte) (int, error)      { return len(b), nil }
func (d *deafConn) Close() error                     { return nil }
func (d *deafConn) LocalAddr() net.Addr              { return nil }
func (d *deafConn) RemoteAddr() net.Addr             { return nil }
func (d *deafConn) SetDeadline(time.Time) error      { return nil }
func (d *deafConn) SetReadDeadline(time.Time) error  { return nil }
func (d *deafConn) SetWriteDeadline(time.Time) error { return nil }

// frames joins payloads into one peer's side of an exchange: every other packet
// is its own, from first.
func frames(first byte, payloads ...[]byte) (all []byte) {
	for i, p := range payloads {
		n := len(p)
		all = append(all, byte(n), byte(n>>8), byte(n>>16), first+2*byte(i))
		all = append(all, p...)
	}
	return all
}

// FuzzAccept: whatever a client sends, Accept comes back, and nothing panics.
func FuzzAccept(f *testing.F) {
	resp := &response41{capabilities: Offered, user: "app", auth: make([]byte, 32), database: "d", plugin: pluginSHA2,
		attributes: map[string]string{"a": "b"}}
	known := appendResponse(nil, resp)
	f.Add(frames(1, known, []byte{sha2RequestKey}, make([]byte, 256)))
	f.Add(frames(1, known, []byte("password\x00")))
	resp.user, resp.plugin = "old", pluginNative
	f.Add(frames(1, appendResponse(nil, resp), make([]byte, 20), []byte{sha2RequestKey}))
	resp.auth = nil
	f.Add(frames(1, appendResponse(nil, resp), make([]byte, 20)))
	resp.plugin = "mysql_clear_password"
	f.Add(frames(1, appendResponse(nil, resp), make([]byte, 32), make([]byte, 256)))
	f.Add(append(frames(1, appendSSLRequest(nil, resp)), 0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0))
	f.Add(append(known[:0:0], 0xff, 0xff, 0xff, 1, 2, 3))
	g := *testIdentity()
	g.Accounts = accounts{"app": {Verifier: verifierOf("pw")}, "old": {NativeHash: nativeHashOf("pw")}, "odd": {Verifier: []byte{1}, NativeHash: []byte{}}}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := NewConn(&deafConn{says: bytes.NewReader(data)})
		l, err := Accept(c, &g)
		if (l == nil) == (err == nil) {
			t.Fatalf("login %v, error %v", l, err)
		}
		if err == nil {
			_ = l.AskPassword()
			_ = l.Succeed(OK{})
			_ = l.Fail(l.AccessDenied())
		}
		c.ResetSequence()
		payload, _ := c.ReadPacket()
		_, _ = AcceptChangeUser(c, &g, payload)
	})
}

// FuzzDial: whatever a node sends, the login comes back, and nothing panics.
func FuzzDial(f *testing.F) {
	hello := appendHello(nil, &helloV10{version: "5.5.5-10.11-MariaDB", threadID: 1, capabilities: Offered &^ ClientSSL,
		nonce: newNonce(), plugin: pluginSHA2})
	ok := AppendOK(nil, HeaderOK, ClientSessionTrack, &OK{Status: 2})
	text, err := publicKeyPEM(testIdentity().RSA)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(frames(0, hello, ok))
	f.Add(frames(0, hello, []byte{authMoreData, sha2FullRequired}, append([]byte{authMoreData}, text...), ok))
	f.Add(frames(0, hello, appendAuthSwitch(nil, pluginNative, newNonce()), ok))
	f.Add(frames(0, hello, appendAuthSwitch(nil, "mysql_clear_password", nil), ok))
	f.Add(frames(0, hello, appendAuthSwitch(nil, pluginSHA256, newNonce()), append([]byte{authMoreData}, text...), ok))
	f.Add(frames(0, hello, AppendError(nil, &ServerError{Code: 1045, State: "28000"})))
	f.Add(frames(0, AppendError(nil, &ServerError{Code: 1040})))
	hello[len("\x0a5.5.5-10.11-MariaDB\x00")+4+8+1+1] |= byte(ClientSSL >> 8)
	f.Add(append(frames(0, hello), 0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0))
	secrets := []Secret{PasswordSecret("pw"), SHA256Secret([32]byte{1}), SHA1Secret([20]byte{1}), PasswordSecret(""), {}}
	f.Fuzz(func(t *testing.T, data []byte) {
		for i, secret := range secrets {
			cfg := &DialConfig{User: "u", Secret: secret, TLS: TLSMode(i), Capabilities: Offered}
			c, h, err := login(context.Background(), &deafConn{says: bytes.NewReader(data)}, cfg)
			if (c == nil || h == nil) != (err != nil) {
				t.Fatalf("conn %v, hello %v, error %v", c, h, err)
			}
		}
	})
}
