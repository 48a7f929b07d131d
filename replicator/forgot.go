package replicator

import (
	"context"
	"errors"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/upstream"
)

// masterHad is what a server was last seen to have while it was read. It is
// immutable; the zero value is nobody.
type masterHad struct {
	identity string
	has      *cluster.GTIDSet
}

// forgets returns a *upstream.Refusal once a master that is being read has no more what
// it had and what is stored: somebody has reset its binary log (RESET MASTER, RESET
// BINARY LOGS AND GTIDS). It gives the same GTIDs to others from then on, and nothing
// else tells: the stream just brings no more, the server takes what it was told of the
// old log for an acknowledgement of the new one, those GTIDs are stored, and slaves skip
// them. It returns nil when ctx ends.
func (r *relay) forgets(ctx context.Context, from source) error {
	tick := time.NewTicker(lookInterval)
	defer tick.Stop()
	for {
		if err := r.forgot(ctx, from); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// forgot looks once. What a probe says of a MariaDB with another source besides is that
// source's position, so the server itself is asked before it is believed.
func (r *relay) forgot(ctx context.Context, from source) error {
	t := r.cluster.Load()
	m := t.MasterNode()
	if m == nil || t.MasterIdentity != from.identity || m.Identity != from.identity || m.Applied == nil || m.Applied == r.had.has {
		return nil
	}
	must := r.had.has.Intersect(r.stored.Executed())
	if r.had.identity != from.identity || must == nil || m.Applied.ContainsSet(must) {
		r.had = masterHad{from.identity, m.Applied}
		return nil
	}
	bounded, cancel := context.WithTimeout(ctx, orderTimeout)
	defer cancel()
	err := upstream.Check(bounded, r.upstreamOf(r.id, from), must)
	switch refusal := (*upstream.Refusal)(nil); {
	case err == nil:
		r.had = masterHad{from.identity, m.Applied}
	case errors.As(err, &refusal) && refusal.Reason == upstream.ReasonBehind:
		return err
	default:
		pauseUntil(ctx, orderPause, nil) // it did not say, and is asked again
	}
	return nil
}
