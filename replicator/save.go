package replicator

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
	"github.com/bellwether-db/bellwether/replicator/errant"
)

// saveHeartbeat is how often a server says that it has nothing more.
const saveHeartbeat = 500 * time.Millisecond

// Save writes what only this node has into dir, and returns the names of the files
// there: the raw events, which mysqlbinlog and mariadb-binlog read, and last the
// same as SQL for people. On MariaDB, where a position says only how far a server
// is, it is what the node has behind the last position of the stored log that it
// knows.
func (r *Replicator) Save(ctx context.Context, n cluster.Node, extra *cluster.GTIDSet, dir string) ([]string, error) {
	conn, err := r.connect(ctx, sourceAt(n))
	if err != nil {
		return nil, err
	}
	defer conn.Close() //nolint:errcheck // everything was said on it
	self, err := conn.Self(ctx)
	if err != nil {
		return nil, err
	}
	id, err := loadIdentity(r.settings().Dir)
	if err != nil {
		return nil, err
	}
	config := r.upstreamOf(id, sourceAt(n))
	config.Heartbeat = saveHeartbeat
	s := errant.Source{Name: n.Name, Upstream: config, Has: self.Has, After: []*cluster.GTIDSet{self.Has.Subtract(extra)}, Columns: conn.Columns}
	if self.Has.Flavour() == cluster.FlavourMariaDB {
		if s.After, err = r.commonWith(ctx, self); err != nil {
			return nil, err
		}
	}
	return errant.Save(ctx, s, dir, r.log.With("node", n.Name))
}

// commonWith are the positions of the stored log that a MariaDB may have been at,
// the latest first: one at the beginning of each file, and so one where a master
// was followed by the next. Where nothing is stored, the master says it.
func (r *Replicator) commonWith(ctx context.Context, self control.Self) (out []*cluster.GTIDSet, err error) {
	relay := r.relay.Load()
	if relay == nil {
		extra, common, err := r.lackedByMaster(ctx, self.Has)
		if err == nil && extra.IsEmpty() {
			err = errors.New("the master does not know what it has in common with this node")
		}
		return []*cluster.GTIDSet{common}, err
	}
	for _, f := range slices.Backward(relay.stored.Files()) {
		if self.Has.ContainsSet(f.Before) && !f.Before.ContainsSet(self.Has) {
			out = append(out, f.Before)
		}
	}
	return out, nil
}
