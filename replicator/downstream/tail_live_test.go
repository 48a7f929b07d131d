package downstream

import (
	"errors"
	"strings"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
)

// trusting is a log that serves whoever is ahead of it, as a source that
// compares nothing does.
type trusting struct{ Log }

// Read implements Log.
func (t trusting) Read(have *cluster.GTIDSet) (Reader, error) {
	r, err := t.Log.Read(have)
	if ahead := new(storedlog.AheadError); !errors.As(err, &ahead) {
		return r, err
	}
	last := t.Executed().Domains()
	if last == nil {
		return t.Log.Read(have.Intersect(t.Executed()))
	}
	known := cluster.EmptyGTIDSet(cluster.FlavourMariaDB)
	for _, g := range have.Domains() {
		known = known.With(cluster.MariaDBGTID(g.Domain, last[0].Server, g.Number))
	}
	return t.Log.Read(known)
}

// formersTail are the last transactions of a crashed master, which nobody ever
// got: as a slave it would differ for ever, in silence.
func (w *world) formersTail() {
	if w.mariaDB() {
		w.exec(w.slave, "STOP SLAVE", "SET GLOBAL read_only = OFF", "INSERT INTO shop.t (n) VALUES (666)",
			"SET GLOBAL gtid_slave_pos = @@GLOBAL.gtid_current_pos", "SET GLOBAL read_only = ON") // as of a former master that becomes a slave
	} else {
		w.exec(w.slave, "STOP REPLICA", "SET GLOBAL super_read_only = OFF", "INSERT INTO shop.t (id, n) VALUES (100000, 666)", "SET GLOBAL super_read_only = ON")
	}
	w.insert(3)
	bare := serve(w, w.serving(), trusting{Stored(w.log)})
	w.follow(w.slave, bare.Addr(), "0.2")
	w.until("the slave to be sent the rest in silence", func() bool { return w.passedOver(bare) }, w.slave)
	if a, b := w.query(w.master, "SELECT SUM(n) FROM shop.t"), w.query(w.slave, "SELECT SUM(n) FROM shop.t"); a == b || w.ioError(w.slave) != "" {
		w.Fatalf("without the remedy nothing differs in silence: %s and %s, error %q", a, b, w.ioError(w.slave))
	}
	if w.mariaDB() { // or it would be refused for its place in its own binary log
		w.exec(w.slave, "STOP SLAVE", "RESET MASTER", "SET GLOBAL gtid_slave_pos = '"+w.tail()+"'")
	}
	w.follow(w.slave, w.server.Addr(), "0.2")
	w.until("the slave to be refused", func() bool {
		return strings.Contains(w.ioError(w.slave), "errant, or a former master's tail")
	}, w.slave)
}

// tail is a position at the number of the log's last transaction but one, of
// another server.
func (w *world) tail() string {
	last := w.log.Executed().Domains()[0]
	return cluster.MariaDBGTID(last.Domain, w.slave.ServerID(), last.Number-1).String()
}
