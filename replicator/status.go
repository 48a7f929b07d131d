package replicator

import (
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
	"github.com/bellwether-db/bellwether/replicator/downstream"
	"github.com/bellwether-db/bellwether/replicator/upstream"
)

// Status is how the stream of writes does. It is a copy.
type Status struct {
	// Feed is what the slaves replicate from, and Wanted what the configuration
	// says: they differ while one gives way to the other.
	Feed, Wanted Feed
	Policy       Policy
	// Promised says that no OK of a write goes to a client before it is stored,
	// or as Policy has it.
	Promised bool
	// Open says whether the stored log is open: from when the master was first
	// seen. Everything below is only known from then on.
	Open bool
	// Protected says that every commit of the master waits until it is stored,
	// since Since.
	Protected bool
	Since     time.Time
	// Address is where slaves are served.
	Address string
	// Stored is what the stored log has, what came before it included.
	Stored *cluster.GTIDSet
	// Upstream is the stream from the master, Downstream those to whoever reads,
	// and Departed the last ones of slaves that do not read now.
	Upstream             upstream.Status
	Downstream, Departed []downstream.SlaveInfo
	// Slaves is what is done for each slave.
	Slaves []control.SlaveReport
}

// Status says how the stream does now.
func (r *Replicator) Status() Status {
	s := Status{Feed: FeedDirect, Wanted: r.settings().Feed, Policy: r.settings().Policy, Promised: r.promised.Load()}
	if k := r.keeper.Load(); k != nil {
		s.Slaves = k.Report()
	}
	relay := r.relay.Load()
	if s.Promised || relay != nil {
		s.Feed = FeedRelay
	}
	if relay == nil {
		return s
	}
	s.Open, s.Stored, s.Downstream, s.Address = true, relay.stored.Executed(), relay.server.Slaves(), relay.address()
	s.Departed = relay.server.Departed()
	if begun := relay.begun.Load(); begun != nil {
		s.Upstream = begun.client.Status()
	}
	s.Protected, s.Since = relay.protection.read()
	s.Protected = s.Protected && s.Upstream.Connected
	return s
}
