package main

import (
	"context"

	"github.com/bellwether-db/bellwether/proxy"
	"github.com/bellwether-db/bellwether/replicator"
	"github.com/bellwether-db/bellwether/replicator/outcome"
)

// outcomes has the proxy ask the replicator how a write ended. It is safe for
// concurrent use.
type outcomes struct{ *replicator.Replicator }

var _ proxy.Outcomes = outcomes{}

// outcomeStates are the proxy's words for the replicator's.
var outcomeStates = map[replicator.OutcomeState]proxy.OutcomeState{
	replicator.OutcomeCommitted:    proxy.OutcomeCommitted,
	replicator.OutcomeNotCommitted: proxy.OutcomeNotCommitted,
}

// Outcome implements proxy.Outcomes.
func (o outcomes) Outcome(ctx context.Context, w proxy.Write) (proxy.Outcome, error) {
	found, err := o.Replicator.Outcome(ctx, outcome.Write(w))
	out := proxy.Outcome{State: outcomeStates[found.State], GTID: found.GTID}
	for _, c := range found.Rows {
		out.Rows = append(out.Rows, proxy.Changed(c))
	}
	return out, err
}
