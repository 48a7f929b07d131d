package failover

import (
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// View is all that Diagnose and Plan look at: one moment of the cluster. It is a
// value; what its slices and sets hold is not changed.
type View struct {
	Now    time.Time
	Record State
	Policy Policy
	Writes cluster.Writes
	Nodes  []cluster.Node
	Stream StreamView
	// Last is when roles were last changed, where they were changed too often
	// lately (see limits.go); zero otherwise. Limits count from it.
	Last time.Time
	// Lock says what keeps this process from acting, "" while it holds the named
	// lock on a majority of the nodes.
	Lock string
}

// StreamView is how the stream of writes from the master does. It is a value.
type StreamView struct {
	// Direct says that slaves follow the master by themselves: then there is no
	// stored log, and the slaves' own receivers tell whether the stream runs.
	Direct bool
	// Known is false until the stored log is open.
	Known bool
	// Connected says whether the stream runs; Since is when that began, or when
	// it was lost.
	Connected bool
	Since     time.Time
	// Heard is when the last byte arrived, heartbeats of the protocol included.
	Heard time.Time
	// Stored is when the last transaction was made durable.
	Stored time.Time
	// Failing says why the stored log cannot be written, "" where it can. Then
	// silence is ours, and no evidence against the master.
	Failing string
	// End is all that is stored: every write that was acknowledged, where Whole.
	End   *cluster.GTIDSet
	Whole bool
}

// Policy is what the configuration allows the controller to do. It is a value.
type Policy struct {
	// Automatic failover; without it problems are told, and orders carried out.
	Automatic bool
	// Window is how long after a change of roles no other is made without an
	// order.
	Window time.Duration
	// MaxLoss is how many acknowledged transactions a candidate may lack once the
	// time for taking them is up; 0: none.
	MaxLoss uint64
	// Prefer and Never name nodes: the first wanted as master, in this order, and
	// those that never are. DataCentre of each node by name, "" where unknown.
	Prefer, Never []string
	DataCentre    map[string]string
	// Frozen is how long a master may answer no probe, or let a write of the
	// probe hang, while its stream is silent too, before it is taken for dead.
	Frozen time.Duration
	// Rejoin is how a node comes back whose transactions only it has.
	Rejoin Rejoin
}

// Rejoin says how a former master with errant transactions becomes a slave.
// They are saved to a file first, always. The zero value is unknown.
type Rejoin uint8

// The ways.
const (
	RejoinUnknown Rejoin = iota
	RejoinCopy           // it is copied anew, by CLONE or the generic way
	RejoinLeave          // it is left out, read-only, until someone decides
)

// String returns the way as the configuration writes it.
func (r Rejoin) String() string { return [...]string{"unknown", "copy", "leave"}[min(r, 2)] }
