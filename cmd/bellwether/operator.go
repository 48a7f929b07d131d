package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/failover"
	"github.com/bellwether-db/bellwether/replicator"
)

// operator gives orders to nodes as the account of the latest configuration.
// It is safe for concurrent use.
type operator struct {
	current atomic.Pointer[failover.SQLOperator]
	guard   guard
}

// guard knows what speaks against a server being opened for writes.
type guard interface {
	MayOpen(ctx context.Context, addr, identity string) error
}

var _ failover.Operator = (*operator)(nil)

func newOperator(c cluster.Config, g guard) *operator {
	o := &operator{guard: g}
	o.apply(c)
	return o
}

// apply takes over another account, from the next order on.
func (o *operator) apply(c cluster.Config) { o.current.Store(failover.NewSQLOperator(c)) }

// ReadIdentity implements failover.Operator.
func (o *operator) ReadIdentity(ctx context.Context, addr string) (string, error) {
	return o.current.Load().ReadIdentity(ctx, addr)
}

// ReadOnly implements failover.Operator.
func (o *operator) ReadOnly(ctx context.Context, addr string) (bool, error) {
	return o.current.Load().ReadOnly(ctx, addr)
}

// OpenWrites implements failover.Operator.
func (o *operator) OpenWrites(ctx context.Context, addr, identity string) error {
	err := o.guard.MayOpen(ctx, addr, identity)
	if errors.Is(err, replicator.ErrFormer) {
		return fmt.Errorf("%w: %w", failover.ErrUnfit, err)
	}
	if err != nil {
		return err
	}
	return o.current.Load().OpenWrites(ctx, addr, identity)
}
