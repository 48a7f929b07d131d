package downstream

import (
	"fmt"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// Traps are ways to lose data in silence, or a slave, that servers set for
// whoever feeds them. Each is walked into once without what keeps from it, so
// that the test is known to see it.

// heartbeats keep an idle slave connected, unless they tell it less than it has.
func (w *world) heartbeats() {
	w.insert(3)
	w.reconnect()
	w.insert(3)
	w.copy()
	w.exec(w.slave, "SET GLOBAL "+w.netTimeout()+" = 2")
	now := time.Now()
	w.restart(w.slave)
	w.until("the slave to come again", func() bool {
		slaves := w.server.Slaves()
		return len(slaves) == 1 && slaves[0].Since.After(now)
	}, w.slave)
	w.insert(1) // it has computed a position
	w.caughtUp(w.slave)
	before := w.server.Slaves()[0]
	pause(w.Context(), 3*time.Second) // longer than the slave waits for a sign of life
	after := w.server.Slaves()
	if len(after) != 1 || after[0].Since != before.Since || after[0].Bytes == before.Bytes {
		w.Errorf("the slave did not stay: %+v, then %+v", before, after)
	}
	if e := w.ioError(w.slave); e != "" {
		w.Error(e)
	}
	bare := serve(w, w.serving(), Stored(w.log), func(s *Server) {
		s.shape.place = func(mariaDB bool, at position) uint64 {
			if mariaDB {
				return at.offset // what our file says, and the events say more
			}
			return beginningOfFile
		}
	})
	w.follow(w.slave, bare.Addr(), "0.2")
	w.insert(1)
	w.until("the slave to stop over a heartbeat", func() bool {
		return strings.Contains(w.ioError(w.slave), "could not queue event")
	}, w.slave)
	w.follow(w.slave, w.server.Addr(), "0.2")
	w.caughtUp(w.slave)
}

// ownEvents are the former transactions of a master that returns: the servers
// ignore what carries their own id.
func (w *world) ownEvents() {
	w.exec(w.slave, "STOP "+w.word(), fmt.Sprintf("SET GLOBAL server_id = %d", w.master.ServerID()))
	w.insert(3)
	w.copy()
	bare := serve(w, w.serving(), Stored(w.log), func(s *Server) { s.shape.disguise = false })
	w.follow(w.slave, bare.Addr(), "0.2")
	w.until("the slave to pass over its own events in silence", func() bool { return w.passedOver(bare) }, w.slave)
	if a, b := w.rows(w.master), w.rows(w.slave); a == b || w.ioError(w.slave) != "" {
		w.Fatalf("without the remedy nothing was lost in silence: rows %s and %s, error %q", a, b, w.ioError(w.slave))
	}
	if w.mariaDB() {
		w.exec(w.slave, "STOP SLAVE", "SET GLOBAL gtid_slave_pos = @@GLOBAL.gtid_binlog_pos")
	}
	w.follow(w.slave, w.server.Addr(), "0.2")
	if w.mariaDB() {
		w.until("the slave to be refused", func() bool { return strings.Contains(w.ioError(w.slave), "server_id") }, w.slave)
		w.exec(w.slave, "STOP SLAVE", "SET GLOBAL server_id = 77", "START SLAVE")
	}
	w.caughtUp(w.slave)
	w.sameRows(w.master, w.slave)
	w.exec(w.slave, "STOP "+w.word(), fmt.Sprintf("SET GLOBAL server_id = %d", w.slave.ServerID()), "START "+w.word())
}

// ownCompressedEvents cannot be disguised, so the slave is told.
func (w *world) ownCompressedEvents() {
	w.exec(w.slave, "STOP REPLICA", fmt.Sprintf("SET GLOBAL server_id = %d", w.master.ServerID()))
	w.exec(w.master, "SET SESSION binlog_transaction_compression = ON", "INSERT INTO shop.t (v) VALUES (REPEAT('z', 5000))")
	w.copy()
	w.exec(w.slave, "START REPLICA")
	w.until("the slave to be refused", func() bool { return strings.Contains(w.ioError(w.slave), "--replicate-same-server-id") }, w.slave)
	w.exec(w.slave, "STOP REPLICA", fmt.Sprintf("SET GLOBAL server_id = %d", w.slave.ServerID()), "START REPLICA")
	w.caughtUp(w.slave)
	w.sameRows(w.master, w.slave)
}

// passedOver says whether the slave has been sent everything some time ago.
func (w *world) passedOver(s *Server) bool {
	slaves := s.Slaves()
	return len(slaves) == 1 && w.log.Executed().Contains(slaves[0].Last) && time.Since(slaves[0].Since) > time.Second &&
		w.status(w.slave, "Replica_IO_Running") == "Yes" && w.status(w.slave, "Replica_SQL_Running") == "Yes"
}

func (w *world) rows(n *playground.Node) string { return w.query(n, "SELECT COUNT(*) FROM shop.t") }

func (w *world) insert(n int) {
	w.Helper()
	for range n {
		w.exec(w.master, "INSERT INTO shop.t (v, n) VALUES (REPEAT('x', 2000), 1)")
	}
	w.copy()
}

func (w *world) restart(n *playground.Node) { w.exec(n, "STOP "+w.word(), "START "+w.word()) }

func (w *world) netTimeout() string {
	if w.mariaDB() {
		return "slave_net_timeout"
	}
	return "replica_net_timeout"
}
