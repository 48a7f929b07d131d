package rawmysql

import (
	"context"
	"fmt"
	"net"
	"time"
)

// Config says where to log in and as whom.
type Config struct {
	Addr     string // host:port
	User     string
	Password string
	Database string // may be empty
	// Buffer is the size in bytes of the read buffer that each connection
	// keeps; 0 means 4 KB.
	Buffer int
}

// Conn is one logged-in connection. Only one goroutine at a time may use it.
type Conn struct {
	nc         net.Conn
	in         []byte // unread bytes are in[start:end]
	start, end int
	out        []byte
	seq        byte
	info       ServerInfo
}

// ServerInfo is what the server said of itself at the login.
type ServerInfo struct {
	Version  string
	ThreadID uint32
	Plugin   string // the authentication plugin that the login ended with
	FullAuth bool   // caching_sha2_password asked for the whole password
}

// Dial connects and logs in. ctx bounds both. A refusal by the server is a
// *ServerError.
func Dial(ctx context.Context, cfg *Config) (*Conn, error) {
	var d net.Dialer
	nc, err := d.DialContext(ctx, "tcp", cfg.Addr)
	if err != nil {
		return nil, err
	}
	size := cfg.Buffer
	if size <= 0 {
		size = 4 << 10
	}
	c := &Conn{nc: nc, in: make([]byte, size), out: make([]byte, 0, 512)}
	if err := c.loginWithin(ctx, cfg); err != nil {
		nc.Close()
		return nil, fmt.Errorf("log in at %s as %s: %w", cfg.Addr, cfg.User, err)
	}
	return c, nil
}

func (c *Conn) loginWithin(ctx context.Context, cfg *Config) error {
	stop := context.AfterFunc(ctx, c.Interrupt)
	err := c.login(cfg)
	if !stop() {
		return context.Cause(ctx)
	}
	return err
}

// Info tells what the server said of itself.
func (c *Conn) Info() ServerInfo { return c.info }

// SetDeadline bounds every later read and write.
func (c *Conn) SetDeadline(t time.Time) error { return c.nc.SetDeadline(t) }

// Interrupt makes a read or write that is under way fail at once. Unlike the
// other methods it may be called from any goroutine.
func (c *Conn) Interrupt() { _ = c.nc.SetDeadline(time.Unix(1, 0)) }

// Close says goodbye (COM_QUIT) and closes the socket.
func (c *Conn) Close() error {
	_ = c.nc.SetDeadline(time.Now().Add(time.Second))
	c.command(comQuit)
	_ = c.send()
	return c.nc.Close()
}
