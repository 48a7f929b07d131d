package main

import (
	"context"
	"errors"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/failover"
	"github.com/bellwether-db/bellwether/replicator"
)

// stream is the replicator as the controller of failovers wants it. It is safe
// for concurrent use.
type stream struct{ *replicator.Replicator }

var _ failover.Stream = stream{}

// View implements failover.Stream.
func (s stream) View() failover.StreamView { return failover.StreamView(s.Replicator.View()) }

// Opened implements failover.Stream.
func (s stream) Opened(context.Context, cluster.Node) error { return nil }

// errNotYet: a former master cannot be made a slave yet.
var errNotYet = errors.New("bringing a former master back is not there yet: bellwether sync does it")

// Demote implements failover.Stream.
func (s stream) Demote(context.Context, cluster.Node) error { return errNotYet }

// Save implements failover.Stream.
func (s stream) Save(context.Context, cluster.Node, *cluster.GTIDSet, string) ([]string, error) {
	return nil, errNotYet
}

// Copy implements failover.Stream.
func (s stream) Copy(context.Context, cluster.Node, func(string)) error { return errNotYet }
