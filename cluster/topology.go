// Package cluster is the published truth about the nodes: roles, health,
// positions and the generation, in one immutable Topology behind one pointer,
// and the probes that keep it fresh. It never acts on a node, but for a row of
// its own on the master: see Heartbeat.
package cluster

import "time"

// Topology is one consistent view of the cluster. It is immutable once
// published and may be read by any number of goroutines.
type Topology struct {
	// Generation grows by one with each change of roles or of whether writes
	// are open; reports of health and position keep it.
	Generation uint64
	// Nodes in the order of the configuration. An index into Nodes is valid
	// for this topology only; the name is a node's lasting key.
	Nodes []Node
	// Master is the index of the master in Nodes, -1 while there is none.
	Master int
	// MasterIdentity is the identity of the server that was made master. A node
	// whose own Identity is another is never written to. "" if not recorded.
	MasterIdentity string
	// Writes says whether new writes may start.
	Writes Writes
	// WritesReason says why writes are not open, for people.
	WritesReason string
	// Readable holds the indexes of the slaves that may serve reads now:
	// up, replicating, not beyond max_lag, not drained, not touched.
	Readable []int
	// Catalogue is what the router must know of the nodes' schemas; never nil.
	Catalogue *Catalogue

	replaced chan struct{}
	outdated chan struct{}
}

// Outdated is closed once another topology is published, whatever differs: it
// is for those who watch the nodes. It comes some times a second for each node.
func (t *Topology) Outdated() <-chan struct{} { return t.outdated }

// Replaced is closed once a topology is published in which a statement that
// had to wait may find a node: one of a later generation, or one with a slave
// that serves again or a catalogue that is known again.
func (t *Topology) Replaced() <-chan struct{} { return t.replaced }

// MasterNode returns the master, or nil while there is none.
func (t *Topology) MasterNode() *Node {
	if t.Master < 0 || t.Master >= len(t.Nodes) {
		return nil
	}
	return &t.Nodes[t.Master]
}

// Find returns the index of the node with this name, or -1.
func (t *Topology) Find(name string) int {
	for i := range t.Nodes {
		if t.Nodes[i].Name == name {
			return i
		}
	}
	return -1
}

// Node is what is known of one database node. It is a value inside an
// immutable Topology.
type Node struct {
	Name string
	Addr string // host:port
	Role Role
	// Epoch is the generation in which the node got its present role, 0 for the
	// first one that this run gave it. What was begun there in another epoch is of
	// another time: a connection to the master must not outlive its being master.
	Epoch  uint64
	Weight int // relative share of reads, 1 by default; 0 takes no reads

	Drain       bool // serves no reads while it is a slave, by the operator's wish
	Maintenance bool // the same; for what is being worked on, which no plan may count on
	// Touched says what was changed here by hand, outside the stream, and when; ""
	// where nothing was. Such a node serves no routed read and is never promoted.
	Touched string
	Fenced  bool // a former master that must be made read-only before use
	// Former is set from when the node was the master until it is seen to follow
	// another. It serves no reads: its log has transactions that it does not show
	// yet, or that no other node has, so that its position says nothing.
	Former bool

	Health  Health
	Problem string // why the node is not up or not readable, for people; "" when fine
	// Late is set while the slave is beyond max_lag, with hysteresis, or while
	// its replication does not run so that its lag cannot be known.
	Late bool

	Flavour  Flavour
	Version  string // as the server says it
	Identity string // server_uuid, on MariaDB server_id and data directory's birth mark
	ReadOnly bool
	// Replication says what the node's replication threads do.
	Replication Replication

	LagKnown bool
	Lag      time.Duration // behind the master; zero on the master
	LagGTIDs uint64        // transactions of the master that the node has not applied
	// Applied is the node's executed GTID set when last seen; nil if unknown.
	Applied *GTIDSet
	Running int // threads that run a statement, asked for every few probes
	// Since is when the connection of the probes was opened, or when a slave was
	// seen to have fewer transactions than before: between two probes with the same
	// value lies no restart of the server, and it has lost nothing.
	Since time.Time
	// Asked is when the last successful probe began, and Seen when it ended.
	Asked, Seen time.Time

	// Outcome is how the last probe ended, and Failing since when they fail in a
	// row: when the first of those that failed began, zero while they succeed.
	Outcome Outcome
	Failing time.Time
	// Hurt is when a client or the stream last lost a connection there, or could
	// not make one; see Monitor.Observe.
	Hurt time.Time
	// Settings are those that replication rests on.
	Settings Settings
	// Heartbeat is how Bellwether's own writes on the master end; zero elsewhere.
	Heartbeat Heartbeat
}

// Role is a node's part in the cluster.
type Role uint8

// The roles.
const (
	RoleUnknown Role = iota
	RoleMaster
	RoleSlave
)

// String returns the role in lower case.
func (r Role) String() string { return [...]string{"unknown", "master", "slave"}[min(r, 2)] }

// Replication says what a node's replication threads do.
type Replication uint8

// The states of replication.
const (
	ReplicationUnknown    Replication = iota
	ReplicationNone                   // no source is configured, as on a master
	ReplicationRunning                // it receives and applies
	ReplicationConnecting             // it applies, but has lost its source
	ReplicationStopped                // a thread was stopped by hand
	ReplicationBroken                 // a thread stopped with an error
)

// String returns the state in lower case.
func (r Replication) String() string {
	return [...]string{"unknown", "none", "running", "connecting", "stopped", "broken"}[min(r, 5)]
}

// Health is the verdict of the probes, with hysteresis.
type Health uint8

// The verdicts.
const (
	HealthUnknown Health = iota
	HealthUp
	HealthDown
)

// String returns the verdict in lower case.
func (h Health) String() string { return [...]string{"unknown", "up", "down"}[min(h, 2)] }

// Writes says whether new writes may start.
type Writes uint8

// The states of the gate for writes.
const (
	WritesUnknown Writes = iota
	WritesOpen
	WritesHeld    // they wait, bounded
	WritesRefused // they get an error that names the reason
)

// String returns the state in lower case.
func (w Writes) String() string {
	return [...]string{"unknown", "open", "held", "refused"}[min(w, 3)]
}

// Flavour is the family of a database server.
type Flavour uint8

// The families.
const (
	FlavourUnknown Flavour = iota
	FlavourMySQL
	FlavourMariaDB
)

// String returns the family in lower case.
func (f Flavour) String() string { return [...]string{"unknown", "mysql", "mariadb"}[min(f, 2)] }
