package proxy

import (
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// lastRead is where the session read last, so that its next read does not go
// back behind that. The zero value is a session that has read nothing since its
// last own write, which every node gets after all that was read before.
type lastRead struct {
	node  string
	since time.Time // of the node: the same server without a restart
	at    time.Time // when the read was over
	// end contains all that the read can have shown; nil where nobody knows.
	end *cluster.GTIDSet
	// known is what the node was known to have before.
	known *cluster.GTIDSet
	// shown is set once the master is known to show end.
	shown bool
}

// covered reports whether a node is known to show all that the read showed.
func (l *lastRead) covered(n *cluster.Node, t *cluster.Topology) bool {
	switch {
	case l.node == "", n.Name == l.node && n.Since.Equal(l.since):
		return true
	case n.Role == cluster.RoleMaster && (l.shown || l.end == nil):
		return true // slaves have what they have from the master
	case n.Role == cluster.RoleMaster && n.Flavour == cluster.FlavourMariaDB:
		return false // it is in its binary log, but the engine may not show it yet
	case n.Applied.ContainsSet(l.end):
		return true
	}
	f := l.source(t)
	return f != nil && f.Asked.After(l.at) && n.Applied.ContainsSet(f.Applied)
}

// source is the node of the read, nil where that is gone or was restarted.
func (l *lastRead) source(t *cluster.Topology) *cluster.Node {
	if i := t.Find(l.node); i >= 0 && t.Nodes[i].Since.Equal(l.since) {
		return &t.Nodes[i]
	}
	return nil
}

// noteRead remembers where a statement has shown the session something.
func (x *session) noteRead(r *request, t *cluster.Topology, node string, at time.Time) {
	if !x.outruns(r.statement) || r.answer == wire.AnswerPrepare {
		return
	}
	i := t.Find(node)
	remembers := x.demand.level != router.ConsistencyEventual && shows(r.statement)
	if i < 0 || !remembers && !(i == t.Master && x.unheard(r.statement)) {
		return
	}
	end, whole := x.server.logEnd()
	if i == t.Master && !whole {
		end = nil // it may show what is not stored
	}
	x.read = lastRead{node: t.Nodes[i].Name, since: t.Nodes[i].Since, at: at, end: end, known: t.Nodes[i].Applied}
	if x.demand.settles {
		x.position.settle()
	}
}

// overtake forgets what was read before an own write: nodes have that with it. In
// another domain of MariaDB's they may not.
func (x *session) overtake(write *cluster.GTIDSet) {
	if write.Follows(x.read.end) && write.Follows(x.read.known) {
		x.read = lastRead{}
	}
}

// shows reports whether a statement's answer can tell something of the data.
func shows(s *router.Statement) bool {
	switch s.Kind {
	case router.KindSet, router.KindAdmin: // a variable takes it over; CHECKSUM TABLE
		return s.Flags.Has(router.Multi) || s.Reason == router.ReasonProcedure || namesTables(s)
	case router.KindUse, router.KindBegin, router.KindCommit, router.KindRollback, router.KindSavepoint,
		router.KindPrepare, router.KindKill:
		return s.Flags.Has(router.Multi)
	case router.KindRead:
		return readsTables(s)
	}
	return true
}

// findRead asks the node of the last read how far it is, where nobody knows
// what that can have shown. It reports whether that is known now.
func (x *session) findRead(t *cluster.Topology) bool {
	if x.read.end != nil {
		return true
	}
	if source := x.read.source(t); source == nil || source.Applied == nil {
		return false // without GTIDs its answer would be a set that lacks what it has
	}
	i := t.Find(x.read.node)
	end := x.executed(t, i)
	x.read.end = end.Subtract(x.onlyThere(t, i, end))
	return end != nil
}

// onlyThere is what a slave has and no other node will ever have: somebody has
// written there. On MySQL such a transaction bears the slave's own name. What it
// wrote while it was the master, the master of now has, which is asked for it
// because its last probe may have come before. nil where nobody can tell.
func (x *session) onlyThere(t *cluster.Topology, slave int, set *cluster.GTIDSet) *cluster.GTIDSet {
	n, m := &t.Nodes[slave], t.MasterNode()
	if m == nil || slave == t.Master || n.Flavour != cluster.FlavourMySQL {
		return nil
	}
	own, err := cluster.ParseGTIDSet(n.Flavour, n.Identity+":1-9223372036854775806")
	if err != nil {
		return nil
	}
	own = own.Intersect(set).Subtract(m.Applied)
	if own.Count() == 0 {
		return nil
	}
	has := x.executed(t, t.Master)
	if has == nil {
		return nil
	}
	return own.Subtract(has)
}

// executed asks a node how far it is; nil where that cannot be had.
func (x *session) executed(t *cluster.Topology, node int) *cluster.GTIDSet {
	var text string
	err := x.aside(t, node, func(c *backend.Conn) (err error) {
		text, err = c.Query(executedSQL(&t.Nodes[node], node == t.Master))
		return err
	})
	if err != nil {
		return nil
	}
	set, err := cluster.ParseGTIDSet(t.Nodes[node].Flavour, text)
	if err != nil {
		return nil
	}
	return set
}

// executedSQL asks for all that a node can have shown.
func executedSQL(n *cluster.Node, master bool) string {
	switch {
	case n.Flavour != cluster.FlavourMariaDB:
		return "SELECT @@global.gtid_executed"
	case master:
		return "SELECT @@global.gtid_binlog_pos"
	}
	return "SELECT @@global.gtid_slave_pos"
}

// aside asks something of the proxy's own on a connection that is not held,
// between two statements.
func (x *session) aside(t *cluster.Topology, node int, ask func(*backend.Conn) error) error {
	c, foreign, err := x.connection(t, node)
	if err != nil {
		return err
	}
	if err = x.keepFoundValue(c); err == nil {
		err = ask(c)
	}
	if err != nil {
		c.Discard()
		x.prev.gone(c)
		return err
	}
	if !foreign {
		x.park(c)
		return nil
	}
	c.Asked = false
	c.Return()
	return nil
}

// keepFoundValue asks for FOUND_ROWS() before a question of the proxy's own
// replaces what that is about.
func (x *session) keepFoundValue(c *backend.Conn) error {
	if x.prev.found.kind != foundAt || x.prev.found.conn != c {
		return nil
	}
	value, err := c.Query("SELECT FOUND_ROWS()")
	if err == nil {
		x.prev.found = found{kind: foundValue, value: value}
	}
	return err
}
