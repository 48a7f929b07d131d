package control

import (
	"slices"

	"github.com/bellwether-db/bellwether/cluster"
)

// goesOnBehindDefinitions: a MariaDB as it comes back when it was killed between
// logging a definition and keeping its position goes on; with rows, which are
// never so, it stays stopped.
func (k kept) goesOnBehindDefinitions() {
	if !k.maria() {
		return
	}
	k.exec("node1", "ALTER TABLE shop.t ADD COLUMN once INT")
	k.follows("node2", "node1")
	k.setBack("node2")
	k.exec("node1", "ALTER TABLE shop.t DROP COLUMN once", "INSERT INTO shop.t VALUES (4, 1)")
	k.report("node2", "runs", in(StateRunning, ""))
	k.follows("node2", "node1")
	k.checkRows("node2", "node1")

	position := k.position("node2")
	k.setBack("node2")
	r := k.report("node2", "stays stopped", in(StateBroken, "out of order"))
	if p := r.Verdict.Problem; p.Number != errOutOfOrder || !k.position("node2").Equal(r.Status.Executed) {
		k.Errorf("rows that are in the binary log only: %v, at %v", r.Verdict, k.position("node2"))
	}
	k.exec("node2", "STOP SLAVE", "SET GLOBAL gtid_slave_pos = '"+position.String()+"'", "START SLAVE")
	k.report("node2", "runs", in(StateRunning, ""))
}

// setBack takes the last transaction from a slave's position, but not from its
// binary log. The keeper's hands are off meanwhile: a START SLAVE of its own that
// gets in before the position is set has the receiver begin behind the old one and
// the applier at the new one, and then nothing is ever out of order.
func (k kept) setBack(node string) {
	kept := k.w.get()
	defer func() { k.w.set(kept...); k.keeper.Nudge() }()
	k.w.set(slices.DeleteFunc(slices.Clone(kept), func(s Slave) bool { return s.Node.Name == node })...)
	k.until(node+" is left alone", func() (bool, string) {
		return !slices.ContainsFunc(k.keeper.Report(), func(r SlaveReport) bool { return r.Node.Name == node }), "still kept"
	})
	last := k.position(node).Domains()[0]
	before := cluster.MariaDBGTID(last.Domain, last.Server, last.Number-1)
	k.exec(node, "STOP SLAVE", "SET GLOBAL gtid_slave_pos = '"+before.String()+"'", "START SLAVE")
}
