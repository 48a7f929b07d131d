package admin

import (
	"crypto/sha256"
	"crypto/tls"
	"time"
)

// Config says where the server listens and who may do what there. It is not
// changed once it was handed over.
type Config struct {
	// Listen is the address, as host:port; it stays while the server lives.
	Listen string
	// Account is what the data calls log in with, on the proxy's own address as
	// any client would. Without a user there are no data calls.
	Account Account
	// Encrypt has the data calls use TLS towards the proxy, where it takes no
	// client without.
	Encrypt bool
	// OpenLoopback lets whoever calls from this machine without a token do
	// everything.
	OpenLoopback bool
	// Tokens are those of callers.
	Tokens []Token
	// Origins are the pages of elsewhere that may call, as scheme://host[:port].
	Origins []string
	// Hosts are names that calls without a token may use for this server,
	// besides localhost and addresses.
	Hosts []string
	// TLS is what the server shows; nil: it talks without TLS.
	TLS *tls.Config
	// BodyLimit is the most bytes of a request's body.
	BodyLimit int64
	// Timeout is how long a call may take, and a stream of rows until its first.
	Timeout time.Duration
	// Rate is how many calls a caller may make in a second, with as many at
	// once; 0: no limit.
	Rate int
	// Consistency is what reads may not miss where nothing else is said, for
	// /v1/cluster.
	Consistency string
	// Nodes are the nodes that have an address of their own here.
	Nodes []NodeAddress
	// NodeTLS is for connections to the nodes themselves, nil for none, and
	// NodeTLSOptional lets one that offers no TLS be talked to in plain.
	NodeTLS         *tls.Config
	NodeTLSOptional bool
	// AuditFile gets a line for each change; "" for none.
	AuditFile string
	// OperationsFile keeps what was ordered; "" for none.
	OperationsFile string
}

// NodeAddress is where the calls for one node are answered. It is a value.
type NodeAddress struct {
	Name   string
	Listen string // host:port; port 0 takes a free one
}

// Account is a login of the nodes.
type Account struct{ User, Password string }

// Token is one caller's. Its text is known to the caller only.
type Token struct {
	Name string
	Role Role
	Hash [sha256.Size]byte // SHA-256 of the text
}

// The limits where the configuration says nothing.
const (
	DefaultBodyLimit = 8 << 20
	DefaultTimeout   = 30 * time.Second
	DefaultRate      = 1000
)

// withDefaults fills in the limits that no server goes without.
func (c Config) withDefaults() Config {
	if c.BodyLimit == 0 {
		c.BodyLimit = DefaultBodyLimit
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	return c
}
