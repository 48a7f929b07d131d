package replicator

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
)

// masterEvents are the stored events (CREATE EVENT) of a master, remembered on
// disk so that they run on the next one. The zero value is nothing known.
type masterEvents struct {
	Identity string `json:"identity"`
	// Scheduler says whether its event scheduler was on.
	Scheduler bool            `json:"scheduler"`
	Events    []control.Event `json:"events"`
}

const eventsName = "events.json"

// eventsInterval is how often the master is asked for its events.
const eventsInterval = 5 * time.Second

func loadEvents(dir string) (m masterEvents, err error) {
	if err = readJSON(dir, eventsName, &m); err != nil {
		return m, fmt.Errorf("read the master's events: %w", err)
	}
	return m, nil
}

// enabled says whether any of them runs.
func (m *masterEvents) enabled() bool {
	return slices.ContainsFunc(m.Events, func(e control.Event) bool { return e.Enabled })
}

// awaits says whether another master than the one that they are of has yet to be
// given them: then its own say nothing. It is pure.
func (m *masterEvents) awaits(identity string, seen masterEvents) bool {
	return m.Identity != "" && m.Identity != identity && m.enabled() && !seen.enabled()
}

// same says whether nothing has to be written.
func (m *masterEvents) same(other masterEvents) bool {
	return m.Identity == other.Identity && m.Scheduler == other.Scheduler &&
		slices.EqualFunc(m.Events, other.Events, func(a, b control.Event) bool {
			return a.Schema == b.Schema && a.Name == b.Name && a.Enabled == b.Enabled
		})
}

// watchEvents remembers the events of whoever is the master, until ctx ends.
func (r *Replicator) watchEvents(ctx context.Context) error {
	tick := time.NewTicker(eventsInterval)
	defer tick.Stop()
	for {
		t := r.cluster.Load()
		m := t.MasterNode()
		if from, ok := r.sourceOf(t); ok && r.settings().Dir != "" && t.Writes == cluster.WritesOpen && m.Health == cluster.HealthUp && !m.ReadOnly {
			if err := r.rememberEvents(ctx, from, false); err != nil && ctx.Err() == nil && r.told.first(err.Error()) {
				r.log.Warn("the master's events are not known; after a failover those that were enabled last run on the next master", "node", from.name, "error", err)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// rememberEvents asks a master for its events; given says that it has been given
// those of the former one.
func (r *Replicator) rememberEvents(ctx context.Context, from source, given bool) error {
	seen := masterEvents{Identity: from.identity}
	if err := r.order(ctx, from, func(ctx context.Context, c *control.Conn) (err error) {
		if seen.Scheduler, err = c.RunsEvents(ctx); err == nil {
			seen.Events, err = c.Events(ctx)
		}
		return err
	}); err != nil {
		return err
	}
	r.remembering.Lock()
	defer r.remembering.Unlock()
	dir := r.settings().Dir
	last, err := loadEvents(dir)
	if err != nil || last.same(seen) || !given && last.awaits(from.identity, seen) {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the replicator's directory: %w", err)
	}
	return writeJSON(dir, eventsName, seen)
}

// Opened has the events that ran on the former master run on n, which is the
// master and takes writes: they are enabled, and its event scheduler is switched
// on where it was on there.
func (r *Replicator) Opened(ctx context.Context, n cluster.Node) error {
	last, err := loadEvents(r.settings().Dir)
	if err != nil {
		return err
	}
	before := last.Events
	if last.Identity != "" && before == nil {
		before = []control.Event{} // known, and none
	}
	if err := r.order(ctx, sourceAt(n), func(ctx context.Context, c *control.Conn) error {
		err := c.EnableEvents(ctx, before)
		if last.Scheduler {
			err = errors.Join(err, c.RunEvents(ctx))
		}
		return err
	}); err != nil {
		return fmt.Errorf("have the events run on %s: %w", n.Name, err)
	}
	if r.settings().Dir == "" {
		return nil
	}
	return r.rememberEvents(ctx, sourceAt(n), true)
}
