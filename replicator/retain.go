package replicator

import (
	"context"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// retainInterval is how often old files of the stored log are looked at.
const retainInterval = 10 * time.Second

// retain deletes what nobody needs any more, until ctx ends.
func (r *relay) retain(ctx context.Context) error {
	tick := time.NewTicker(retainInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.trim(time.Now())
		case <-ctx.Done():
			return nil
		}
	}
}

// trim deletes once, and tells whom it cut off or soon will.
func (r *relay) trim(now time.Time) {
	names, needed := slavePositions(r.cluster.Load())
	trimmed, err := r.stored.Trim(needed, now)
	if err != nil {
		r.log.Error("old files of the stored log were not deleted", "error", err)
		return
	}
	if len(trimmed.Files) > 0 {
		r.log.Info("old files of the stored log deleted", "files", len(trimmed.Files), "bytes", trimmed.Bytes)
	}
	for _, i := range trimmed.Cut {
		r.log.Error("a slave was cut off: the bound on the stored log won; it needs a full copy", "node", names[i])
	}
	r.warnNear(names, trimmed.Near)
}

// warnNear tells of each slave once that the bound will cut off before long.
func (r *relay) warnNear(names []string, near []int) {
	warned := make(map[string]bool, len(near))
	for _, i := range near {
		if warned[names[i]] = true; !r.near[names[i]] {
			r.log.Warn("a slave is so far behind that the bound on the stored log will cut it off: mend it, or raise replication.log.max_size", "node", names[i])
		}
	}
	r.near = warned
}

// slavePositions are the slaves whose position is known, and what they have. A
// slave that was never seen cannot be kept for; the age bound is its grace.
func slavePositions(t *cluster.Topology) (names []string, sets []*cluster.GTIDSet) {
	for i := range t.Nodes {
		if n := &t.Nodes[i]; n.Role == cluster.RoleSlave && n.Applied != nil {
			names, sets = append(names, n.Name), append(sets, n.Applied)
		}
	}
	return names, sets
}
