package downstream

import (
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/wire"
)

// Config says how slaves are served. It is a value.
type Config struct {
	// Listen is the host:port for slaves.
	Listen string
	// Flavour of the servers; required.
	Flavour cluster.Flavour
	// Version is what a server of the flavour says of itself, such as "9.7.4" or
	// "10.11.19-MariaDB"; required. Slaves look at it.
	Version string
	// ServerID and UUID are ours. No server of the cluster may have them; they
	// stay the same over restarts. MariaDB has no UUID.
	ServerID uint32
	UUID     string
	// Accounts that may replicate; at least one.
	Accounts []Account
	// Guest is a further account that may, asked for at each login, by any
	// goroutine; nil, or one without a name: none. It does not replace one of
	// Accounts.
	Guest func() Account
	// TLS is offered to slaves; nil offers none.
	TLS *tls.Config
	// RequireTLS refuses slaves that come without it.
	RequireTLS bool
	// RSA serves the password exchange of caching_sha2_password without TLS.
	RSA *rsa.PrivateKey

	// MaxConnections bounds everybody who is connected; 0 means 256.
	MaxConnections int
	// HandshakeTimeout bounds the login; 0 means 10 seconds.
	HandshakeTimeout time.Duration
	// IdleTimeout ends a connection that neither asks nor replicates; 0 means 5 minutes.
	IdleTimeout time.Duration
	// WriteTimeout drops a slave that takes in nothing for so long; 0 means a minute.
	WriteTimeout time.Duration
	// AheadGrace is how long a slave that has more than the log may wait for the
	// log to get it, before it is refused as errant: when a fleet is taken over
	// the log may be a moment behind a slave that had the master as its source.
	// 0 means 3 seconds.
	AheadGrace time.Duration
}

// Account may replicate, from everywhere. It is a value.
type Account struct {
	Name   string
	Secret wire.Secret
}

// The defaults of Config.
const (
	defaultConnections      = 256
	defaultHandshakeTimeout = 10 * time.Second
	defaultIdleTimeout      = 5 * time.Minute
	defaultWriteTimeout     = time.Minute
	defaultAheadGrace       = 3 * time.Second
)

func (c Config) withDefaults() Config {
	set := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	set(&c.HandshakeTimeout, defaultHandshakeTimeout)
	set(&c.IdleTimeout, defaultIdleTimeout)
	set(&c.WriteTimeout, defaultWriteTimeout)
	set(&c.AheadGrace, defaultAheadGrace)
	if c.MaxConnections == 0 {
		c.MaxConnections = defaultConnections
	}
	return c
}

// check says what of a configuration cannot work.
func (c Config) check() error {
	var err error
	switch {
	case c.Flavour == cluster.FlavourUnknown:
		err = errors.New("no flavour")
	case c.Version == "":
		err = errors.New("no version")
	case c.ServerID == 0:
		err = errors.New("server id 0: no slave replicates from it")
	case c.UUID == "" && c.Flavour == cluster.FlavourMySQL:
		err = errors.New("no UUID")
	case len(c.Accounts) == 0:
		err = errors.New("no account that may replicate")
	}
	if err != nil {
		return fmt.Errorf("configure the source of the slaves: %w", err)
	}
	return nil
}

func (c Config) mariaDB() bool { return c.Flavour == cluster.FlavourMariaDB }
