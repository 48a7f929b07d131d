package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"
)

// TLSMode says whether connections to nodes use TLS. Its zero value is unknown
// and treated as TLSOff.
type TLSMode uint8

// The modes, as MySQL's --ssl-mode has them.
const (
	TLSUnknown   TLSMode = iota
	TLSOff               // never
	TLSPreferred         // where the node offers it; keeps out listeners, not impostors
	TLSRequired          // always; the certificate is not checked
	TLSVerify            // always; certificate and host name must be right
)

var tlsModeNames = [...]string{"unknown", "off", "preferred", "required", "verify"}

// String is the mode as the configuration writes it.
func (m TLSMode) String() string {
	return tlsModeNames[min(m, TLSUnknown+TLSMode(len(tlsModeNames))-1)]
}

// DialConfig is how to log in on a node. It is read only, never changed, by Dial
// and may be shared by many.
type DialConfig struct {
	Network string // "tcp" or "unix"; empty is tcp
	Addr    string // host:port, or the socket's path
	User    string
	Secret  Secret
	// Database is the connection's first; empty: none.
	Database string
	// Capabilities that are wanted; the connection gets those that the node has
	// too, and those that the handshake needs.
	Capabilities Capability
	Collation    uint16 // the connection's; an id up to 255
	TLS          TLSMode
	TLSConfig    *tls.Config       // may be nil; TLSVerify takes roots and name from it
	Attributes   map[string]string // connection attributes, such as program_name
	Timeout      time.Duration     // for connecting and logging in together; 0: as ctx says
}

// ServerHello is what a node said of itself when a connection was made.
type ServerHello struct {
	Version      string // such as "9.7.0" or "10.11.14-MariaDB-0+deb12u2-log", without MariaDB's "5.5.5-"
	RawVersion   string // as sent
	MariaDB      bool
	ThreadID     uint32     // CONNECTION_ID(), as KILL wants it
	Capabilities Capability // of this connection
	Offered      Capability // what the node could have done
	Collation    uint8      // the server's default, cut to a byte
	Status       uint16     // of the OK packet that ended the login
	Track        []byte     // its session-track block; owned
}

var (
	// ErrNeedPassword says that the node asks for the password itself, and only a
	// hash of it is known; or that what is known serves another plugin.
	ErrNeedPassword = errors.New("node asks for the password and only a hash of it is known")
	// ErrAuthPlugin says that the node wants an authentication plugin that is not
	// spoken here, or not used on principle (mysql_clear_password).
	ErrAuthPlugin = errors.New("authentication plugin not supported")
	// ErrNoTLS says that TLS is required and the node does not offer it.
	ErrNoTLS = errors.New("node does not offer TLS")
)

// dialAttempts bounds the packets of one authentication exchange, so that a
// broken node cannot keep it going.
const dialAttempts = 8

// Dial connects to a node and logs in. ctx and Timeout cover all of it; what the
// node itself says against it comes as a *ServerError in the chain (such as 1040,
// 1045, 1049, 1129, 1130).
func Dial(ctx context.Context, cfg *DialConfig) (*Conn, *ServerHello, error) {
	if cfg.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, cfg.Timeout)
		defer cancel()
	}
	network := cfg.Network
	if network == "" {
		network = "tcp"
	}
	nc, err := (&net.Dialer{}).DialContext(ctx, network, cfg.Addr)
	if err != nil {
		return nil, nil, fmt.Errorf("connect to %s: %w", cfg.Addr, err)
	}
	c, hello, err := login(ctx, nc, cfg)
	if err != nil {
		_ = nc.Close()
		return nil, nil, fmt.Errorf("log in on %s as %q: %w", cfg.Addr, cfg.User, err)
	}
	return c, hello, nil
}

// login makes the handshake on nc within ctx. It does not close nc.
func login(ctx context.Context, nc net.Conn, cfg *DialConfig) (*Conn, *ServerHello, error) {
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	h := &nodeHandshake{conn: NewConn(nc), cfg: cfg, secret: cfg.Secret}
	err := h.run(ctx)
	if !stop() && err != nil { // ctx ended, which broke the handshake off
		return nil, nil, fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	if ctx.Err() != nil { // too late: the deadline is set, or about to be
		return nil, nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, nil, err
	}
	h.conn.SetMaxPacket(DefaultMaxPacket)
	h.conn.ResetSequence()
	hello := h.hello // alone: the rest holds the secret
	return h.conn, &hello, nil
}

// nodeHandshake is one login on a node. One goroutine.
type nodeHandshake struct {
	conn   *Conn
	cfg    *DialConfig
	secret Secret
	hello  ServerHello

	plugin string // the one whose exchange is under way
	nonce  []byte
}

func (h *nodeHandshake) run(ctx context.Context) error {
	h.conn.SetMaxPacket(maxHandshakePacket)
	greeting, err := h.readGreeting()
	if err != nil {
		return err
	}
	resp, err := h.response(greeting)
	if err != nil {
		return err
	}
	if resp.capabilities.Has(ClientSSL) {
		if err := h.startTLS(ctx, resp); err != nil {
			return err
		}
	}
	if err := send(h.conn, appendResponse(nil, resp)); err != nil {
		return fmt.Errorf("send handshake: %w", err)
	}
	for range dialAttempts {
		if done, err := h.step(); done || err != nil {
			return err
		}
	}
	return fmt.Errorf("authentication does not end: %w", ErrMalformed)
}

// readGreeting reads the node's first packet and notes what it says.
func (h *nodeHandshake) readGreeting() (*helloV10, error) {
	payload, err := h.conn.ReadPacket()
	if err != nil {
		return nil, fmt.Errorf("read greeting: %w", err)
	}
	if IsError(payload) {
		return nil, serverError(payload)
	}
	g, err := parseHello(payload)
	if err != nil {
		return nil, fmt.Errorf("read greeting: %w", err)
	}
	if !g.capabilities.Has(clientRequired) {
		return nil, fmt.Errorf("node lacks capabilities %s", clientRequired&^g.capabilities)
	}
	version := cleanVersion(g.version)
	h.hello = ServerHello{
		Version: version, RawVersion: g.version, MariaDB: isMariaDB(g.version), ThreadID: g.threadID,
		Offered: g.capabilities, Collation: g.collation,
	}
	return g, nil
}

// serverError is an ERR packet's error, or why it cannot be read.
func serverError(payload []byte) error {
	e, err := ParseError(payload)
	if err != nil {
		return err
	}
	return e
}

// response makes the answer to the greeting.
func (h *nodeHandshake) response(g *helloV10) (*response41, error) {
	caps, err := h.capabilities(g.capabilities)
	if err != nil {
		return nil, err
	}
	h.hello.Capabilities = caps
	h.nonce = g.nonce
	auth, err := h.firstAnswer(g.plugin)
	if err != nil {
		return nil, err
	}
	return &response41{
		capabilities: caps, maxPacket: DefaultMaxPacket, collation: h.cfg.Collation, user: h.cfg.User,
		auth: auth, database: h.cfg.Database, plugin: h.plugin, attributes: h.cfg.Attributes,
	}, nil
}

// capabilities settles what this connection is to be able to do.
func (h *nodeHandshake) capabilities(offered Capability) (Capability, error) {
	want := h.cfg.Capabilities&Offered | clientHandshake | ClientLongPassword
	want &^= ClientSSL | ClientConnectWithDB | ClientConnectAttrs
	if h.cfg.TLS > TLSOff {
		want |= ClientSSL
	}
	if h.cfg.Database != "" {
		want |= ClientConnectWithDB
	}
	if len(h.cfg.Attributes) > 0 {
		want |= ClientConnectAttrs
	}
	caps := want & offered
	if h.cfg.TLS >= TLSRequired && !caps.Has(ClientSSL) {
		return 0, ErrNoTLS
	}
	return caps, nil
}

// firstAnswer chooses the plugin to begin with, and answers its challenge: the
// node's own if what is known of the password serves it, else one that it does
// serve. The node then names the account's plugin, should it be another.
func (h *nodeHandshake) firstAnswer(offered string) ([]byte, error) {
	for _, plugin := range [...]string{offered, pluginSHA2, pluginNative} {
		if auth, ok := h.secret.answer(plugin, h.nonce); ok {
			h.plugin = plugin
			return auth, nil
		}
	}
	return nil, ErrNeedPassword
}

// startTLS asks for TLS and goes over to it.
func (h *nodeHandshake) startTLS(ctx context.Context, resp *response41) error {
	if h.conn.Buffered() > 0 {
		return fmt.Errorf("start TLS: node spoke out of turn: %w", ErrMalformed)
	}
	if err := send(h.conn, appendSSLRequest(nil, resp)); err != nil {
		return fmt.Errorf("ask for TLS: %w", err)
	}
	tc := tls.Client(h.conn.NetConn(), h.tlsConfig())
	if err := tc.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("start TLS: %w", err)
	}
	h.conn.Upgrade(tc)
	return nil
}

func (h *nodeHandshake) tlsConfig() *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if h.cfg.TLSConfig != nil {
		config = h.cfg.TLSConfig.Clone()
	}
	if h.cfg.TLS != TLSVerify {
		config.InsecureSkipVerify = true // that is what these modes mean
		return config
	}
	if config.ServerName == "" {
		config.ServerName = h.cfg.Addr
		if host, _, err := net.SplitHostPort(h.cfg.Addr); err == nil {
			config.ServerName = host
		}
	}
	return config
}
