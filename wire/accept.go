package wire

import (
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
)

// Greeting is what a listener tells a client first, and with what it checks the
// answer. It is read only, never changed, by Accept and AcceptChangeUser.
type Greeting struct {
	Version      string // as the nodes say it
	ConnectionID uint32
	// Capabilities that are offered; those outside of Offered are left out, those
	// that authentication needs are added. For AcceptChangeUser: what was agreed
	// on at the login.
	Capabilities Capability
	Collation    uint8
	Status       uint16          // usually StatusAutocommit
	TLS          *tls.Config     // nil: TLS is not offered
	RSA          *rsa.PrivateKey // nil: no full authentication without TLS
	Accounts     AccountLookup   // nil: nothing is known of any account
}

// AccountLookup tells what is known of accounts. It may be called by many
// sessions at once and must answer from memory.
type AccountLookup interface {
	// Account returns what is known of a user; false where that is nothing. The
	// answer is treated as a wrong password would be: full authentication, and
	// the node judges.
	Account(user string) (Account, bool)
}

// Account is what is known of a user. Its zero value is nothing.
type Account struct {
	// Verifier is SHA256(SHA256(password)), 32 bytes, or nil. A client whose answer
	// fits it takes the fast path; one whose answer does not is asked for its
	// password, which may have changed since.
	Verifier []byte
	// NativeHash is SHA1(SHA1(password)), 20 bytes, or nil. Only a configured user
	// has one: it lets clients use mysql_native_password, and for those that come
	// with it a wrong answer is final. It shows to whoever tries that the user is
	// configured, as it does on a server.
	NativeHash []byte
	// SHA2Hash is the server's own hash of the password, or none. Only a configured
	// user has one: a password that it does not fit is refused here, and no node
	// is asked.
	SHA2Hash SHA2Hash
	// Known is what else is remembered of the password, such as its SHA1 for
	// MariaDB nodes. It joins Login.Secret once the client has proven that it
	// knows the password.
	Known Secret
}

var (
	// ErrCannotAsk is AskPassword's error when the protocol leaves no way to ask
	// this client for its password any more.
	ErrCannotAsk = errors.New("client cannot be asked for its password")
	// ErrRefused wraps the *ServerError that Accept has sent to a client it will
	// not serve.
	ErrRefused = errors.New("client refused")
)

// Accept greets a client and carries on until it is known who it is and what it
// knows of its password, but does not say OK: that is for [Login.Succeed] or
// [Login.Fail] to do, after a node has judged. It goes over to TLS when the
// client wants to. The caller bounds it with a deadline on the connection, and
// closes the connection after an error. An error that wraps ErrRefused was told
// to the client; every other is of the connection.
func Accept(c *Conn, g *Greeting) (*Login, error) {
	defer c.SetMaxPacket(c.max)
	c.SetMaxPacket(maxHandshakePacket)
	hello := g.hello()
	if err := send(c, appendHello(nil, hello)); err != nil {
		return nil, fmt.Errorf("greet client: %w", err)
	}
	resp, err := readResponse(c, g, hello.capabilities)
	if errors.Is(err, ErrMalformed) {
		return nil, refuse(c, &ServerError{Code: CodeHandshakeError, State: "08S01", Message: "Bad handshake"}, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read client's handshake: %w", err)
	}
	l := newLogin(c, g)
	l.User, l.Database, l.Collation, l.MaxPacket = resp.user, resp.database, resp.collation, resp.maxPacket
	l.Attributes = resp.attributes
	l.Capabilities = resp.capabilities & hello.capabilities
	l.nonce = hello.nonce
	if err := l.authenticate(g, resp.plugin, resp.auth); err != nil {
		return nil, err
	}
	return l, nil
}

// AcceptChangeUser does for the payload of a COM_CHANGE_USER what Accept does for
// a new connection, and ends in the same way. The client's answer to the
// challenge of its login is not used; it gets a new challenge.
func AcceptChangeUser(c *Conn, g *Greeting, payload []byte) (*Login, error) {
	defer c.SetMaxPacket(c.max)
	c.SetMaxPacket(maxHandshakePacket)
	u, err := parseChangeUser(payload, g.Capabilities)
	if err != nil {
		return nil, refuse(c, &ServerError{Code: CodeUnknownCommand, State: "08S01", Message: "Unknown command"}, err)
	}
	l := newLogin(c, g)
	l.User, l.Database, l.Collation, l.Attributes = u.user, u.database, u.collation, u.attributes
	l.Capabilities = g.Capabilities
	if err := l.reauthenticate(g, u.plugin); err != nil {
		return nil, err
	}
	return l, nil
}

// hello fills in the packet that greets a client.
func (g *Greeting) hello() *helloV10 {
	caps := g.Capabilities&Offered | clientHandshake
	if g.TLS == nil {
		caps &^= ClientSSL
	} else {
		caps |= ClientSSL
	}
	return &helloV10{
		version: g.Version, threadID: g.ConnectionID, capabilities: caps,
		collation: g.Collation, status: g.Status, nonce: newNonce(), plugin: pluginSHA2,
	}
}

// account asks for what is known of a user.
func (g *Greeting) account(user string) Account {
	if g.Accounts == nil {
		return Account{}
	}
	account, _ := g.Accounts.Account(user)
	return account
}

// readResponse reads the client's answer to the greeting, through TLS if the
// client wants to.
func readResponse(c *Conn, g *Greeting, offered Capability) (*response41, error) {
	payload, err := c.ReadPacket()
	if err != nil {
		return nil, err
	}
	if isSSLRequest(payload) && offered.Has(ClientSSL) {
		if err := serveTLS(c, g.TLS); err != nil {
			return nil, err
		}
		if payload, err = c.ReadPacket(); err != nil {
			return nil, err
		}
	}
	return parseResponse(payload)
}

// serveTLS goes over to TLS as a server. What was read behind the SSLRequest is
// the beginning of the client's TLS handshake, and so still authenticated by it.
func serveTLS(c *Conn, config *tls.Config) error {
	tc := tls.Server(withPrefix(c.NetConn(), c.TakeBuffered()), config)
	if err := tc.Handshake(); err != nil {
		return fmt.Errorf("start TLS: %w", err)
	}
	c.Upgrade(tc)
	return nil
}

// prefixedConn is a connection some of whose bytes were read already.
type prefixedConn struct {
	net.Conn
	prefix []byte
}

func withPrefix(nc net.Conn, prefix []byte) net.Conn {
	if len(prefix) == 0 {
		return nc
	}
	return &prefixedConn{Conn: nc, prefix: prefix}
}

// Read returns what was read already first.
func (p *prefixedConn) Read(b []byte) (int, error) {
	if len(p.prefix) == 0 {
		return p.Conn.Read(b)
	}
	n := copy(b, p.prefix)
	if p.prefix = p.prefix[n:]; len(p.prefix) == 0 {
		p.prefix = nil
	}
	return n, nil
}

// NetConn returns the connection below, as tls.Conn's does.
func (p *prefixedConn) NetConn() net.Conn { return p.Conn }

// send writes and flushes one packet.
func send(c *Conn, payload []byte) error {
	if err := c.WritePacket(payload); err != nil {
		return err
	}
	return c.Flush()
}

// refuse tells the client e and returns it, wrapped, with its cause if there is
// one. Whether the client still hears it does not matter any more.
func refuse(c *Conn, e *ServerError, cause error) error {
	_ = send(c, AppendError(nil, e))
	if cause != nil {
		return fmt.Errorf("%w: %w: %w", ErrRefused, e, cause)
	}
	return fmt.Errorf("%w: %w", ErrRefused, e)
}
