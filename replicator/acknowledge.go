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
// bounds each. vigil is between two looks whether the master's commits still wait:
// somebody may switch that off.
const (
	orderPause   = 2 * time.Second
	orderTimeout = 20 * time.Second
	vigil        = 5 * time.Second
)

// acknowledge has the master's commits wait for the stored log as soon as the
// stream from it runs, and again after each time it has restarted. It returns
// once ctx ends, or when the stream has to begin anew for it.
func (r *relay) acknowledge(ctx context.Context, from source, client *upstream.Client) {
	defer func() { r.protection.set(false, time.Now()) }()
	for calm, seen := false, false; ctx.Err() == nil; {
		changed, configured := client.Changed(), r.changed.wait()
		var retry, look <-chan time.Time
		switch s := client.Status(); {
		case !s.Connected:
		case !r.promised.Load() && !r.caughtUp():
			retry = time.After(lookInterval)
		case calm:
			look = time.After(vigil)
		default:
			err := r.protect(ctx, from)
			if err == nil && (s.NoChecksums || !seen) {
				r.prepare(ctx, from, r.set) // its log, too, now that nothing waits behind it
				seen = true
			}
			look = time.After(vigil)
			if r.settings().Policy == PolicyDegrade {
				retry = time.After(orderPause) // the master may have gone on without us
			}
			if err == nil && !s.SemiSync {
				r.log.Info("the master can be acknowledged to now; reading from it anew", "node", from.name)
				return
			}
			if err != nil {
				r.unprotected(ctx, err)
				retry = time.After(orderPause)
			}
		}
		calm = false
		select {
		case <-changed:
		case <-configured:
		case <-retry:
		case <-look:
			calm = !r.switchedOff(ctx, from) && !over(changed) && !over(configured)
		case <-ctx.Done():
		}
	}
}

// switchedOff says whether commits certainly do not wait any more, or would not as they
// must: somebody may have set another timeout. A master that cannot be asked, because it
// has no connection left for us, say, does what it did.
func (r *relay) switchedOff(ctx context.Context, from source) (off bool) {
	err := r.order(ctx, from, func(ctx context.Context, c *control.Conn) error {
		s, err := c.SemiSync(ctx)
		if off = err == nil && !s.Enabled; err != nil || off {
			return err
		}
		waits, err := c.Waits(ctx)
		off = err == nil && !waits
		return err
	})
	return err == nil && off
}

// over says whether a channel is closed.
func over(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// errAsynchronous says that the master has stopped to wait for acknowledgements.
var errAsynchronous = errors.New("the master went on without waiting, and does so until the stored log has caught up")

// protect has commits wait, and tells when they begin to. A master that is let go
// is left alone.
func (r *relay) protect(ctx context.Context, from source) error {
	r.orders.Lock()
	defer r.orders.Unlock()
	if r.released {
		return nil
	}
	err := r.order(ctx, from, r.enable)
	if errors.Is(err, control.ErrNotPrepared) {
		r.prepare(ctx, from, r.set)
		err = r.order(ctx, from, r.enable)
	}
	if err == nil && r.protection.set(true, time.Now()) {
		r.held.Store(true)
		r.log.Info("commits wait until they are stored", "node", from.name)
		r.changed.send()
	}
	return err
}

// enable switches semi-synchronous replication on, and remembers that; where the master may give up
// waiting, it sees whether it has.
func (r *relay) enable(ctx context.Context, c *control.Conn) error {
	if err := r.note(ctx, c); err != nil {
		return err
	}
	if s, err := c.SemiSync(ctx); err == nil && !s.Enabled && r.protection.now.Load() {
		r.log.Warn("the master's commits did not wait until they are stored: somebody, or a restart, has switched that off; it is switched on again", "node", c.Node().Name)
	}
	if err := c.EnableSemiSync(ctx); err != nil || r.settings().Policy != PolicyDegrade {
		return err
	}
	s, err := c.SemiSync(ctx)
	if err == nil && !s.Active {
		err = errAsynchronous
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
		r.trouble.Store(&text)
		r.log.Error("commits do not wait until they are stored, so a crash of the master can lose some; trying again", "error", err)
	}
}

// prepare sets on the master what it needs, and tells what is left. That it
// fails is told by what comes after it.
func (r *relay) prepare(ctx context.Context, from source, set func(context.Context, *control.Conn) error) {
	if m := r.cluster.Load().MasterNode(); m == nil || m.ReadOnly {
		return // it would have to be opened for that, which is not ours to do
	}
	if err := r.order(ctx, from, set); err != nil && ctx.Err() == nil {
		r.log.Warn("the master was not prepared", "node", from.name, "error", err)
	}
}

// setUnread is set for a node whose binary log is not being read yet.
func (r *relay) setUnread(ctx context.Context, c *control.Conn) error {
	c.LeaveLog()
	return r.set(ctx, c)
}

// set sets on a node what it needs, and tells what is left, each thing once.
func (r *relay) set(ctx context.Context, c *control.Conn) error {
	findings, err := c.Prepare(ctx, cluster.Account{})
	for _, f := range findings {
		if text := f.String(); r.found.first(text) {
			r.log.Warn("a node is not as it should be", "node", c.Node().Name, "finding", text)
		}
	}
	return err
}

// order runs do on a connection of the operator account.
func (r *Replicator) order(ctx context.Context, to source, do func(context.Context, *control.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, orderTimeout)
	defer cancel()
	conn, err := r.connect(ctx, to)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // everything was said on it
	return do(ctx, conn)
}

// connect opens a connection of the operator account.
func (r *Replicator) connect(ctx context.Context, to source) (*control.Conn, error) {
	conn, err := control.Connect(ctx, control.Node{Name: to.name, Addr: to.addr, Identity: to.identity}, r.settings().Nodes)
	if err == nil && r.settings().Policy == PolicyDegrade {
		conn.AckWithin(r.settings().DegradeAfter)
	}
	return conn, err
}
