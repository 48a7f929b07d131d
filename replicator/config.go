package replicator

import (
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/wire"
)

// Feed says what the slaves replicate from. The zero value is unknown.
type Feed uint8

// The feeds.
const (
	FeedUnknown Feed = iota
	FeedRelay        // from Bellwether's stored log
	FeedDirect       // from the master
)

// String is the feed as the configuration writes it.
func (f Feed) String() string { return [...]string{"unknown", "relay", "direct"}[min(f, 2)] }

// ParseFeed reads what String writes.
func ParseFeed(word string) (Feed, error) {
	for _, f := range []Feed{FeedRelay, FeedDirect} {
		if f.String() == word {
			return f, nil
		}
	}
	return FeedUnknown, fmt.Errorf("feed %q: want relay or direct", word)
}

// Policy says what happens to writes while they cannot be stored. The zero
// value is unknown.
type Policy uint8

// The policies.
const (
	PolicyUnknown Policy = iota
	PolicyDurable        // they wait
	PolicyDegrade        // they wait for a stated time, and then go on unprotected
)

// String is the policy as the configuration writes it.
func (p Policy) String() string { return [...]string{"unknown", "durable", "degrade"}[min(p, 2)] }

// ParsePolicy reads what String writes.
func ParsePolicy(word string) (Policy, error) {
	for _, p := range []Policy{PolicyDurable, PolicyDegrade} {
		if p.String() == word {
			return p, nil
		}
	}
	return PolicyUnknown, fmt.Errorf("policy %q: want durable or degrade", word)
}

// Config says what the replicator does and where it keeps what it has. It is a
// value.
type Config struct {
	Feed Feed
	// Dir is a directory of this process alone, made where it is missing; an
	// absolute path. The stored log is in Dir/log unless LogDir says otherwise.
	Dir, LogDir string
	// Listen is the host:port for slaves; Advertise is how they reach it, and
	// empty where that is the same.
	Listen, Advertise string
	// Policy, and for PolicyDegrade how long writes wait before they go on.
	Policy       Policy
	DegradeAfter time.Duration
	// FileSize, MaxBytes and MaxAge bound the stored log; see storedlog.Config.
	FileSize, MaxBytes int64
	MaxAge             time.Duration
	// Key encrypts the stored log: 32 bytes, or nil.
	Key []byte
	// Nodes says how to log in on nodes: the operator account, TLS, patience.
	// Its list of nodes is not looked at; the topology has them.
	Nodes cluster.Config
	// NodeTLS is Nodes.TLS as the wire has it.
	NodeTLS wire.TLSMode
	// Direct is the account that slaves use on the master with FeedDirect.
	// Without one Bellwether watches, and sets up nothing.
	Direct cluster.Account
	// Heartbeat of the streams on both sides.
	Heartbeat time.Duration
	// TLS is offered to slaves, and RSA for their passwords without it.
	TLS *tls.Config
	RSA *rsa.PrivateKey
}

// Default is the configuration of nothing but the defaults.
func Default() Config {
	return Config{
		Feed: FeedDirect, Policy: PolicyDurable, DegradeAfter: 10 * time.Second, Listen: "127.0.0.1:3308",
		FileSize: 256 << 20, MaxBytes: 20 << 30, MaxAge: 7 * 24 * time.Hour, Heartbeat: time.Second,
	}
}

// Validate says what is wrong with the configuration.
func (c Config) Validate() error {
	var problems []error
	wrong := func(bad bool, text string) {
		if bad {
			problems = append(problems, errors.New(text))
		}
	}
	wrong(c.Feed == FeedUnknown, "feed: want relay or direct")
	if c.Feed != FeedRelay {
		return errors.Join(problems...)
	}
	wrong(!filepath.IsAbs(c.Dir), "state directory: not an absolute path")
	wrong(c.Policy == PolicyUnknown, "policy: want durable or degrade")
	wrong(c.Policy == PolicyDegrade && c.DegradeAfter <= 0, "degrade_after: must be more than 0")
	wrong(c.Key != nil && len(c.Key) != 32, "encryption key: must be 32 bytes")
	wrong(c.MaxBytes > 0 && c.MaxBytes < 2*c.FileSize, "max_size: must be at least twice file_size")
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		problems = append(problems, fmt.Errorf("listen: %w", err))
	}
	return errors.Join(problems...)
}

// SourceAddr is the host:port that slaves are told of the stored log, where the
// port is not 0.
func (c Config) SourceAddr() string {
	if c.Advertise != "" {
		return c.Advertise
	}
	return c.Listen
}

// StoredLog is the folder of the stored log.
func (c Config) StoredLog() string {
	if c.LogDir != "" {
		return c.LogDir
	}
	return filepath.Join(c.Dir, "log")
}
