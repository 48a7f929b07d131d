package backend

import "time"

// shut closes the unused connections of a node and every one that is given
// back later.
func (n *node) shut() {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	n.closeUnused(func(*Conn) bool { return true })
}

// closeUnused closes the idle and parked connections that match. One that alone
// knows its session's LAST_INSERT_ID() is kept.
func (n *node) closeUnused(match func(*Conn) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.byKey {
		closing, owing := p.takeUnused(match)
		for _, c := range owing {
			if n.closed || p.account.Revoked() != nil {
				closing = append(closing, c)
			} else {
				c.hold.Store(c.owner.hold(holdParked))
			}
		}
		n.closeAll(closing)
	}
	n.admit()
}

// takeUnused takes the idle and parked connections that match from whom they
// were free for; the caller holds the lock. Those in owing are the only ones to
// know their session's LAST_INSERT_ID().
func (p *pool) takeUnused(match func(*Conn) bool) (closing, owing []*Conn) {
	kept := p.idle[:0]
	for _, c := range p.idle {
		if match(c) {
			closing = append(closing, c)
		} else {
			kept = append(kept, c)
		}
	}
	clear(p.idle[len(kept):])
	p.idle = kept
	for _, c := range p.conns {
		if c.hold.Load()&(1<<holdBits-1) != holdParked || !match(c) || !c.takeable(0) {
			continue
		}
		if c.InsertID != nil {
			owing = append(owing, c)
		} else {
			closing = append(closing, c)
		}
	}
	return closing, owing
}

// closeAll closes connections that belong to nobody; the caller holds the lock.
func (n *node) closeAll(conns []*Conn) {
	for _, c := range conns {
		n.forget(c)
		c.close()
	}
}

// interrupt ends the reads of every leased connection. The others are looked at
// when somebody takes them.
func (n *node) interrupt() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.byKey {
		for _, c := range p.conns {
			if c.hold.Load()&(1<<holdBits-1) == holdLeased {
				_ = c.Wire.SetDeadline(time.Unix(1, 0))
			}
		}
	}
	n.admit()
}
