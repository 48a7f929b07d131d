package upstream

import "time"

// What is made durable together while more keeps arriving is bounded: how much
// it is, and how long the first of it waits, less so where a commit waits for it.
const (
	maxGroupBytes = 8 << 20
	maxReplyDelay = 5 * time.Millisecond
	maxGroupDelay = 50 * time.Millisecond
)

// group is what was appended and is not durable yet, and the reply that the
// master waits for. Its zero value is an empty one.
type group struct {
	transactions int       // whole ones
	bytes        int       // of all events
	since        time.Time // when the first of it was whole
	reply        position  // of the last one that asked
	asked        bool
}

// appended counts the bytes of one event.
func (g *group) appended(bytes int) { g.bytes += bytes }

// ended counts a transaction that is whole.
func (g *group) ended(now time.Time) {
	if !g.waits() {
		g.since = now
	}
	g.transactions++
}

// ask notes that the master wants to hear when everything up to p is durable.
func (g *group) ask(p position, now time.Time) {
	if !g.waits() {
		g.since = now
	}
	g.reply, g.asked = p, true
}

// waits says whether anything waits for a sync.
func (g *group) waits() bool { return g.transactions > 0 || g.asked }

// due says whether to sync now: something waits for it, and nothing more has
// arrived that could share the effort, or it has become too much or too late.
func (g *group) due(now time.Time, arrived bool) bool {
	return g.waits() && (!arrived || g.bytes >= maxGroupBytes || now.Sub(g.since) >= g.patience())
}

func (g *group) patience() time.Duration {
	if g.asked {
		return maxReplyDelay
	}
	return maxGroupDelay
}
