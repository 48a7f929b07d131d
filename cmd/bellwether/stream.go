package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/failover"
	"github.com/bellwether-db/bellwether/replicator"
	"github.com/bellwether-db/bellwether/replicator/control"
)

// stream is the replicator as the controller of failovers wants it. It is safe
// for concurrent use.
type stream struct{ *replicator.Replicator }

var _ failover.Stream = stream{}

// View implements failover.Stream.
func (s stream) View() failover.StreamView { return failover.StreamView(s.Replicator.View()) }

// Lose implements failover.Stream.
func (s stream) Lose(ctx context.Context, n cluster.Node, end *cluster.GTIDSet, dir string) (failover.Loss, error) {
	loss, err := s.Replicator.Lose(ctx, n, end, dir)
	return failover.Loss(loss), err
}

// Demote implements failover.Stream.
func (s stream) Demote(ctx context.Context, n cluster.Node) error {
	err := s.Replicator.Demote(ctx, n)
	var errant *control.ErrantError
	var own *control.OwnError
	switch {
	case errors.As(err, &errant):
		return &failover.ErrantError{Node: errant.Node, Extra: errant.Extra}
	case errors.As(err, &own):
		return fmt.Errorf("%w: %w", failover.ErrIncomplete, err)
	}
	return err
}
