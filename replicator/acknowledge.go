package replicator

import (
	"context"
	"errors"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
	"github.com/bellwether-db/bellwether/replicator/upstream"
)

// orderPause is between two attempts at an order that failed, and orderTimeout
// bounds each.
const (
	orderPause   = 2 * time.Second
	orderTimeout = 20 * time.Second
)

// acknowledge has the master's commits wait for the stored log as soon as the
// stream from it runs, and again after each time it has restarted. It returns
// once ctx ends, or when the stream has to begin anew for it.
func (r *relay) acknowledge(ctx context.Context, from source, client *upstream.Client) {
	defer func() { r.protection.set(false, time.Now()) }()
	for ctx.Err() == nil {
		changed := client.Changed()
		retry := make(<-chan time.Time)
		if s := client.Status(); s.Connected {
			err := r.protect(ctx, from)
			if err == nil && !s.SemiSync {
				r.log.Info("the master can be acknowledged to now; reading from it anew", "node", from.name)
				return
			}
			if err != nil {
				r.unprotected(ctx, err)
				retry = time.After(orderPause)
			}
		}
		select {
		case <-changed:
		case <-retry:
		case <-ctx.Done():
		}
	}
}

// protect has commits wait, and tells when they begin to.
func (r *relay) protect(ctx context.Context, from source) error {
	err := r.order(ctx, from, func(ctx context.Context, c *control.Conn) error { return c.EnableSemiSync(ctx) })
	if errors.Is(err, control.ErrNotPrepared) {
		r.prepare(ctx, from)
		err = r.order(ctx, from, func(ctx context.Context, c *control.Conn) error { return c.EnableSemiSync(ctx) })
	}
	if err == nil && r.protection.set(true, time.Now()) {
		r.log.Info("commits wait until they are stored", "node", from.name)
	}
	return err
}

// unprotected tells that the master does not wait for the stored log.
func (r *relay) unprotected(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	r.protection.set(false, time.Now())
	if text := err.Error(); text != r.lastUnprotected {
		r.lastUnprotected = text
		r.log.Error("commits do not wait until they are stored, so a crash of the master can lose some; trying again", "error", err)
	}
}

// prepare sets on the master what it needs, and tells what is left. That it
// fails is told by what comes after it.
func (r *relay) prepare(ctx context.Context, from source) {
	if m := r.cluster.Load().MasterNode(); m == nil || m.ReadOnly {
		return // it would have to be opened for that, which is not ours to do
	}
	err := r.order(ctx, from, func(ctx context.Context, c *control.Conn) error {
		findings, err := c.Prepare(ctx, cluster.Account{})
		for _, f := range findings {
			if text := f.String(); !r.found[text] {
				r.found[text] = true
				r.log.Warn("the master is not as it should be", "node", from.name, "finding", text)
			}
		}
		return err
	})
	if err != nil && ctx.Err() == nil {
		r.log.Warn("the master was not looked at", "node", from.name, "error", err)
	}
}

// order runs do on a connection of the operator account.
func (r *relay) order(ctx context.Context, to source, do func(context.Context, *control.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, orderTimeout)
	defer cancel()
	conn, err := control.Connect(ctx, control.Node{Name: to.name, Addr: to.addr, Identity: to.identity}, r.config.Nodes)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // everything was said on it
	return do(ctx, conn)
}
