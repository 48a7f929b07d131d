// Package proxy lets clients in, sends their statements through and brings the
// answers back. One goroutine serves one client; a statement takes no lock.
// What a session means (its variables, schema, transaction, prepared
// statements) follows the server's own words, and holds whatever connection
// serves it.
package proxy

import (
	"crypto/rsa"
	"crypto/tls"
	"fmt"
	"time"

	"github.com/bellwether-db/bellwether/proxy/trace"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// Config is what the proxy is told. The zero value is not valid; begin with
// Defaults.
type Config struct {
	// Listen is the address for clients, host:port.
	Listen string
	// MaxClients bounds the clients that are connected at once; one more gets
	// error 1040.
	MaxClients int
	// HandshakeTimeout bounds the time from connecting to being logged in.
	HandshakeTimeout time.Duration
	// MaxPacket bounds one packet of a client, in bytes.
	MaxPacket int
	// CausalWait bounds how long a read waits on a slave for the session's own
	// write; then the master serves it.
	CausalWait time.Duration
	// HoldTimeout bounds how long a statement waits for a master.
	HoldTimeout time.Duration
	// Failover is what becomes of what is under way when a master is lost.
	Failover Failover
	// SlowWriters bounds how far the slaves fall behind.
	SlowWriters SlowWriters
	// Consistency is what reads may not miss, where neither the session nor the
	// statement nor Consistencies, by user, says otherwise.
	Consistency   router.Consistency
	Consistencies map[string]router.Consistency
	// Digests is how many shapes of statements are counted apart, 0 for none.
	Digests int
	// Traces says where spans of statements go, and which; off by default.
	Traces trace.Config
	// Users are clients that cannot log in by what the nodes know alone.
	Users []User
	// Rules are the operator's wishes for routing.
	Rules router.Rules
	// TLS is offered to clients where it is set.
	TLS *tls.Config
	// RequireTLS refuses clients without it.
	RequireTLS bool
	// RSA serves clients that send a password without TLS.
	RSA *rsa.PrivateKey
}

// User is a configured user.
type User struct {
	Name string
	// Secret is what is known of its password, for the nodes and for its clients.
	Secret wire.Secret
	// NativeHash is SHA1(SHA1(password)), 20 bytes, for clients that know only
	// mysql_native_password; nil where there is none.
	NativeHash []byte
	// SHA2Hash checks the password of those who know caching_sha2_password; none
	// where the nodes alone are to judge.
	SHA2Hash wire.SHA2Hash
}

// Defaults returns the configuration that is used where nothing is said.
func Defaults() Config {
	return Config{
		Listen:           "127.0.0.1:3307",
		MaxClients:       10_000,
		HandshakeTimeout: 10 * time.Second,
		MaxPacket:        wire.DefaultMaxPacket,
		CausalWait:       100 * time.Millisecond,
		HoldTimeout:      10 * time.Second,
		Failover:         DefaultFailover(),
		SlowWriters:      SlowWriters{Most: 200 * time.Millisecond},
		Digests:          1000,
		Traces:           trace.Config{OneIn: 100},
		Consistency:      router.ConsistencySession,
	}
}

// Validate says what is wrong with the configuration, and what would be right.
func (c *Config) Validate() error {
	switch {
	case c.Listen == "":
		return fmt.Errorf("proxy: listen is empty: say host:port, such as 127.0.0.1:3307")
	case c.MaxClients < 1:
		return fmt.Errorf("proxy: max_clients is %d: at least 1 is needed", c.MaxClients)
	case c.MaxPacket < 1<<20 || c.MaxPacket > 1<<30:
		return fmt.Errorf("proxy: max_packet is %d bytes: between 1MB and 1GB, as max_allowed_packet of the nodes", c.MaxPacket)
	case c.HandshakeTimeout <= 0, c.CausalWait <= 0, c.HoldTimeout <= 0:
		return fmt.Errorf("proxy: every timeout must be longer than 0")
	case c.Consistency == router.ConsistencyUnset:
		return fmt.Errorf("proxy: consistency is not set: say session, global or eventual")
	case c.Digests < 0 || c.Digests > mostDigests:
		return fmt.Errorf("proxy: digests is %d: between 0 (off) and %d", c.Digests, mostDigests)
	case c.SlowWriters.Lag < 0 || c.SlowWriters.Most < 0:
		return fmt.Errorf("proxy: no span of slow_writers may be negative")
	case c.RequireTLS && c.TLS == nil:
		return fmt.Errorf("proxy: TLS is required but no certificate is there")
	}
	if err := c.Traces.Validate(); err != nil {
		return fmt.Errorf("proxy: %w", err)
	}
	return c.Failover.validate()
}

// consistencyOf is what is configured for a user.
func (c *Config) consistencyOf(user string) router.Consistency {
	if len(c.Consistencies) > 0 {
		if own := c.Consistencies[user]; own != router.ConsistencyUnset {
			return own
		}
	}
	return c.Consistency
}
