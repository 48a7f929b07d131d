package wire

import (
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
)

// maxPasswordSize is the longest password that servers take, in bytes.
const maxPasswordSize = 256

// The bytes of caching_sha2_password's exchange.
const (
	authMoreData     = 0x01
	sha2RequestKey   = 0x02
	sha2FastSuccess  = 0x03
	sha2FullRequired = 0x04
)

// loginStage is how far the authentication of a client got.
type loginStage uint8

const (
	stageUnknown  loginStage = iota
	stageFast                // the fast path fits; the client does not know yet
	stageNative              // mysql_native_password fits; the plugin may still be switched
	stageAnswered            // nothing is left but OK or ERR
)

// String names the stage.
func (s loginStage) String() string {
	return [...]string{"unknown", "fast", "native", "answered"}[min(s, stageAnswered)]
}

// Login is a client that wants to log in: who it says it is, what is known of
// its password, and the way to tell it the outcome. One goroutine, that of the
// connection; the session drops it once Succeed was called.
type Login struct {
	User         string
	Database     string // empty: none
	Capabilities Capability
	Collation    uint16 // 0: not given (COM_CHANGE_USER only)
	MaxPacket    uint32 // what the client says it can take, in bytes
	Attributes   map[string]string
	Secure       bool   // over TLS
	Secret       Secret // what is known of the password; not judged yet

	conn     *Conn
	nonce    []byte
	rsa      *rsa.PrivateKey
	stage    loginStage
	switched bool // clients can switch plugins once
}

func newLogin(c *Conn, g *Greeting) *Login {
	_, secure := c.NetConn().(*tls.Conn)
	return &Login{conn: c, rsa: g.RSA, Secure: secure}
}

// Fast reports whether the client has shown with the fast path that it knows the
// password whose verifier is remembered, and was not asked for it.
func (l *Login) Fast() bool { return l.stage == stageFast }

// AskPassword makes the client send its password, where so far it has only shown
// that it knows it; Secret then holds it. It fails with ErrCannotAsk where the
// protocol leaves no way.
func (l *Login) AskPassword() error {
	if _, known := l.Secret.Password(); known {
		return nil
	}
	defer l.conn.SetMaxPacket(l.conn.max)
	l.conn.SetMaxPacket(maxHandshakePacket)
	switch {
	case l.stage == stageFast:
		return l.full(&Account{})
	case l.stage == stageNative && !l.switched && l.Capabilities.Has(ClientPluginAuth):
		auth, err := l.switchTo(pluginSHA2)
		if err != nil {
			return err
		}
		return l.sha2(auth, &Account{})
	}
	return ErrCannotAsk
}

// Succeed tells the client that it is logged in.
func (l *Login) Succeed(ok OK) error {
	if l.stage == stageFast {
		if err := l.conn.WritePacket([]byte{authMoreData, sha2FastSuccess}); err != nil {
			return err
		}
	}
	l.stage = stageAnswered
	return send(l.conn, AppendOK(nil, HeaderOK, l.Capabilities, &ok))
}

// Fail tells the client that it is not. The connection is to be closed then.
func (l *Login) Fail(e *ServerError) error {
	l.stage = stageAnswered
	return send(l.conn, AppendError(nil, e))
}

// AccessDenied is the error that a server would give this client for a wrong
// password.
func (l *Login) AccessDenied() *ServerError {
	using := "YES"
	if l.Secret.empty() {
		using = "NO"
	}
	return &ServerError{
		Code: CodeAccessDenied, State: "28000",
		Message: fmt.Sprintf("Access denied for user '%s'@'%s' (using password: %s)", l.User, l.host(), using),
	}
}

func (l *Login) host() string {
	addr := l.conn.NetConn().RemoteAddr()
	if addr == nil {
		return "localhost"
	}
	host, _, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "localhost"
	}
	return host
}

// authenticate takes up the client's answer to the greeting.
func (l *Login) authenticate(g *Greeting, plugin string, auth []byte) error {
	account := g.account(l.User)
	if plugin == pluginNative && account.NativeHash != nil {
		return l.native(auth, &account)
	}
	if !l.Capabilities.Has(ClientPluginAuth) {
		return refuse(l.conn, errOldClient, nil)
	}
	if plugin != pluginSHA2 {
		var err error
		if auth, err = l.switchTo(pluginSHA2); err != nil {
			return err
		}
	}
	return l.sha2(auth, &account)
}

var errOldClient = &ServerError{
	Code: 1251, State: "08004", // ER_NOT_SUPPORTED_AUTH_MODE
	Message: "Client does not support authentication protocol requested by server; consider upgrading MySQL client",
}

// reauthenticate begins anew, with a new challenge, for COM_CHANGE_USER.
func (l *Login) reauthenticate(g *Greeting, plugin string) error {
	account := g.account(l.User)
	if !l.Capabilities.Has(ClientPluginAuth) {
		return refuse(l.conn, errOldClient, nil)
	}
	if plugin == pluginNative && account.NativeHash != nil {
		return l.native(nil, &account)
	}
	auth, err := l.switchTo(pluginSHA2)
	if err != nil {
		return err
	}
	return l.sha2(auth, &account)
}

// native checks an answer of mysql_native_password. Some clients send none until
// they are asked for that plugin by name.
func (l *Login) native(auth []byte, account *Account) error {
	if len(auth) == 0 && l.Capabilities.Has(ClientPluginAuth) {
		var err error
		if auth, err = l.switchTo(pluginNative); err != nil {
			return err
		}
	}
	digest, ok := unscrambleNative(auth, l.nonce, account.NativeHash)
	if !ok {
		return l.deny(nil)
	}
	l.Secret, l.stage = SHA1Secret(digest).Join(account.Known), stageNative
	return nil
}

// sha2 takes up an answer of caching_sha2_password: no password, one that fits
// what is remembered, or any other, and then the password itself is asked for.
func (l *Login) sha2(auth []byte, account *Account) error {
	if len(auth) == 0 || len(auth) == 1 && auth[0] == 0 {
		l.Secret, l.stage = PasswordSecret(""), stageAnswered
		if account.SHA2Hash.Known() {
			return l.deny(nil)
		}
		return nil
	}
	if len(auth) != len(Secret{}.sha256) {
		return l.deny(ErrMalformed)
	}
	digest, ok := unscrambleSHA2(auth, l.nonce, account.Verifier)
	if !ok {
		return l.full(account)
	}
	l.Secret, l.stage = SHA256Secret(digest).Join(account.Known), stageFast
	return nil
}

// full asks for the password itself: in clear where nobody can listen, else
// encrypted by RSA.
func (l *Login) full(account *Account) error {
	if err := send(l.conn, []byte{authMoreData, sha2FullRequired}); err != nil {
		return fmt.Errorf("ask client for its password: %w", err)
	}
	l.stage = stageAnswered
	message, err := l.conn.ReadPacket()
	if err != nil {
		return fmt.Errorf("read client's password: %w", err)
	}
	var password string
	if private(l.conn.NetConn()) {
		password, err = terminated(message)
		clear(message) // now, while the pooled buffer that it lies in is still ours
	} else {
		password, err = l.decrypt(message)
	}
	if errors.Is(err, errPeerGone) {
		return err
	}
	if err != nil || len(password) > maxPasswordSize {
		return l.deny(err)
	}
	l.Secret = PasswordSecret(password)
	if account.SHA2Hash.Known() && !account.SHA2Hash.Matches(password) {
		return l.deny(nil)
	}
	return nil
}

// errPeerGone marks an error of the connection in the middle of an exchange.
var errPeerGone = errors.New("client left while it logged in")

// decrypt reads a password that comes encrypted, after handing out the public
// key if the client asks for it.
func (l *Login) decrypt(message []byte) (string, error) {
	if l.rsa == nil {
		return "", errors.New("no RSA key for a password without TLS")
	}
	if len(message) == 1 && message[0] == sha2RequestKey {
		text, err := publicKeyPEM(l.rsa)
		if err != nil {
			return "", err
		}
		if err := send(l.conn, append([]byte{authMoreData}, text...)); err != nil {
			return "", fmt.Errorf("%w: %w", errPeerGone, err)
		}
		if message, err = l.conn.ReadPacket(); err != nil {
			return "", fmt.Errorf("%w: %w", errPeerGone, err)
		}
	}
	return decryptPassword(message, l.nonce, l.rsa)
}

// switchTo asks the client for another plugin, with a new challenge, and returns
// its answer.
func (l *Login) switchTo(plugin string) ([]byte, error) {
	l.nonce, l.switched = newNonce(), true
	if err := send(l.conn, appendAuthSwitch(nil, plugin, l.nonce)); err != nil {
		return nil, fmt.Errorf("switch client to %s: %w", plugin, err)
	}
	auth, err := l.conn.ReadPacket()
	if err != nil {
		return nil, fmt.Errorf("switch client to %s: %w", plugin, err)
	}
	return append([]byte(nil), auth...), nil
}

// deny refuses the client as a server does on a wrong password.
func (l *Login) deny(cause error) error { return refuse(l.conn, l.AccessDenied(), cause) }

// private reports whether nobody but the peer can read what is sent.
func private(nc net.Conn) bool {
	if _, ok := nc.(*tls.Conn); ok {
		return true
	}
	addr := nc.LocalAddr()
	return addr != nil && addr.Network() == "unix"
}
