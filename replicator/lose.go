package replicator

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
	"github.com/bellwether-db/bellwether/replicator/errant"
)

// Loss is what is given up with a promotion. It is a value.
type Loss struct {
	// Set is what was acknowledged and the next master lacks; empty where it has
	// taken everything meanwhile.
	Set *cluster.GTIDSet
	// End is all that is stored now: the rest of what the next master has comes
	// from there.
	End *cluster.GTIDSet
	// Files are the names of those where the lost transactions are kept.
	Files []string
}

// Lose gives up what a slave lacks of end, all that was acknowledged, so that it
// can be promoted: the slave takes nothing more, what it lacks is written to dir,
// and the stored log is cut back to what it has. Every slave's stream ends; one
// that has more than is left is errant from then on. It is for when no master is
// published and the log is sealed. With an error nothing is published that was
// not, and it may be called again; the slave follows again once there is a master.
func (r *Replicator) Lose(ctx context.Context, n cluster.Node, end *cluster.GTIDSet, dir string) (Loss, error) {
	relay := r.relay.Load()
	stored := relay != nil && r.promised.Load()
	if m := r.cluster.Load().MasterNode(); m != nil || stored && relay.reading.Load() != nil {
		return Loss{}, errors.New("give up what is lost: there is a master")
	}
	r.apart.Store(&n.Name)
	if err := r.unkept(ctx, n.Name); err != nil {
		return Loss{}, fmt.Errorf("give up what %s lacks: it is still kept as a slave: %w", n.Name, err)
	}
	leave, err := r.nodes.enter(ctx, n.Name)
	if err != nil {
		return Loss{}, fmt.Errorf("give up what %s lacks: it is still being looked at: %w", n.Name, err)
	}
	defer leave()
	conn, err := r.connect(ctx, sourceAt(n))
	if err != nil {
		return Loss{}, err
	}
	defer conn.Close() //nolint:errcheck // everything was said on it
	beside, err := r.connect(ctx, sourceAt(n))
	if err != nil {
		return Loss{}, err
	}
	defer beside.Close() //nolint:errcheck // as above
	has, err := conn.Halt(ctx, beside)
	if err != nil {
		return Loss{}, err
	}
	if !stored {
		relay = nil
	}
	return r.lose(ctx, conn, has, end, dir, relay)
}

// lose does it for a slave that takes nothing more; relay is nil where nothing is
// stored.
func (r *Replicator) lose(ctx context.Context, conn *control.Conn, has, end *cluster.GTIDSet, dir string, relay *relay) (loss Loss, err error) {
	loss = Loss{Set: end.Subtract(has), End: end.Intersect(has)}
	lost := errant.Lost{Set: loss.Set, Master: conn.Node().Name, Has: has, Columns: conn.Columns}
	switch {
	case loss.Set.IsEmpty():
		return loss, nil
	case relay != nil && has.ContainsSet(relay.stored.Executed()):
		loss.Files, err = kept(dir) // of an attempt before this one
		if err != nil || len(loss.Files) > 0 {
			return loss, err
		}
	case relay != nil:
		lost.Log = relay.stored
	}
	if loss.Files, err = errant.SaveLost(ctx, lost, dir, r.log); err != nil || relay == nil {
		return loss, err
	}
	loss.End, err = relay.cutBack(has)
	return loss, err
}

// kept are the files in a directory; none where there is none.
func kept(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

// cutBack forgets what is stored behind what a server has; whoever still waits to
// hear of a write there is not told that it was committed.
func (r *relay) cutBack(has *cluster.GTIDSet) (*cluster.GTIDSet, error) {
	end, err := r.stored.CutBack(has)
	if err != nil {
		return end, err
	}
	r.sink.index.CutBack(end)
	if left := r.left.Load(); left != nil {
		r.left.Store(&leftServer{left.identity, end})
	}
	r.changed.send()
	return end, nil
}

// without are the slaves but for one that takes nothing more, because it is about
// to be the master.
func without(slaves []control.Slave, name *string) (out []control.Slave) {
	for _, s := range slaves {
		if name == nil || s.Node.Name != *name {
			out = append(out, s)
		}
	}
	return out
}
