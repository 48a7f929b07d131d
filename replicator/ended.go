package replicator

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
	"github.com/bellwether-db/bellwether/replicator/outcome"
)

// OutcomeState says how a write ended. The zero value is unknown.
type OutcomeState uint8

// The states.
const (
	OutcomeUnknown OutcomeState = iota
	OutcomeCommitted
	OutcomeNotCommitted // and never will be
)

// String returns the state in lower case.
func (s OutcomeState) String() string {
	return [...]string{"unknown", "committed", "not committed"}[min(s, 2)]
}

// Outcome is how a write ended. It is a value.
type Outcome struct {
	State OutcomeState
	// GTID is that of the transaction, where it was committed.
	GTID cluster.GTID
	// Rows says what it changed, by table in the order of its events, where all of
	// that is known and was rows; nil else.
	Rows []outcome.Changed
}

// Why the outcome of a write stays unknown.
var (
	ErrNotStored = errors.New("writes are not stored, or not yet")
	ErrAmbiguous = errors.New("another connection may have had the same id, or nothing tells which transaction it was")
)

// Outcome waits until it is final how a write ended. It is committed as soon as
// its transaction is in the stored log. It is not committed once it is not there
// and never can be: another server is the master, so that nothing of the former
// one is stored any more; or the server is the same, its connection was killed
// here and seen gone, and the stored log then has all that the server has. With
// ctx's end, or where nobody can tell, it is OutcomeUnknown, and the error says
// why.
func (r *Replicator) Outcome(ctx context.Context, w outcome.Write) (Outcome, error) {
	var gone *cluster.GTIDSet // what the server had when the connection was gone
	var why error
	for {
		changed, stored, t := r.changed.wait(), r.storedChanged(), r.cluster.Load()
		relay := r.relay.Load()
		if !r.promised.Load() {
			return Outcome{}, ErrNotStored
		}
		if relay == nil {
			select {
			case <-changed: // it is being begun
				continue
			case <-ctx.Done():
				return Outcome{}, errors.Join(ctx.Err(), ErrNotStored)
			}
		}
		final := relay.final(t, w.Identity) || gone != nil && relay.stored.Executed().ContainsSet(gone)
		found, verdict := relay.sink.index.Find(w)
		switch {
		case verdict == outcome.Ambiguous:
			return Outcome{}, ErrAmbiguous
		case verdict == outcome.Found && relay.stored.Executed().Contains(found.GTID):
			return Outcome{OutcomeCommitted, found.GTID, relay.changes(found)}, nil
		case final:
			return relay.absent(w)
		}
		var retry <-chan time.Time
		if m := t.MasterNode(); m != nil && t.MasterIdentity == w.Identity && gone == nil {
			if gone, why = relay.exclude(ctx, t, w); errors.Is(why, control.ErrWhose) {
				return Outcome{}, why
			}
			if why == nil {
				continue
			}
			retry = time.After(excludePause)
		}
		select {
		case <-changed:
		case <-stored:
		case <-t.Replaced():
		case <-retry:
		case <-ctx.Done():
			return Outcome{}, errors.Join(ctx.Err(), why)
		}
	}
}

// final says whether nothing of a server can be stored any more: another one is
// the master, and it is let go of.
func (r *relay) final(t *cluster.Topology, identity string) bool {
	if t.MasterNode() == nil || t.MasterIdentity == identity {
		return false
	}
	from := r.reading.Load()
	return from == nil || from.identity != identity
}

// absent is the end where a write is not stored, unless it cannot be told from
// a MariaDB's transactions, which have no thread id unless they are definitions.
func (r *relay) absent(w outcome.Write) (Outcome, error) {
	if w.Mark == "" && !w.Definition && r.stored.Executed().Flavour() == cluster.FlavourMariaDB {
		return Outcome{}, fmt.Errorf("it has no mark: %w", ErrAmbiguous)
	}
	return Outcome{State: OutcomeNotCommitted}, nil
}

const (
	// excludePause is between two attempts at a server that does not answer.
	excludePause = 250 * time.Millisecond
	// excludeTimeout bounds one, and excluders is how many are made at a time.
	excludeTimeout = 3 * time.Second
	excluders      = 4
)

// exclude ends a write's connection to the present master, and returns what that
// has afterwards.
func (r *relay) exclude(ctx context.Context, t *cluster.Topology, w outcome.Write) (has *cluster.GTIDSet, err error) {
	from, ok := r.sourceOf(t)
	if !ok {
		return nil, errNotOpen
	}
	ctx, end := whileCurrent(ctx, t)
	defer end()
	select {
	case r.excluding <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-r.excluding }()
	err = r.order(ctx, from, func(ctx context.Context, c *control.Conn) error {
		has, err = c.End(ctx, w.Thread, w.Opened, r.sink.index.Started(w.Identity, w.Opened))
		return err
	})
	return has, err
}

// whileCurrent is a context that ends with ctx, after a time, or once another
// topology is published. The function returned ends it, too.
func whileCurrent(ctx context.Context, t *cluster.Topology) (context.Context, func()) {
	ctx, cancel := context.WithTimeout(ctx, excludeTimeout)
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-t.Replaced():
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, func() { cancel(); watch.Wait() }
}

// changes reads what a transaction changed; nil where that is not rows alone, or
// too much to look at, or not stored any more.
func (r *relay) changes(t outcome.Transaction) []outcome.Changed {
	if t.Place.Size > outcome.MostRows {
		return nil
	}
	events, _, err := r.stored.At(t.Place)
	if err != nil {
		r.log.Warn("a transaction is stored, but what it changed was not read", "gtid", t.GTID.String(), "error", err)
		return nil
	}
	changed, err := outcome.Changes(events)
	if err != nil {
		r.log.Warn("a transaction is stored, but what it changed was not understood", "gtid", t.GTID.String(), "error", err)
	}
	return changed
}
