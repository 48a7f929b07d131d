package replicator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
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

// Replicator owns the stream of writes. Run is for one goroutine, Configure for
// one at a time, everything else for any.
type Replicator struct {
	current atomic.Pointer[Config]
	changed signal // the configuration, the relay or the promise did
	cluster Topologies
	log     *slog.Logger

	relay  atomic.Pointer[relay]          // nil until the stored log is open
	keeper atomic.Pointer[control.Keeper] // nil until Run has come so far
	former atomic.Pointer[formerMaster]   // the server that is refused, if any
	// promised says that no OK of a write goes to a client before the write is
	// stored: with FeedRelay from the start, or once a fleet has been adopted,
	// until its slaves are back at the master.
	promised atomic.Bool
	alone    atomic.Bool            // every slave that serves was seen to be fed from the stored log
	trouble  atomic.Pointer[string] // what keeps a fleet from being adopted, or released
	promoted atomic.Pointer[string] // the identity of the server that Promote made ready
	apart    atomic.Pointer[string] // who takes nothing more, and so is to be the master or follows again
	nodes    turnstile              // who is being made ready to be the master
	aside    aside                  // who is not kept for a moment
	told     told                   // what is said once

	// watched, of Run alone, is since when nothing was stored that an index of who
	// wrote it has not seen.
	watched time.Time

	remembering sync.Mutex // held while the file of the master's events changes

	unprotectedWrites atomic.Uint64 // that went on although they were not stored
	lost              unstored      // which those are, as long as they are not
}

// New makes a replicator. It starts nothing.
func New(c Config, topologies Topologies, log *slog.Logger) *Replicator {
	r := &Replicator{cluster: topologies, log: log, watched: time.Now()}
	r.current.Store(&c)
	r.promised.Store(c.Feed == FeedRelay)
	return r
}

// Run feeds the slaves until the context ends, as the configuration of the time
// has it. Its error is one that no later attempt can mend: of the directory, of
// the stored log, of the address.
func (r *Replicator) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		run := r.runDirect
		if r.settings().Feed == FeedRelay {
			run = r.runRelay
		}
		if err := run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// runRelay feeds the slaves from the stored log until ctx ends, or until another
// feed is wanted and they have gone to the master. While nothing is promised
// yet, what fails costs no more than another attempt.
func (r *Replicator) runRelay(ctx context.Context) error {
	var relay *relay
	changed := r.changed.wait()
	err := r.whileWanted(ctx, FeedRelay, func(ctx context.Context) (err error) {
		relay, err = r.begin(ctx)
		return err
	})
	if err == nil && relay != nil {
		r.relay.Store(relay)
		r.changed.send()
		err = errors.Join(relay.run(ctx), relay.stored.Close())
		r.watched = time.Now()
		if ctx.Err() != nil {
			return err // what is asked now is answered as before
		}
		r.relay.Store(nil)
	}
	if err != nil && !r.promised.Load() {
		r.troubled(fmt.Errorf("the stored log cannot be used: %w", err))
		pauseUntil(ctx, refusalPause, changed)
		return nil
	}
	return err
}

// begin makes what the stream needs, once the master answers; nil where ctx
// ended before that.
func (r *Replicator) begin(ctx context.Context) (*relay, error) {
	c := *r.settings()
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the replicator's directory: %w", err)
	}
	id, err := loadIdentity(c.Dir)
	if err != nil {
		return nil, err
	}
	former, err := loadFormer(c.Dir)
	if err != nil {
		return nil, err
	}
	r.former.Store(&former)
	last, err := loadLastMaster(c.Dir)
	if err != nil {
		return nil, err
	}
	master, err := r.awaitMaster(ctx, last)
	if err != nil {
		return nil, nil //nolint:nilerr // ctx ended before there was a master
	}
	opened, err := r.open(ctx, c, id, master)
	if errors.Is(err, errNothingStored) {
		if master, err = r.awaitMaster(ctx, nil); err != nil {
			return nil, nil //nolint:nilerr // as above
		}
		opened, err = r.open(ctx, c, id, master)
	}
	if err == nil && opened != nil {
		if err := keepLastMaster(c.Dir, master); err != nil {
			r.log.Warn("without a master the stored log cannot be opened again", "error", err)
		}
	}
	return opened, err
}

// errNothingStored: a log that was opened without a master is empty.
var errNothingStored = errors.New("nothing is stored")

// pauseUntil waits, but not once something has changed or ctx has ended.
func pauseUntil(ctx context.Context, most time.Duration, changed <-chan struct{}) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-changed:
	case <-ctx.Done():
	}
}

// lookInterval is how often the topology is looked at for what has no signal.
const lookInterval = 50 * time.Millisecond

// awaitMaster waits until the master is known and answers: from it come the
// flavour and the version that the stored log and the slaves are to see. Where
// it is down it is the one that the log was last opened with, if there is one: who
// replaces the master needs what is stored.
func (r *Replicator) awaitMaster(ctx context.Context, last *cluster.Node) (cluster.Node, error) {
	tick := time.NewTicker(lookInterval)
	defer tick.Stop()
	for {
		if m := r.cluster.Load().MasterNode(); m != nil && m.Health == cluster.HealthUp {
			return *m, nil
		} else if last != nil && m != nil && m.Health == cluster.HealthDown {
			return *last, nil
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
func (r *Replicator) open(ctx context.Context, settings Config, id identity, master cluster.Node) (*relay, error) {
	stored, err := storedlog.Open(storedlog.Config{
		Dir: settings.StoredLog(), Flavour: master.Flavour, ServerID: id.ServerID,
		FileSize: settings.FileSize, MaxBytes: settings.MaxBytes, MaxAge: settings.MaxAge, Key: settings.Key,
	}, r.log)
	if err != nil {
		return nil, err
	}
	if master.Name == "" && stored.Executed().IsEmpty() {
		return nil, errors.Join(errNothingStored, stored.Close())
	}
	if has := stored.Executed(); has.IsEmpty() || r.needless(has) {
		if err := r.seed(ctx, stored); err != nil {
			err = errors.Join(err, stored.Close())
			if ctx.Err() != nil {
				return nil, nil
			}
			return nil, err
		}
		r.watched = time.Now()
	}
	c := downstream.Config{
		Listen: settings.Listen, Flavour: master.Flavour, Version: master.Version, ServerID: id.ServerID, UUID: id.UUID,
		Accounts: id.accounts(), Guest: r.guest, TLS: r.shown(settings.TLS), RSA: settings.RSA,
	}
	server, err := downstream.New(c, downstream.Stored(stored), r.log)
	if err != nil {
		return nil, errors.Join(err, stored.Close())
	}
	return newRelay(r, id, stored, server), nil
}

// needless says whether every node has all that an older log holds, and more: a
// fleet that is adopted again. Then nobody needs it, and what the master wrote
// since need not be fetched, nor be in its binary logs any more.
func (r *Replicator) needless(stored *cluster.GTIDSet) bool {
	set, complete := beginning(r.cluster.Load())
	return !r.promised.Load() && complete && set != nil && set.ContainsSet(stored) && !stored.ContainsSet(set)
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
			return stored.Restart(set)
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

// errReleased ends a relay that nobody needs any more.
var errReleased = errors.New("the slaves follow the master")

// run runs everything until ctx ends, one of it fails, or the slaves have gone to
// the master because they are to.
func (r *relay) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.server.Run(ctx) })
	group.Go(func() error { return r.follow(ctx) })
	group.Go(func() error { return r.conduct(ctx) })
	group.Go(func() error { return r.readySlaves(ctx) })
	group.Go(func() error { return r.retain(ctx) })
	group.Go(func() error { return r.watchEvents(ctx) })
	if err := group.Wait(); !errors.Is(err, errReleased) {
		return err
	}
	return nil
}
