package replicator

import (
	"context"
	"maps"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// retainInterval is how often old files of the stored log are looked at.
const retainInterval = 10 * time.Second

// retain deletes what nobody needs any more, until ctx ends.
func (r *relay) retain(ctx context.Context) error {
	r.recall()
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

// recall reads what the nodes had when a process before this one last saw them.
func (r *relay) recall() {
	seen, err := loadLastSeen(r.settings().Dir)
	if err != nil {
		r.log.Error("for a slave that is down nothing is kept in the stored log before it was seen", "error", err)
	}
	r.seen = seen
}

// see remembers what the nodes have now.
func (r *relay) see(t *cluster.Topology) {
	seen := r.seen.after(t)
	if maps.Equal(seen, r.seen) {
		return
	}
	r.seen = seen
	if err := writeJSON(r.settings().Dir, lastSeenName, seen); err != nil && r.found.first(err.Error()) {
		r.log.Warn("what the nodes have is not remembered; once this process has ended, files of the stored log that a slave needs which is down go by age", "error", err)
	}
}

// trim deletes once, and tells whom it cut off or soon will.
func (r *relay) trim(now time.Time) {
	t := r.cluster.Load()
	r.see(t)
	names, needed := r.seen.slaves(t, r.stored.Executed().Flavour())
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
			r.log.Warn("a slave is so far behind that the bound on the stored log will cut it off: mend it, or raise replication.stored_log.max_size", "node", names[i])
		}
	}
	r.near = warned
}
