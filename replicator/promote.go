package replicator

import (
	"context"
	"fmt"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
)

// Promote makes a slave, which is the published master by now, ready to be one
// and leaves it read-only: it follows nobody, its commits can be made to wait, its
// binary log is flushed. A slave that lacks what is stored is refused
// (control.ErrLacks) and left as it is. Doing it again does no harm.
func (r *Replicator) Promote(ctx context.Context, n cluster.Node) error {
	if err := r.unkept(ctx, n.Name); err != nil {
		return fmt.Errorf("promote %s: it is still kept as a slave: %w", n.Name, err)
	}
	leave, err := r.nodes.enter(ctx, n.Name)
	if err != nil {
		return fmt.Errorf("promote %s: it is still being looked at: %w", n.Name, err)
	}
	defer leave()
	return r.order(ctx, sourceAt(n), r.promote)
}

func sourceAt(n cluster.Node) source {
	return source{name: n.Name, addr: n.Addr, identity: n.Identity}
}

// unkept waits until the keeper of slaves does nothing more at a node that is
// none any more.
func (r *Replicator) unkept(ctx context.Context, name string) error {
	k := r.keeper.Load()
	if k == nil {
		return nil
	}
	released := k.Released(name)
	if released == nil {
		return nil
	}
	k.Nudge()
	select {
	case <-released:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// promote has the upstream begin as soon as it need not read the node's old
// binary log, while the node is still being detached: it is read-only, so nothing
// comes of that, and writes wait for both.
func (r *Replicator) promote(ctx context.Context, c *control.Conn) error {
	ready := func() {
		identity := c.Node().Identity
		r.promoted.Store(&identity)
		r.changed.send()
	}
	relay, err := r.opened(ctx)
	if err != nil {
		return err
	}
	if relay == nil {
		return c.Promote(ctx, nil, ready)
	}
	waits, err := c.Waits(ctx)
	if err == nil && !waits {
		err = relay.set(ctx, c)
	}
	if err != nil {
		return err
	}
	return c.Promote(ctx, relay.stored.Executed(), ready)
}

// opened waits until the stored log is open, as after a restart: a node is neither
// held against what is stored before that, nor made ready to wait for it. nil where
// nothing is promised.
func (r *Replicator) opened(ctx context.Context) (*relay, error) {
	for {
		changed, relay := r.changed.wait(), r.relay.Load()
		switch {
		case !r.promised.Load():
			return nil, nil
		case relay != nil:
			return relay, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", errNotOpen, ctx.Err())
		}
	}
}

// Attach returns once the published master is n, its binary log is being read and
// its commits wait until they are stored; at once where nothing is promised. Its
// error is ctx's, with what it waited for.
func (r *Replicator) Attach(ctx context.Context, n cluster.Node) error {
	for {
		changed := r.changed.wait()
		if !r.promised.Load() {
			return nil
		}
		relay := r.relay.Load()
		if relay != nil && relay.attached(n.Identity) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("attach to %s: %s: %w", n.Name, relay.unattached(n.Identity), ctx.Err())
		}
	}
}

// attached says whether commits of a server wait until they are stored here.
func (r *relay) attached(identity string) bool {
	from, begun := r.reading.Load(), r.begun.Load()
	if from == nil || from.identity != identity || begun == nil {
		return false
	}
	s := begun.client.Status()
	return s.Connected && s.Identity == identity && r.protection.now.Load()
}

// unattached says why not.
func (r *relay) unattached(identity string) string {
	if r == nil {
		return errNotOpen.Error()
	}
	if from := r.reading.Load(); from == nil || from.identity != identity {
		return "another server is read, or none"
	}
	reason, _ := r.Unprotected()
	return reason
}
