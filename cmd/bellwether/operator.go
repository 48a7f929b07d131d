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
func (o *operator) apply(c cluster.Config) {
	if old := o.current.Swap(failover.NewSQLOperator(c)); old != nil {
		_ = old.Close() // who was at it tries again
	}
}

// close ends the connections that are kept.
func (o *operator) close() error { return o.current.Load().Close() }

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

// CloseWrites implements failover.Operator.
func (o *operator) CloseWrites(ctx context.Context, addr, identity string) error {
	return o.current.Load().CloseWrites(ctx, addr, identity)
}

// Fence implements failover.Operator.
func (o *operator) Fence(ctx context.Context, addr, identity string) error {
	return o.current.Load().Fence(ctx, addr, identity)
}

// Executed implements failover.Operator.
func (o *operator) Executed(ctx context.Context, addr, identity string) (*cluster.GTIDSet, error) {
	return o.current.Load().Executed(ctx, addr, identity)
}

// Received implements failover.Operator.
func (o *operator) Received(ctx context.Context, addr, identity string) (*cluster.GTIDSet, error) {
	return o.current.Load().Received(ctx, addr, identity)
}

// AwaitApplied implements failover.Operator.
func (o *operator) AwaitApplied(ctx context.Context, addr, identity string, set *cluster.GTIDSet) error {
	return o.current.Load().AwaitApplied(ctx, addr, identity, set)
}

// TakeLock implements failover.Operator.
func (o *operator) TakeLock(ctx context.Context, addr string) (failover.Lock, error) {
	return o.current.Load().TakeLock(ctx, addr)
}
