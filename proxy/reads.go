package proxy

import (
	"sync/atomic"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
)

// readWay is how a read came by a node that shows what it must.
type readWay uint8

const (
	readKnown        readWay = iota // a slave that was known to
	readWaited                      // a slave, after a wait
	readMaster                      // the master
	readMasterWaited                // the master, after a wait
	readTimeout                     // a wait that was in vain; the read went on elsewhere, if it could
	readWays
)

// String is the label of the metric.
func (w readWay) String() string {
	return [...]string{"known", "waited", "master", "master_waited", "timeout", "unknown"}[min(w, readWays)]
}

// readMetrics counts reads. Any number of goroutines; the zero value has
// counted none.
type readMetrics [router.NumConsistencies][readWays]atomic.Uint64

func (m *readMetrics) count(c router.Consistency, w readWay) { m[c][w].Add(1) }

// collect tells what was counted.
func (m *readMetrics) collect(tell func(router.Consistency, readWay, uint64)) {
	for c := range m {
		for w := range m[c] {
			if n := m[c][w].Load(); n > 0 {
				tell(router.Consistency(c), readWay(w), n)
			}
		}
	}
}

// countRead counts a certain read that a node has answered.
func (x *session) countRead(n *needs, t *cluster.Topology, c *backend.Conn) {
	if x.seen.reason != router.ReasonNone {
		return
	}
	way := readKnown
	if c.Node() == masterName(t) {
		way = readMaster
	}
	if n.Position != "" || n.engine {
		way++
	}
	x.server.metrics.reads.count(x.demand.level, way)
}
