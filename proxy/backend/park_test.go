package backend

import "testing"

// TestParkedStaysWhereNobodyQueues: a lease announces itself while it looks for
// room, and a session that parks meanwhile keeps its connection unless somebody
// really has to wait.
func TestParkedStaysWhereNobodyQueues(t *testing.T) {
	const owner = Owner(7)
	n := &node{pools: &Pools{}, byKey: map[poolKey]*pool{}}
	account := &Account{User: "app"}
	p := n.pool(poolKey{account: account})
	c := &Conn{pool: p, owner: owner}
	p.conns, n.total = []*Conn{c}, 1
	c.hold.Store(owner.hold(holdLeased))

	n.waiting.Add(1)
	c.Park()
	if !c.Retake(owner) {
		t.Error("given away to nobody")
	}
	w := &waiter{want: &Want{Account: account, Schema: "d"}, got: make(chan *Conn, 1)}
	n.waiters = append(n.waiters, w)
	c.Park()
	if c.Retake(owner) {
		t.Error("kept from one who waits")
	}
	if got := <-w.got; got != c {
		t.Errorf("the one who waits got %v", got)
	}
}
