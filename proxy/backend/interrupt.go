package backend

import (
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// masterPatience is how long sessions wait for answers of a master that is down.
// One that is dead is replaced before, and its connections are cut then; one that
// is only slow has their transactions, which would be lost with the connections.
const masterPatience = 6 * time.Second

// downMaster is since when a master is down; the zero value is one that is up.
type downMaster struct {
	epoch uint64
	since time.Time
}

// lasts notes how the master does, and says whether it has been down for too long.
func (d *downMaster) lasts(m *cluster.Node, now time.Time) bool {
	switch {
	case m == nil || m.Health != cluster.HealthDown:
		*d = downMaster{}
	case d.since.IsZero() || d.epoch != m.Epoch:
		*d = downMaster{m.Epoch, now}
	default:
		return now.Sub(d.since) >= masterPatience
	}
	return false
}

// interruptDown wakes the sessions that wait for a node which is down: its
// answer would never come.
func (p *Pools) interruptDown(now time.Time) {
	t := p.store.Load()
	gone := p.down.lasts(t.MasterNode(), now)
	for i := range t.Nodes {
		if t.Nodes[i].Health != cluster.HealthDown || i == t.Master && !gone {
			continue
		}
		if n := (*p.byName.Load())[t.Nodes[i].Name]; n != nil {
			n.interrupt()
		}
	}
}
