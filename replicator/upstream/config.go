package upstream

import (
	"crypto/tls"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/replicator/outcome"
	"github.com/bellwether-db/bellwether/wire"
)

// Config says which server to read from, and as whom. It is a value.
type Config struct {
	Addr string // host:port of the master
	// User needs REPLICATION SLAVE; on MariaDB also SELECT on mysql.*, which the
	// server's identity is read from.
	User      string
	Secret    wire.Secret
	TLS       wire.TLSMode
	TLSConfig *tls.Config // may be nil; see wire.DialConfig
	// Identity is that of the only server which may answer, as
	// cluster.ReadIdentity gives it. Empty: any.
	Identity string
	// ServerID and UUID are ours: unique among all servers, and the same at each
	// connection, so that the master ends what is left of the former one. UUID
	// counts on MySQL only.
	ServerID uint32
	UUID     string
	// Heartbeat is how often an idle master says that it is there; 0: 1 s. A
	// connection without a byte for three times as long is broken; after it was,
	// the next bears silence for twice as long, up to a minute, until something
	// is stored, since a master that reads a large event from its disk is silent.
	Heartbeat time.Duration
	// SemiSync says whether to acknowledge transactions to a master that asks.
	SemiSync bool
	// Met, where there is one, is called by the goroutine of Run at each connection,
	// before the first event of it.
	Met func(outcome.Meeting)
}

const (
	defaultHeartbeat = time.Second
	// heartbeatsMissed is how many heartbeats may be missing.
	heartbeatsMissed = 3
	// dialTimeout bounds connecting and logging in, and then each answer up to
	// the stream.
	dialTimeout = 5 * time.Second
	// maxEvent bounds one event: the servers' own limit is 1 GiB for
	// max_allowed_packet, and the headers come on top of it.
	maxEvent = 1<<30 + 1<<20
)

// heartbeat is how often the master is to say something.
func (c Config) heartbeat() time.Duration {
	if c.Heartbeat <= 0 {
		return defaultHeartbeat
	}
	return c.Heartbeat
}

// patience is how long the master may say nothing.
func (c Config) patience() time.Duration { return heartbeatsMissed * c.heartbeat() }

// dial is how to log in.
func (c Config) dial() *wire.DialConfig {
	return &wire.DialConfig{
		Addr: c.Addr, User: c.User, Secret: c.Secret, Capabilities: wire.ClientLongPassword,
		Collation: wire.CollationUTF8MB4, TLS: c.TLS, TLSConfig: c.TLSConfig,
		Attributes: map[string]string{"program_name": "bellwether"}, Timeout: dialTimeout,
	}
}

// Sink is where the events go: a *storedlog.Log. All its methods are called by
// the goroutine of Client.Run. An error of any of them ends Run, but for the one
// that Append names.
type Sink interface {
	// Executed is what is durable. It is where a connection begins; the empty
	// set of the flavour, not nil, where nothing is.
	Executed() *cluster.GTIDSet
	// Rotate is called with the format description that begins each connection
	// and each new file of the master.
	Rotate(format event.Event) error
	// Append is called with every other event but heartbeats, in order; the
	// event is borrowed. An error that wraps storedlog.ErrOrder is the master's
	// fault, and Abort follows.
	Append(e event.Event, m event.Mark) error
	// Harden makes the whole transactions appended so far durable.
	Harden() error
	// Tidy does what of that could wait until the master had its answer. It is
	// called behind every Harden that succeeded.
	Tidy() error
	// Abort takes back the transaction that was begun and will not be ended.
	Abort() error
}
