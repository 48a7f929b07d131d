package proxy

import (
	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// endReadOnly ends a READ ONLY transaction where it runs, because the next
// statement would end it anyway and must run elsewhere.
func (x *session) endReadOnly() {
	c := x.held
	if c == nil {
		return
	}
	x.pins = x.pins.Without(router.PinTransaction)
	if _, err := c.Query("COMMIT AND NO CHAIN NO RELEASE"); err != nil {
		x.dropHeld()
		return
	}
	x.status = c.Status
	x.held = nil
	if x.pins == 0 {
		x.park(c)
		return
	}
	x.held = c
}

// leaveSlave moves a READ ONLY transaction from a slave to the master before a
// statement that only a master may run: it may end the transaction and go on
// to write, which an account with all privileges could do on a slave too.
func (x *session) leaveSlave(r *request, t *cluster.Topology) error {
	c := x.held
	m := t.MasterNode()
	open := r.prepared != nil && r.prepared.open && r.answer != wire.AnswerPrepare
	if m == nil || c.Node() == m.Name || open || !r.binds && x.staysOnSlave(r.statement, t) {
		return nil
	}
	inTransaction := x.status&wire.StatusInTransaction != 0
	x.pins = x.pins.Without(router.PinDiagnostics)
	x.endReadOnly()
	if x.held != nil {
		x.held, x.pins = nil, 0
		x.releaseDirty(c)
	}
	if !inTransaction {
		return nil
	}
	return x.beginOn(t)
}

// staysOnSlave reports whether a statement may run inside a READ ONLY
// transaction on a slave.
func (x *session) staysOnSlave(s *router.Statement, t *cluster.Topology) bool {
	if s.Flags.Has(router.Multi) {
		return false
	}
	if s == afterLast {
		return true
	}
	switch s.Kind {
	case router.KindBegin:
		return s.Flags.Has(router.ReadOnlyTransaction)
	case router.KindCommit, router.KindRollback, router.KindSavepoint:
		return true
	case router.KindUse:
		return true
	}
	return s.Certain(t.Catalogue, &x.server.config.Load().Rules) == router.ReasonNone || s.OnlyAsks(t.Catalogue)
}

// beginOn begins a READ ONLY transaction on the master.
func (x *session) beginOn(t *cluster.Topology) error {
	c, foreign, err := x.connection(t, t.Master)
	if err != nil {
		return err
	}
	var steps backend.Steps
	need, begins := needs{node: t.Master}, &request{statement: beginsAgain}
	x.want(&need, &request{statement: onMaster}, t, foreign)
	x.await(begins, &need, x.masterWait(begins, t), t, t.Master)
	if err = x.awaitEngine(&need); err == nil && need.Position != "" {
		err = x.waitFirst(c, begins, &need.Need)
	}
	if err == nil {
		err = c.Adapt(&need.Need, &steps)
	}
	if err == nil {
		err = c.Send(&steps, &need.Need)
	}
	if err == nil {
		_, err = c.Query(x.readOnlyBegin)
	}
	if err != nil {
		c.Discard()
		return err
	}
	x.status = c.Status
	x.held, x.pins = c, x.pins.With(router.PinTransaction)
	return nil
}

// resetConn brings a connection back to the state of a new one.
func (x *session) resetConn(c *backend.Conn) error {
	return c.Reset(x.dialect.Flavour == cluster.FlavourMariaDB)
}
