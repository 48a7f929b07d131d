package proxy

import (
	"time"

	"github.com/bellwether-db/bellwether/router"
)

// Counters are counts since the start, but for Clients and Held, which are of
// the moment. It is a value.
type Counters struct {
	// Statements counts those that a node answered; reads and writes are among them.
	Statements, ReadsMaster, ReadsSlaves, Writes uint64
	// Errors counts those that clients were told, the nodes' own among them.
	Errors uint64
	// Latency counts the statements that a node answered by how long that took.
	Latency []LatencyBucket
	// Clients are connected, Held are statements that wait for a master.
	Clients, Held int
}

// LatencyBucket counts the statements that took less than UpTo, and no less than
// UpTo of the bucket before. It is a value.
type LatencyBucket struct {
	UpTo  time.Duration
	Count uint64
}

// Counters returns what was counted. Any goroutine may call it.
func (s *Server) Counters() Counters { return s.metrics.counters() }

func (m *Metrics) counters() Counters {
	c := Counters{
		Errors: m.errors.Load(), Clients: int(m.clients.Load()), Held: int(m.holding.clients.Load()),
		Latency: make([]LatencyBucket, histogramBuckets),
	}
	for k := range m.statements {
		for on := range m.statements[k] {
			n := uint64(0)
			for r := range m.statements[k][on] {
				n += m.statements[k][on][r].Load()
			}
			c.count(router.Kind(k), ranOn(on), n)
		}
	}
	var all distribution
	for on := range m.latency {
		all.join(&m.latency[on].histogram)
	}
	for i, n := range all {
		c.Latency[i] = LatencyBucket{UpTo: bucketEnd(i), Count: n}
	}
	return c
}

// count adds n statements of a kind that ran there.
func (c *Counters) count(k router.Kind, on ranOn, n uint64) {
	c.Statements += n
	switch k {
	case router.KindRead, router.KindShow:
		if on == ranSlave {
			c.ReadsSlaves += n
		} else {
			c.ReadsMaster += n
		}
	case router.KindWrite, router.KindDDL:
		c.Writes += n
	}
}
