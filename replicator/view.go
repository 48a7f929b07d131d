package replicator

import (
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// View is what a controller of failovers looks at: how the stream of writes does.
// It is a value.
type View struct {
	// Direct says that slaves follow the master by themselves; then nothing else
	// is known.
	Direct bool
	// Known is false until the stored log is open.
	Known bool
	// Connected says whether the master's binary log is being read; Since is when
	// that began, or when it was lost, or when it was first tried.
	Connected bool
	Since     time.Time
	// Heard is when the last byte arrived, heartbeats included; zero before.
	Heard time.Time
	// Stored is when the last transaction was made durable; zero before.
	Stored time.Time
	// Failing says why the stored log cannot be written, "" where it can: then
	// nothing is read, and that is nobody else's fault.
	Failing string
	// End is all that is stored. Whole says that every write that was acknowledged
	// to a client is in it.
	End   *cluster.GTIDSet
	Whole bool
}

// View says how the stream does now. It asks nobody.
func (r *Replicator) View() View {
	if !r.promised.Load() {
		return View{Direct: true}
	}
	relay := r.relay.Load()
	if relay == nil {
		return View{}
	}
	v := View{Known: true, End: relay.stored.Executed()}
	v.Whole = r.lost.within(v.End) && (r.settings().Policy == PolicyDurable || relay.held.Load())
	v.Failing, v.Stored = relay.sink.health(time.Now())
	if begun := relay.begun.Load(); begun != nil {
		s := begun.client.Status()
		v.Connected, v.Since, v.Heard = s.Connected, s.Since, s.Heard
		if v.Since.IsZero() {
			v.Since = begun.since
		}
		if mended := relay.sink.mendedAt(); !v.Connected && mended.After(v.Since) {
			v.Since = mended // until then it was the disk's fault
		}
	}
	return v
}
