package rawclient

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"time"
)

// Capability flags of the protocol (page "Capabilities Flags").
const (
	FoundRows        uint32 = 1 << 1
	longPassword     uint32 = 1
	longFlag         uint32 = 1 << 2
	connectWithDB    uint32 = 1 << 3
	LocalFiles       uint32 = 1 << 7
	IgnoreSpace      uint32 = 1 << 8
	protocol41       uint32 = 1 << 9
	useTLS           uint32 = 1 << 11
	transactions     uint32 = 1 << 13
	secureConnection uint32 = 1 << 15
	MultiStatements  uint32 = 1 << 16
	MultiResults     uint32 = 1 << 17
	PSMultiResults   uint32 = 1 << 18
	pluginAuth       uint32 = 1 << 19
	connectAttrs     uint32 = 1 << 20
	authLenenc       uint32 = 1 << 21
	SessionTrack     uint32 = 1 << 23
	DeprecateEOF     uint32 = 1 << 24
)

const always = longPassword | longFlag | protocol41 | transactions | secureConnection | pluginAuth | authLenenc

// Config says how to connect.
type Config struct {
	Addr, User, Password, Database string
	// Flags are the optional capabilities; the server must offer all of them.
	Flags uint32
	// Collation is the id sent in the login; 45 (utf8mb4_general_ci) when zero.
	Collation byte
	TLS       bool
	// Attributes are sent as connection attributes when there are any.
	Attributes map[string]string
	// Timeout bounds the dial and each command; 20 s when zero.
	Timeout time.Duration
}

// Conn is one connection to a server. One goroutine at a time.
type Conn struct {
	config   Config
	socket   net.Conn
	reader   *bufio.Reader
	sequence byte

	// Version, ID and Offered are the greeting's.
	Version string
	ID      uint32
	Offered uint32
	// Plugin is the authentication the login ended with, FullAuth whether the
	// password itself had to be sent.
	Plugin   string
	FullAuth bool
	// Login is the packet that ended the login.
	Login Packet
	// Infile answers LOAD DATA LOCAL; nil sends an empty file.
	Infile func(name string) []byte
}

// Dial connects and logs in. A refused login is a *Refused.
func Dial(config Config) (*Conn, error) {
	if config.Timeout == 0 {
		config.Timeout = 20 * time.Second
	}
	if config.Collation == 0 {
		config.Collation = 45
	}
	socket, err := net.DialTimeout("tcp", config.Addr, config.Timeout)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", config.Addr, err)
	}
	c := &Conn{config: config, socket: socket, reader: bufio.NewReader(socket)}
	if err := c.login(); err != nil {
		socket.Close()
		return nil, err
	}
	return c, nil
}

// Refused is a login that the server answered with an error packet.
type Refused struct{ Packet Packet }

// Error returns the server's error.
func (e *Refused) Error() string { return "login refused: " + e.Packet.String() }

// Socket is the connection's socket, for tests that misuse it.
func (c *Conn) Socket() net.Conn { return c.socket }

// Close closes the socket without a word.
func (c *Conn) Close() error { return c.socket.Close() }

// Quit says COM_QUIT and closes.
func (c *Conn) Quit() error {
	if err := c.begin(); err != nil {
		return err
	}
	if err := c.writePacket([]byte{ComQuit}); err != nil {
		return err
	}
	return c.Close()
}

func (c *Conn) upgrade() error {
	secured := tls.Client(c.socket, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the server's certificate is its own
	if err := secured.Handshake(); err != nil {
		return fmt.Errorf("upgrade to TLS: %w", err)
	}
	c.socket, c.reader = secured, bufio.NewReader(secured)
	return nil
}
