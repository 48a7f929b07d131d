// Package backend holds the connections to the nodes: pools per node and
// account, bounded, checked before reuse, brought into the state that a
// session needs and never handed on with anything of another session's.
package backend

import (
	"crypto/tls"
	"fmt"
	"time"

	"github.com/bellwether-db/bellwether/wire"
)

// Config bounds the pools. The zero value is not valid; begin with Defaults.
type Config struct {
	// MaxPerNode bounds the connections to one node, all accounts together.
	MaxPerNode int
	// IdleTimeout closes a connection that no session has used for as long.
	IdleTimeout time.Duration
	// ConnectTimeout bounds connecting and logging in.
	ConnectTimeout time.Duration
	// AcquireTimeout bounds the wait for a free connection.
	AcquireTimeout time.Duration
	// VerifyInterval is how often each account in use is checked against the
	// master: a changed password, a locked or dropped account and changed
	// privileges are noticed within it.
	VerifyInterval time.Duration
	// TLS says whether connections to nodes are encrypted.
	TLS       wire.TLSMode
	TLSConfig *tls.Config
}

// Defaults returns the configuration that is used where nothing is said.
func Defaults() Config {
	return Config{
		MaxPerNode:     100,
		IdleTimeout:    5 * time.Minute,
		ConnectTimeout: 5 * time.Second,
		AcquireTimeout: 10 * time.Second,
		VerifyInterval: 2 * time.Second,
	}
}

// Validate says what is wrong with the configuration, and what would be right.
func (c *Config) Validate() error {
	switch {
	case c.MaxPerNode < 1:
		return fmt.Errorf("pool: max_per_node is %d: at least 1 is needed", c.MaxPerNode)
	case c.ConnectTimeout <= 0, c.AcquireTimeout <= 0, c.IdleTimeout <= 0, c.VerifyInterval <= 0:
		return fmt.Errorf("pool: every timeout and interval must be longer than 0")
	}
	return nil
}
