package backend

import (
	"context"
	"errors"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/wire"
)

// verifyLoop holds each account that is remembered against the master.
func (p *Pools) verifyLoop(ctx context.Context) {
	for {
		timer := time.NewTimer(p.config.Load().VerifyInterval)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		accounts := p.inUse()
		master := p.store.Load().MasterNode()
		for _, a := range accounts {
			if master != nil && master.Health != cluster.HealthDown && ctx.Err() == nil {
				p.verify(ctx, master, a)
			}
		}
	}
}

// inUse forgets the accounts that nobody has used for long and returns the others.
func (p *Pools) inUse() (accounts []*Account) {
	before := time.Now().Add(-p.config.Load().IdleTimeout).UnixNano()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.accounts {
		if a.sessions.Load() == 0 && a.used.Load() < before {
			p.forget(a)
		} else {
			accounts = append(accounts, a)
		}
	}
	return accounts
}

// verify logs in once more, which notices a changed password and a locked or
// dropped account (dial revokes it), and reads the grants: where they have
// changed, connections that began under the old ones are closed, because a
// server looks at some privileges only at login.
func (p *Pools) verify(ctx context.Context, master *cluster.Node, a *Account) {
	n := p.node(master)
	c, err := n.connect(ctx, &Want{Account: a, Collation: 45})
	if err != nil {
		if errors.Is(err, wire.ErrNeedPassword) && !hasPassword(a.Secret()) {
			p.mu.Lock()
			p.forget(a) // the next login brings the password that a node asks for
			p.mu.Unlock()
		}
		return
	}
	defer c.Quit()
	grants, err := c.QueryAll("SHOW GRANTS")
	if err != nil {
		return
	}
	old := a.grants.Swap(&grants)
	if old != nil && *old != grants {
		p.log.Info("grants changed: the account's pooled connections are renewed", "user", a.User)
		p.closeAccount(a)
	}
}

func (p *Pools) closeAccount(a *Account) {
	p.mu.Lock()
	nodes := p.list()
	p.mu.Unlock()
	for _, n := range nodes {
		n.closeUnused(func(c *Conn) bool { return c.pool.account == a })
	}
}

// Warm asks for one connection of the account to every node that serves, so
// that the first statements find them, and a node that wants the password
// itself gets it while it is at hand.
func (p *Pools) Warm(w Want) {
	t := p.store.Load()
	for i := range t.Nodes {
		if t.Nodes[i].Health != cluster.HealthUp {
			continue
		}
		select {
		case p.warm <- warming{want: w, node: t.Nodes[i].Name}:
		default: // warming is a favour; under a storm of logins it is left out
		}
	}
}

func (p *Pools) warmLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case w := <-p.warm:
			t := p.store.Load()
			i := t.Find(w.node)
			if i < 0 {
				continue
			}
			w.want.Owner = 0
			if !p.node(&t.Nodes[i]).lacks(&w.want) {
				continue
			}
			if c, err := p.Lease(ctx, &t.Nodes[i], &w.want); err == nil {
				c.Return()
			}
		}
	}
}

// lacks reports whether the node has room and no connection yet that a session
// like this one could use: warming takes nothing from anybody.
func (n *node) lacks(w *Want) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := n.byKey[w.key()]
	return n.total < n.pools.config.Load().MaxPerNode && (p == nil || len(p.conns) == 0)
}
