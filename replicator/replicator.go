package replicator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
	"github.com/bellwether-db/bellwether/replicator/downstream"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
)

// Topologies is where the published topology is read.
type Topologies interface{ Load() *cluster.Topology }

// Replicator owns the stream of writes. Run is for one goroutine, everything
// else for any.
type Replicator struct {
	config  Config
	cluster Topologies
	log     *slog.Logger

	relay  atomic.Pointer[relay]          // nil until the stored log is open
	keeper atomic.Pointer[control.Keeper] // nil until Run has come so far
	opened chan struct{}                  // closed once there is a relay
	former atomic.Pointer[formerMaster]   // the server that is refused, if any

	unprotectedWrites atomic.Uint64 // that went on although they were not stored
}

// New makes a replicator. It starts nothing.
func New(c Config, topologies Topologies, log *slog.Logger) *Replicator {
	return &Replicator{config: c, cluster: topologies, log: log, opened: make(chan struct{})}
}

// Run feeds the slaves until the context ends. Its error is one that no later
// attempt can mend: of the directory, of the stored log, of the address.
func (r *Replicator) Run(ctx context.Context) error {
	if r.config.Feed == FeedDirect {
		return r.runDirect(ctx)
	}
	if err := os.MkdirAll(r.config.Dir, 0o700); err != nil {
		return fmt.Errorf("make the replicator's directory: %w", err)
	}
	id, err := loadIdentity(r.config.Dir)
	if err != nil {
		return err
	}
	former, err := loadFormer(r.config.Dir)
	if err != nil {
		return err
	}
	r.former.Store(&former)
	master, err := r.awaitMaster(ctx)
	if err != nil {
		return nil //nolint:nilerr // ctx ended before there was a master
	}
	relay, err := r.open(ctx, id, master)
	if err != nil || relay == nil {
		return err
	}
	r.relay.Store(relay)
	close(r.opened)
	return errors.Join(relay.run(ctx), relay.stored.Close())
}

// lookInterval is how often the topology is looked at for what has no signal.
const lookInterval = 50 * time.Millisecond

// awaitMaster waits until the master is known and answers: from it come the
// flavour and the version that the stored log and the slaves are to see.
func (r *Replicator) awaitMaster(ctx context.Context) (cluster.Node, error) {
	tick := time.NewTicker(lookInterval)
	defer tick.Stop()
	for {
		if m := r.cluster.Load().MasterNode(); m != nil && m.Health == cluster.HealthUp {
			return *m, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return cluster.Node{}, ctx.Err()
		}
	}
}

// open opens the stored log, has a new one begin where it must, and takes the
// address for slaves. It returns nil once ctx has ended.
func (r *Replicator) open(ctx context.Context, id identity, master cluster.Node) (*relay, error) {
	stored, err := storedlog.Open(storedlog.Config{
		Dir: r.config.StoredLog(), Flavour: master.Flavour, ServerID: id.ServerID,
		FileSize: r.config.FileSize, MaxBytes: r.config.MaxBytes, MaxAge: r.config.MaxAge, Key: r.config.Key,
	}, r.log)
	if err != nil {
		return nil, err
	}
	if stored.Executed().IsEmpty() {
		if err := r.seed(ctx, stored); err != nil {
			err = errors.Join(err, stored.Close())
			if ctx.Err() != nil {
				return nil, nil
			}
			return nil, err
		}
	}
	c := downstream.Config{
		Listen: r.config.Listen, Flavour: master.Flavour, Version: master.Version, ServerID: id.ServerID, UUID: id.UUID,
		Accounts: id.accounts(), TLS: r.config.TLS, RSA: r.config.RSA,
	}
	server, err := downstream.New(c, downstream.Stored(stored), r.log)
	if err != nil {
		return nil, errors.Join(err, stored.Close())
	}
	return newRelay(r, id, stored, server), nil
}

// seedPatience is how long the nodes have to be seen before a new stored log
// begins without those that are not.
const seedPatience = 20 * time.Second

// seed has a new log begin behind what all nodes have.
func (r *Replicator) seed(ctx context.Context, stored *storedlog.Log) error {
	tick, late := time.NewTicker(lookInterval), time.NewTimer(seedPatience)
	defer tick.Stop()
	defer late.Stop()
	for patient := true; ; {
		set, complete := beginning(r.cluster.Load())
		if set != nil && (complete || !patient) {
			r.log.Info("the stored log begins", "gtid", set.String(), "all_nodes", complete)
			return stored.Seed(set)
		}
		select {
		case <-tick.C:
		case <-late.C:
			patient = false
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// run runs everything until ctx ends, or one of it fails.
func (r *relay) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.server.Run(ctx) })
	group.Go(func() error { return r.follow(ctx) })
	group.Go(func() error { return r.keep(ctx) })
	group.Go(func() error { return r.readySlaves(ctx) })
	group.Go(func() error { return r.retain(ctx) })
	return group.Wait()
}
