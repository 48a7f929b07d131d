package replicator

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
)

// waiting is a master whose commits were made to wait for the stored log. They
// would wait for ever once nobody acknowledges, so it is remembered on disk. The
// zero value is none.
type waiting struct {
	Identity string `json:"identity"`
	// Before says that they waited for somebody else already.
	Before bool `json:"before"`
}

const waitingName = "waiting.json"

// loadWaiting reads what is remembered in dir.
func loadWaiting(dir string) (w waiting, err error) {
	if err = readJSON(dir, waitingName, &w); err != nil {
		return w, fmt.Errorf("read whose commits wait: %w", err)
	}
	return w, nil
}

// Released says whether no master is left whose commits were made to wait for the
// stored log of a configuration.
func Released(c Config) (bool, error) {
	w, err := loadWaiting(c.Dir)
	return err == nil && w.Identity == "", err
}

// note remembers a master before its commits are made to wait.
func (r *relay) note(ctx context.Context, c *control.Conn) error {
	dir, identity := r.settings().Dir, c.Node().Identity
	w, err := loadWaiting(dir)
	if err != nil || w.Identity == identity {
		return err
	}
	s, err := c.SemiSync(ctx)
	if err != nil {
		return err
	}
	return writeJSON(dir, waitingName, waiting{identity, s.Enabled})
}

// asynchronous has the commits of whoever was made to wait for the stored log go
// on by themselves, unless others acknowledge them as before. It tries until that
// is done, and reports that it is.
func (r *Replicator) asynchronous(ctx context.Context) bool {
	for ctx.Err() == nil {
		changed := r.changed.wait()
		wait, err := orderPause, r.letGo(ctx)
		switch {
		case err == nil:
			return true
		case errors.Is(err, errUnseen):
			wait = lookInterval
		case ctx.Err() == nil:
			r.troubled(fmt.Errorf("commits of the master still wait to be stored: %w", err))
		}
		pauseUntil(ctx, wait, changed)
	}
	return false
}

// errUnseen says that the master that was made to wait does not answer.
var errUnseen = errors.New("the master whose commits were made to wait does not answer")

// letGo does that once.
func (r *Replicator) letGo(ctx context.Context) error {
	dir := r.settings().Dir
	w, err := loadWaiting(dir)
	if err != nil || w.Identity == "" {
		return err
	}
	node, ok := identified(r.cluster.Load(), w.Identity)
	if !ok {
		return errUnseen
	}
	if err := r.order(ctx, node, func(ctx context.Context, c *control.Conn) error {
		s, err := c.SemiSync(ctx)
		if err == nil && w.Before && s.Clients > r.streams() {
			r.log.Warn("commits wait for the slaves' acknowledgement again, but now without a time limit; set the timeout of semi-synchronous replication as it was", "node", node.name)
			return nil
		}
		return errors.Join(err, c.DisableSemiSync(ctx))
	}); err != nil {
		return err
	}
	r.log.Info("commits do not wait for the stored log any more", "node", node.name)
	if err := os.Remove(filepath.Join(dir, waitingName)); err != nil {
		return fmt.Errorf("forget whose commits wait: %w", err)
	}
	return nil
}

// streams is how many of a master's acknowledging clients are ours.
func (r *Replicator) streams() int {
	if r.relay.Load() != nil {
		return 1
	}
	return 0
}

// identified is the node that a server answers at.
func identified(t *cluster.Topology, identity string) (source, bool) {
	for i := range t.Nodes {
		if n := &t.Nodes[i]; n.Identity == identity && n.Health == cluster.HealthUp {
			return source{name: n.Name, addr: n.Addr, identity: identity}, true
		}
	}
	return source{}, false
}
