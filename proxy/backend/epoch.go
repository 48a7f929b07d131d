package backend

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/bellwether-db/bellwether/cluster"
)

// errMoved is the end of a wait or a dial for a node that has another role now.
// Who gets it looks at the topology again.
var errMoved = errors.New("the node has another role now")

// cutLoop closes what was begun in an epoch that is over, as soon as the
// topology says so: a former master's answer may never come, and must not count
// if it does.
func (p *Pools) cutLoop(ctx context.Context) {
	var asking sync.WaitGroup
	defer asking.Wait()
	for {
		t := p.store.Load()
		nodes := *p.byName.Load()
		for i := range t.Nodes {
			if n := nodes[t.Nodes[i].Name]; n != nil && n.addr == t.Nodes[i].Addr {
				n.cut(t.Nodes[i].Epoch, &asking)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-t.Replaced():
		}
	}
}

// epochOf returns the epoch of a node, 0 where there is none of this name.
func epochOf(t *cluster.Topology, name string) uint64 {
	if i := t.Find(name); i >= 0 {
		return t.Nodes[i].Epoch
	}
	return 0
}

// moved returns errMoved if the node's epoch is no longer the one of the want.
//
// A new connection is held against the published epoch while the lock is held
// under which it is entered in the books: either this sees that the epoch has
// moved, or the cut, which comes after the publication, sees the connection.
func (n *node) moved(w *Want) error {
	if epochOf(n.pools.store.Load(), n.name) != w.epoch {
		return errMoved
	}
	return nil
}

// cut ends every connection, dial and wait of another epoch. The leased ones
// lose their socket, so that their sessions' reads and writes fail now; the
// sessions give them back. Those that are parked and still know their session's
// LAST_INSERT_ID() are taken from it and asked, beside, for a second at most.
func (n *node) cut(epoch uint64, asking *sync.WaitGroup) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.epoch == epoch {
		return
	}
	n.epoch = epoch
	older := func(c *Conn) bool { return c.Epoch != epoch }
	for _, p := range n.byKey {
		closing, owing := p.takeUnused(older)
		for _, c := range p.conns {
			// Whatever it is by now: on its way to a session, or parked since.
			if older(c) && !slices.Contains(closing, c) && !slices.Contains(owing, c) {
				c.Sever()
			}
		}
		n.closeAll(closing)
		for _, c := range owing {
			asking.Go(func() { c.saveInsertID(); n.discard(c) })
		}
	}
	n.cutQueue(epoch)
	n.admit()
}

// cutQueue ends the dials and the waits; the caller holds the lock.
func (n *node) cutQueue(epoch uint64) {
	for w, cancel := range n.dials {
		if w.epoch != epoch {
			cancel(errMoved)
		}
	}
	kept := n.waiters[:0]
	for _, w := range n.waiters {
		if w.want.epoch == epoch {
			kept = append(kept, w)
		} else {
			close(w.got)
		}
	}
	clear(n.waiters[len(kept):])
	n.waiters = kept
}

// connectMeanwhile is connectAside for as long as the node's epoch lasts; dial
// takes it out of the dials again.
func (n *node) connectMeanwhile(ctx context.Context, w *Want) (*Conn, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	n.mu.Lock()
	n.dials[w] = cancel
	n.mu.Unlock()
	if err := n.moved(w); err != nil {
		return nil, err
	}
	c, err := n.connectAside(ctx, w)
	if err != nil && errors.Is(context.Cause(ctx), errMoved) {
		err = errMoved
	}
	return c, err
}
