package replicator

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/upstream"
	"github.com/bellwether-db/bellwether/wire"
)

// source is the server that the stored log is fed from: the recorded master.
// It is a value; two are equal if nothing has to change.
type source struct {
	name, addr, identity string
	operator             cluster.Account // to log in there
}

// sourceOf is the master of a topology, once the server at its address is the
// one that was recorded.
func (r *Replicator) sourceOf(t *cluster.Topology) (source, bool) {
	m := t.MasterNode()
	if m == nil || t.MasterIdentity == "" {
		return source{}, false
	}
	return source{m.Name, m.Addr, t.MasterIdentity, r.settings().Nodes.Operator}, true
}

// refusalPause is between two attempts after an upstream was refused: only
// something from outside changes that.
const refusalPause = 5 * time.Second

// follow reads from whoever is the master, one after the other, until ctx ends.
func (r *relay) follow(ctx context.Context) error {
	tick := time.NewTicker(lookInterval)
	defer tick.Stop()
	for ctx.Err() == nil {
		t := r.cluster.Load()
		if from, ok := r.sourceOf(t); ok {
			if err := r.readUnlessRejected(ctx, from); err != nil {
				r.refused(err)
				r.pauseAfter(ctx, from, err)
			}
		}
		select {
		case <-tick.C:
		case <-t.Replaced():
		case <-ctx.Done():
		}
	}
	return nil
}

// readUnlessRejected reads from a master that is not known to be a former one,
// as long as it is the published one.
func (r *relay) readUnlessRejected(ctx context.Context, from source) error {
	if err := r.rejected(from.identity); err != nil {
		return err
	}
	defer r.letGoOf()
	if !r.takes(from) {
		return nil
	}
	return r.remember(from.identity, r.read(ctx, from))
}

// takes notes whom is read from now on, and then looks whether that one is still
// to be read: so whoever sees first that there is no such master, and then that
// nobody is read, has seen the last of it. See Seal.
func (r *relay) takes(from source) bool {
	r.reading.Store(&from)
	now, ok := r.sourceOf(r.cluster.Load())
	return ok && now == from
}

// letGoOf notes that nobody is read, and that nothing more will be stored.
func (r *relay) letGoOf() {
	r.left.Store(&leftServer{r.reading.Load().identity, r.stored.Executed()})
	r.reading.Store(nil)
	r.changed.send()
}

// read reads from one master until ctx ends or it is the published one no more;
// its error is a *upstream.Refusal, or about the disk.
func (r *relay) read(ctx context.Context, from source) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var group errgroup.Group
	group.Go(func() error {
		defer stop()
		r.untilMoved(ctx, from)
		return nil
	})
	r.awaitOpen(ctx, from)
	r.prepare(ctx, from, r.setUnread)
	client := upstream.New(r.upstream(from), r.sink, r.log.With("node", from.name))
	r.begun.Store(&reading{client, time.Now()})
	group.Go(func() error {
		defer stop()
		return client.Run(ctx)
	})
	group.Go(func() error {
		defer stop()
		r.acknowledge(ctx, from, client)
		return nil
	})
	group.Go(func() error {
		defer stop()
		return r.forgets(ctx, from)
	})
	err := group.Wait()
	if refusal := (*upstream.Refusal)(nil); errors.As(err, &refusal) && refusal.Reason == upstream.ReasonSink {
		return errors.Join(err, r.stored.Recover())
	}
	return err
}

// openPatience is how long a new master has to be opened for writes before it
// is read all the same.
const openPatience = 3 * time.Second

// awaitOpen waits until the master is seen to take writes: only then can it get
// what it lacks without anybody's read_only being undone. A master that stays
// closed is read nevertheless; one that was promoted at once, since it is opened
// only when it is read.
func (r *relay) awaitOpen(ctx context.Context, from source) {
	ctx, cancel := context.WithTimeout(ctx, openPatience)
	defer cancel()
	tick := time.NewTicker(lookInterval)
	defer tick.Stop()
	for {
		changed, t := r.changed.wait(), r.cluster.Load()
		if m := t.MasterNode(); t.Writes == cluster.WritesOpen && m != nil && !m.ReadOnly {
			return
		}
		if promoted := r.promoted.Load(); promoted != nil && *promoted == from.identity {
			return
		}
		select {
		case <-tick.C:
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// upstream is how to read from a master.
func (r *relay) upstream(from source) upstream.Config {
	c := r.upstreamOf(r.id, from)
	c.SemiSync, c.Met = true, r.sink.index.Met
	return c
}

// upstreamOf is how to read from a server, without a word to it.
func (r *Replicator) upstreamOf(id identity, from source) upstream.Config {
	nodes := r.settings().Nodes
	return upstream.Config{
		Addr: from.addr, User: nodes.Operator.User, Secret: wire.PasswordSecret(nodes.Operator.Password),
		TLS: r.settings().NodeTLS, TLSConfig: nodes.TLS, Identity: from.identity,
		ServerID: id.ServerID, UUID: id.UUID, Heartbeat: r.settings().Heartbeat,
	}
}

// untilMoved returns when another master is published, or none, or another account
// to read it with, or ctx ends.
func (r *relay) untilMoved(ctx context.Context, from source) {
	r.until(ctx, func() bool {
		now, ok := r.sourceOf(r.cluster.Load())
		return !ok || now != from
	})
}

// until returns when something is, or ctx ends.
func (r *relay) until(ctx context.Context, is func() bool) {
	for {
		changed, t := r.changed.wait(), r.cluster.Load()
		if is() {
			return
		}
		select {
		case <-changed:
		case <-t.Replaced():
		case <-ctx.Done():
			return
		}
	}
}

// diskPause is between two tries of a disk that failed.
const diskPause = 500 * time.Millisecond

// pauseAfter waits before a master is read again that could not be. A disk that
// failed is tried meanwhile: a master that has died brings nothing which would
// show that there is room again, and while that is not known nobody is promoted.
func (r *relay) pauseAfter(ctx context.Context, from source, err error) {
	refusal := (*upstream.Refusal)(nil)
	if !errors.As(err, &refusal) || refusal.Reason != upstream.ReasonSink {
		r.pauseUnlessMoved(ctx, from, refusalPause)
		return
	}
	for ctx.Err() == nil {
		r.pauseUnlessMoved(ctx, from, diskPause)
		if now, ok := r.sourceOf(r.cluster.Load()); !ok || now != from || r.sink.tryAgain() == nil {
			return
		}
	}
}

// pauseUnlessMoved waits, but not once there is another master, or it has been
// promoted: what it was refused for before may be no more.
func (r *relay) pauseUnlessMoved(ctx context.Context, from source, most time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	ready := r.promoted.Load()
	r.until(ctx, func() bool {
		now, ok := r.sourceOf(r.cluster.Load())
		return !ok || now != from || r.promoted.Load() != ready
	})
}

// refused tells that the master cannot be read, each different reason once.
func (r *relay) refused(err error) {
	if text := err.Error(); r.lastRefusal != text {
		r.lastRefusal = text
		r.trouble.Store(&text)
		r.log.Error("the master cannot be read; slaves get nothing new until it can", "error", err)
	}
}
