package storedlog

import (
	"context"
	"errors"
	"fmt"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
)

// Foreign is what somebody has who has have, and this log has not; empty where
// there is none. On MariaDB a position says no more than its last transaction in
// each domain: where that is not one of this log, it is what is returned. It is a
// *PurgedError where that is older than what is stored.
func (l *Log) Foreign(have *cluster.GTIDSet) (*cluster.GTIDSet, error) {
	l.mu.Lock()
	segments, executed, oldest := l.segments, l.executed.Load(), l.oldest()
	l.mu.Unlock()
	foreign := have.Subtract(executed)
	for _, g := range have.Domains() {
		if foreign.Contains(g) || !executed.Contains(g) {
			continue
		}
		ok, err := l.holds(segments, executed, g)
		if err != nil {
			return nil, err
		}
		switch {
		case ok:
		case oldest.Contains(g):
			return nil, &PurgedError{Missing: oldest.Subtract(have)}
		default:
			foreign = foreign.With(g)
		}
	}
	return foreign, nil
}

// OwnBehind says whether a server of MariaDB with an id wrote a transaction that
// the log has behind a position, and returns the first such. Its error is ctx's,
// the disk's, or a *PurgedError where not all that is behind is stored.
func (l *Log) OwnBehind(ctx context.Context, have *cluster.GTIDSet, server uint32) (own cluster.GTID, err error) {
	r, err := l.Read(have)
	if err != nil {
		return own, fmt.Errorf("look for transactions of server %d: %w", server, err)
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	end := l.Executed()
	if have.ContainsSet(end) {
		return own, nil
	}
	for {
		p, err := r.Next(ctx)
		if err != nil {
			return own, err
		}
		for rest := p.Events; len(rest) > 0; {
			e, err := event.Next(rest)
			if err != nil {
				return own, err
			}
			rest = rest[len(e):]
			if e.Type() != event.MariaGTID || e.ServerID() != server {
				continue
			}
			m, err := event.NewTracker(event.Format{MariaDB: true, Checksum: true}).Next(e)
			return m.GTID, err
		}
		if p.Last.IsZero() {
			continue
		}
		if have = have.With(p.Last); have.ContainsSet(end) {
			return own, nil
		}
	}
}
