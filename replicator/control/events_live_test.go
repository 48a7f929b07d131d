package control

import (
	"slices"
	"strings"
)

// An event that runs each second, as root, whom read_only does not stop, and
// tells where it ran.
var ticking = []string{
	"CREATE TABLE shop.ticks (id INT PRIMARY KEY AUTO_INCREMENT, server INT)",
	"CREATE EVENT shop.tick ON SCHEDULE EVERY 1 SECOND DO INSERT INTO shop.ticks (server) VALUES (@@server_id)",
}

// running counts the threads that run an event.
const running = `SELECT COUNT(*) FROM information_schema.PROCESSLIST
 WHERE COMMAND IN ('Connect', 'Daemon') AND IFNULL(USER, '') NOT IN ('system user', 'event_scheduler')`

// tick has an event run on the master, which then crashes, as far as its events
// go.
func (l *live) tick() {
	l.exec("node1", "SET GLOBAL event_scheduler = ON")
	l.exec("node2", "SET GLOBAL event_scheduler = ON")
	l.exec("node1", ticking...)
	l.follows("node2", "node1") // the table is there
	l.ticks("node2", "1", "0")
	l.exec("node1", "SET GLOBAL event_scheduler = OFF")
	l.until("the last tick has ended", func() (bool, string) { // nobody waits for one that has begun
		left := l.query("node1", running)
		return left == "0", left
	})
	l.follows("node2", "node1")
}

// ticks waits until a node has a newer tick of a server than one by its id, and
// returns the newest.
func (l *live) ticks(node, server, after string) (newest string) {
	l.Helper()
	l.until("a tick of server "+server, func() (bool, string) {
		newest = l.query(node, "SELECT IFNULL(MAX(id), 0) FROM shop.ticks WHERE server = "+server+" AND id > "+after)
		return newest != "0", "none after " + after
	})
	return newest
}

// moveEvents: what ran on node1 runs on node2 alone, as it was made. Nothing ran
// on node2 as long as it had nobody's orders to, so that one that is promoted
// without them would never run any; and node1 would go on with its own.
func (l *live) moveEvents() {
	one, two := l.connect("node1"), l.connect("node2")
	before, err := one.Events(l.soon())
	l.ok(err)
	if idle, err := two.Events(l.soon()); err != nil || anyEnabled(idle) {
		l.Errorf("events of node2 before: %+v, %v", idle, err)
	}
	l.ok(two.EnableEvents(l.soon(), before))
	l.ok(two.EnableEvents(l.soon(), before))
	after, err := two.Events(l.soon())
	l.ok(err)
	for i := range after {
		after[i].slaveside = before[i].slaveside // of one that is left alone
	}
	if !slices.Equal(before, after) || len(after) != 3 || !after[0].Enabled || after[1].Enabled || !after[2].Enabled {
		l.Errorf("events of node1 %+v, of node2 %+v", before, after)
	}
	l.ticks("node2", "2", "0")
	l.exec("node1", "SET GLOBAL "+l.either("super_read_only", "read_only")+" = ON")
	position := l.position("node1")
	l.ok(one.DisableEvents(l.soon()))
	l.ok(one.DisableEvents(l.soon()))
	if rest, err := one.Events(l.soon()); err != nil || anyEnabled(rest) {
		l.Errorf("events of the former master: %+v, %v", rest, err)
	}
	l.exec("node1", "SET GLOBAL event_scheduler = ON")
	l.ticks("node2", "2", l.ticks("node2", "2", l.ticks("node2", "2", "0")))
	if now := l.position("node1"); !now.Equal(position) {
		l.Errorf("disabling events was written to the binary log, or they ran: %v, then %v", position, now)
	}
}

// ticksOnce: the former master is back, with its scheduler, and runs nothing.
func (l *live) ticksOnce() {
	last := l.query("node1", "SELECT MAX(id) FROM shop.ticks WHERE server = 1")
	l.ticks("node1", "2", l.ticks("node1", "2", "0"))
	if again := l.query("node1", "SELECT MAX(id) FROM shop.ticks WHERE server = 1"); again != last {
		l.Errorf("the former master's event ran: %s, then %s", last, again)
	}
	if own := l.position("node1").Subtract(l.position("node2")); !own.IsEmpty() {
		l.Errorf("the former master has transactions of its own: %v", own)
	}
	text, err := l.nodes.Node("node1").Log()
	l.ok(err)
	if strings.Contains(text, "Event Scheduler: [root@localhost].[shop.tick]") || strings.Contains(text, "Event Scheduler: [root@localhost][shop.tick]") {
		l.Error("the former master tried to run its event")
	}
	l.exec("node2", "DROP EVENT shop.tick")
	l.follows("node1", "node2")
}
