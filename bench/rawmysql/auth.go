package rawmysql

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" // mysql_native_password and MySQL's OAEP are defined over it
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

const (
	pluginNative = "mysql_native_password"
	pluginSHA2   = "caching_sha2_password"

	sha2FastOK     = 3
	sha2Full       = 4
	sha2RequestKey = 2
)

// exchange is the talk from the client's response to the final OK.
type exchange struct {
	conn     *Conn
	password string
	plugin   string
	nonce    [nonceSize]byte
}

// run answers what the server asks until it says OK or refuses.
func (a *exchange) run() error {
	for {
		p, err := a.conn.read()
		if err != nil {
			return fmt.Errorf("read login answer: %w", err)
		}
		if len(p) == 0 {
			return fmt.Errorf("empty login answer: %w", ErrProtocol)
		}
		switch p[0] {
		case headerOK:
			a.conn.info.Plugin = a.plugin
			return nil
		case headerError:
			return parseError(p)
		case headerEOF:
			err = a.switchPlugin(p[1:])
		case headerMore:
			err = a.more(p[1:])
		default:
			err = fmt.Errorf("login answer %#x: %w", p[0], ErrProtocol)
		}
		if err != nil {
			return err
		}
	}
}

// switchPlugin answers an AuthSwitchRequest.
func (a *exchange) switchPlugin(p []byte) error {
	name, nonce, _ := bytes.Cut(p, []byte{0})
	a.plugin = string(name)
	if a.plugin != pluginNative && a.plugin != pluginSHA2 {
		return fmt.Errorf("authentication plugin %q: %w", a.plugin, ErrProtocol)
	}
	copy(a.nonce[:], nonce)
	a.conn.begin()
	a.conn.out = append(a.conn.out, a.scramble()...)
	return a.conn.send()
}

// more answers an AuthMoreData packet of caching_sha2_password: the fast path
// is done, or the whole password is wanted, or the RSA key has come.
func (a *exchange) more(p []byte) error {
	switch {
	case len(p) == 1 && p[0] == sha2FastOK:
		return nil
	case len(p) == 1 && p[0] == sha2Full:
		a.conn.info.FullAuth = true
		a.conn.begin()
		a.conn.out = append(a.conn.out, sha2RequestKey)
		return a.conn.send()
	default:
		return a.sendEncrypted(p)
	}
}

// sendEncrypted sends the password, XORed with the nonce, under the server's
// RSA key (PEM).
func (a *exchange) sendEncrypted(keyPEM []byte) error {
	key, err := parseKey(keyPEM)
	if err != nil {
		return err
	}
	plain := append([]byte(a.password), 0)
	for i := range plain {
		plain[i] ^= a.nonce[i%nonceSize]
	}
	sealed, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, key, plain, nil)
	if err != nil {
		return fmt.Errorf("encrypt password: %w", err)
	}
	a.conn.begin()
	a.conn.out = append(a.conn.out, sealed...)
	return a.conn.send()
}

func parseKey(keyPEM []byte) (*rsa.PublicKey, error) {
	block, _ := pem.Decode(keyPEM)
	if block == nil {
		return nil, fmt.Errorf("no RSA key in %d bytes: %w", len(keyPEM), ErrProtocol)
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("parse server key: %w", err)
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("server key is %T: %w", parsed, ErrProtocol)
	}
	return key, nil
}

// scramble proves the password for the plugin and nonce at hand; an empty
// password is proven by nothing.
func (a *exchange) scramble() []byte {
	if a.password == "" {
		return nil
	}
	if a.plugin == pluginNative {
		return nativeScramble(a.password, a.nonce[:])
	}
	return sha2Scramble(a.password, a.nonce[:])
}

// nativeScramble is SHA1(password) XOR SHA1(nonce + SHA1(SHA1(password))).
func nativeScramble(password string, nonce []byte) []byte {
	once := sha1.Sum([]byte(password))
	twice := sha1.Sum(once[:])
	mask := sha1.Sum(append(append([]byte(nil), nonce...), twice[:]...))
	return xor(once[:], mask[:])
}

// sha2Scramble is SHA256(password) XOR SHA256(SHA256(SHA256(password)) + nonce).
func sha2Scramble(password string, nonce []byte) []byte {
	once := sha256.Sum256([]byte(password))
	twice := sha256.Sum256(once[:])
	mask := sha256.Sum256(append(twice[:], nonce...))
	return xor(once[:], mask[:])
}

func xor(a, b []byte) []byte {
	out := make([]byte, len(a))
	for i := range a {
		out[i] = a[i] ^ b[i]
	}
	return out
}
