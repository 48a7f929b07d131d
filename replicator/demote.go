package replicator

import (
	"context"
	"errors"
	"fmt"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
)

// Demote makes a node that was the master, and that no client uses, ready to be a
// slave: read-only, its events disabled, no commit waiting. A *control.ErrantError
// where it has transactions that are not stored, a *control.OwnError where it
// lacks some that it wrote itself: it can only be copied anew then, and is not to
// be kept as a slave before that.
func (r *Replicator) Demote(ctx context.Context, n cluster.Node) error {
	if r.cluster.Load().MasterIdentity == n.Identity {
		return fmt.Errorf("demote %s: %w", n.Name, cluster.ErrIsMaster)
	}
	var self control.Self
	if err := r.order(ctx, sourceAt(n), func(ctx context.Context, c *control.Conn) (err error) {
		if err = c.Demote(ctx); err == nil {
			self, err = c.Self(ctx)
		}
		return err
	}); err != nil {
		return err
	}
	relay := r.relay.Load()
	switch {
	case !r.promised.Load():
		return r.demoteDirect(ctx, n, self)
	case relay == nil:
		return fmt.Errorf("demote %s: %w", n.Name, errNotOpen)
	}
	if err := relay.mayFollow(ctx, n, self); err != nil {
		return err
	}
	return r.forgive(n.Identity)
}

// demoteDirect compares with what the master has now, where nothing is stored.
func (r *Replicator) demoteDirect(ctx context.Context, n cluster.Node, self control.Self) error {
	has := r.masterNow(ctx)
	if has == nil {
		return fmt.Errorf("demote %s: the master does not say what it has", n.Name)
	}
	if extra := self.Has.Subtract(has); !extra.IsEmpty() {
		return &control.ErrantError{Node: n.Name, Extra: extra}
	}
	if self.Own != nil {
		return owns(n.Name, self, has)
	}
	extra, _, err := r.lackedByMaster(ctx, self.Has)
	if err == nil && !extra.IsEmpty() {
		err = &control.ErrantError{Node: n.Name, Extra: extra}
	}
	return err
}

// lackedByMaster is what the present master of a MariaDB fleet does not have of a
// position, and the position up to which it has all.
func (r *Replicator) lackedByMaster(ctx context.Context, position *cluster.GTIDSet) (extra, common *cluster.GTIDSet, err error) {
	from, ok := r.sourceOf(r.cluster.Load())
	if !ok {
		return nil, nil, fmt.Errorf("ask the master what it has: %w", errNotOpen)
	}
	err = r.order(ctx, from, func(ctx context.Context, c *control.Conn) (err error) {
		extra, common, err = c.Lacks(ctx, position)
		return err
	})
	return extra, common, err
}

// owns is an *control.OwnError where a MySQL lacks of its own what its source has.
func owns(node string, self control.Self, source *cluster.GTIDSet) error {
	if self.Own == nil {
		return nil
	}
	if missing := source.Subtract(self.Has).Intersect(self.Own); !missing.IsEmpty() {
		return &control.OwnError{Node: node, Missing: missing}
	}
	return nil
}

// mayFollow says why a node cannot be a slave of the stored log.
func (r *relay) mayFollow(ctx context.Context, n cluster.Node, self control.Self) error {
	extra, err := r.stored.Foreign(self.Has)
	switch purged := (*storedlog.PurgedError)(nil); {
	case errors.As(err, &purged):
		return nil // the keeper tells that it needs a copy
	case err != nil:
		return fmt.Errorf("demote %s: %w", n.Name, err)
	case !extra.IsEmpty():
		return &control.ErrantError{Node: n.Name, Extra: extra}
	case self.Own != nil:
		return owns(n.Name, self, r.stored.Executed())
	}
	own, err := r.stored.OwnBehind(ctx, self.Has, self.ServerID)
	if errors.As(err, new(*storedlog.PurgedError)) {
		return nil
	}
	if err != nil || own.IsZero() {
		return err
	}
	return &control.OwnError{Node: n.Name, Missing: cluster.EmptyGTIDSet(own.Flavour).With(own)}
}
