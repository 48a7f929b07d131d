package control

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// attach: a fresh slave follows; a second time nothing is touched.
func (l *live) attach() {
	l.exec("node1", "SET sql_mode = 'PIPES_AS_CONCAT', time_zone = '+02:00'", "CREATE EVENT shop.daily ON SCHEDULE EVERY 1 DAY DO SET @x = 'a' || 'b'", "CREATE EVENT shop.off ON SCHEDULE EVERY 1 DAY DISABLE DO SET @x = 1")
	l.exec("node1", "CREATE TABLE shop.t (id INT PRIMARY KEY, v INT)", "INSERT INTO shop.t VALUES (1, 1)")
	l.exec("node2", l.either("SET GLOBAL super_read_only = OFF", "SET GLOBAL read_only = OFF"))
	c := l.connect("node2")
	changed, err := c.Attach(l.soon(), l.source("node1"), nil)
	l.ok(err)
	if len(changed) < 2 {
		l.Errorf("a fresh slave: %q", changed)
	}
	l.follows("node2", "node1")
	s, err := c.Status(l.soon())
	l.ok(err)
	if !s.Configured || s.SourceAddr != l.source("node1").Addr() || s.SourceID != 1 || !s.ReadOnly || s.SuperReadOnly == l.maria() ||
		Judge(s, History{}).State != StateRunning || !s.LagKnown || s.Executed.IsEmpty() || !s.Executed.Equal(s.Retrieved) {
		l.Errorf("status of a slave that runs: %+v", s)
	}
	before := l.sent("node2", "CHANGE", "STOP", "START", "SET GLOBAL", "SET PERSIST")
	changed, err = c.Attach(l.soon(), l.source("node1"), nil)
	l.ok(err)
	if n := l.sent("node2", "CHANGE", "STOP", "START", "SET GLOBAL", "SET PERSIST"); n != before || changed != nil {
		l.Errorf("attached again: %d statements, %q", n-before, changed)
	}
}

// prepareRunning: MySQL sets a binary log's format only while nothing applies.
func (l *live) prepareRunning() {
	l.exec("node2", l.either("STOP REPLICA SQL_THREAD", "STOP SLAVE SQL_THREAD"), "SET GLOBAL binlog_format = 'MIXED'", l.either("START REPLICA SQL_THREAD", "START SLAVE SQL_THREAD"))
	findings, err := l.connect("node2").Prepare(l.soon(), cluster.Account{})
	l.ok(err)
	for _, f := range findings {
		if f.Severity == cluster.SeverityMust {
			l.Errorf("left on a slave that runs: %v", f)
		}
	}
	if got := l.query("node2", "SELECT @@GLOBAL.binlog_format"); got != "ROW" {
		l.Errorf("binlog_format is %s", got)
	}
	l.follows("node2", "node1")
}

// position is what a node has executed.
func (l *live) position(node string) *cluster.GTIDSet {
	l.Helper()
	s, err := l.connect(node).Status(l.soon())
	l.ok(err)
	return s.Current
}

// follows waits until a slave runs and has all that the master has.
func (l *live) follows(slave, master string) {
	l.Helper()
	want := l.position(master)
	c := l.connect(slave)
	l.until(slave+" follows "+master, func() (bool, string) {
		s, err := c.Status(l.soon())
		l.ok(err)
		v := Judge(s, History{})
		return v.State == StateRunning && s.Executed.ContainsSet(want), fmt.Sprintf("%v, has %v of %v", v, s.Executed, want)
	})
}

// wanted are the slaves that the test's keeper keeps.
type wanted struct {
	mu     sync.Mutex
	slaves []Slave
}

func (w *wanted) set(slaves ...Slave) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slaves = slaves
}

func (w *wanted) get() []Slave {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.slaves
}

// keep runs a keeper, and lets things go wrong under it.
func (l *live) keep() {
	var w wanted
	keeper := NewKeeper(KeeperConfig{Cluster: l.config, Interval: 50 * time.Millisecond}, w.get, l.logger())
	ctx, cancel := context.WithCancel(l.Context())
	ended := make(chan error, 1)
	go func() { ended <- keeper.Run(ctx) }()
	defer func() {
		cancel()
		l.ok(<-ended)
	}()
	k := kept{l, keeper, &w}
	k.setsUp()
	k.startsAgain()
	k.followsTheSource()
	k.reportsWrongPassword()
	k.reportsDuplicateKey()
	k.waitsForLocks()
	k.goesOnBehindDefinitions()
	k.observes()
	k.forgets()
}

type kept struct {
	*live
	keeper *Keeper
	w      *wanted
}

// slave is node's entry, from a source.
func (k kept) slave(node string, src Source) Slave { return Slave{Node: k.node(node), Source: src} }

// report waits until a slave's report is as wanted, and returns it.
func (k kept) report(node, what string, is func(SlaveReport) bool) (found SlaveReport) {
	k.Helper()
	k.until(node+": "+what, func() (bool, string) {
		var seen string
		for _, r := range k.keeper.Report() {
			if r.Node.Name == node {
				found, seen = r, r.Verdict.String()
			}
		}
		return found.Node.Name != "" && is(found), seen
	})
	return found
}

func in(state State, failure string) func(SlaveReport) bool {
	return func(r SlaveReport) bool { return r.Verdict.State == state && r.Verdict.Failure == failure }
}

// setsUp: one slave that is set up already, one that is not.
func (k kept) setsUp() {
	before := k.sent("node2", "CHANGE")
	k.w.set(k.slave("node2", k.source("node1")), k.slave("node3", k.source("node1")))
	k.keeper.Nudge()
	for _, name := range []string{"node2", "node3"} {
		k.report(name, "runs", in(StateRunning, ""))
		k.follows(name, "node1")
	}
	if n := k.sent("node2", "CHANGE"); n != before {
		k.Errorf("node2 was set up anew %d times", n-before)
	}
}

// startsAgain: threads that somebody stopped, and settings that somebody changed.
func (k kept) startsAgain() {
	k.exec("node2", k.either("STOP REPLICA", "STOP SLAVE"))
	k.exec("node3", k.either("SET GLOBAL super_read_only = OFF", "SET GLOBAL read_only = OFF"))
	k.exec("node1", "INSERT INTO shop.t VALUES (2, 1)")
	k.follows("node2", "node1")
	k.until("node3 is closed again", func() (bool, string) {
		value := k.query("node3", k.either("SELECT @@GLOBAL.super_read_only", "SELECT @@GLOBAL.read_only"))
		return value == "1", value
	})
	k.report("node2", "was started", func(r SlaveReport) bool { return r.Changed > 0 && r.Verdict.State == StateRunning })
}

// followsTheSource: the source goes where nobody listens, and comes back.
func (k kept) followsTheSource() {
	nowhere := k.source("node1")
	nowhere.Port = 1
	k.w.set(k.slave("node2", nowhere), k.slave("node3", k.source("node1")))
	k.keeper.Nudge()
	r := k.report("node2", "waits", in(StateWaiting, "source away"))
	if r.Verdict.Problem.Number != 2003 || r.Verdict.Hint == "" {
		k.Errorf("no source: %v, %q", r.Verdict, r.Verdict.Hint)
	}
	k.w.set(k.slave("node2", k.source("node1")), k.slave("node3", k.source("node1")))
	k.keeper.Nudge()
	k.report("node2", "runs", in(StateRunning, ""))
}

// reportsWrongPassword: it is told, and set right with the right one.
func (k kept) reportsWrongPassword() {
	wrong := k.source("node1")
	wrong.Password, wrong.Heartbeat = "wrong", 2*time.Second // a running connection is not cut for a password alone
	k.w.set(k.slave("node2", wrong), k.slave("node3", k.source("node1")))
	k.keeper.Nudge()
	r := k.report("node2", "login refused", in(StateBroken, "login refused"))
	if r.Verdict.Problem.Number != 1045 || !strings.Contains(r.Verdict.Hint, "password") {
		k.Errorf("a wrong password: %v, %q", r.Verdict, r.Verdict.Hint)
	}
	k.w.set(k.slave("node2", k.source("node1")), k.slave("node3", k.source("node1")))
	k.keeper.Nudge()
	k.report("node2", "runs", in(StateRunning, ""))
	k.follows("node2", "node1")
}

// reportsDuplicateKey: with the GTID, and without a second try.
func (k kept) reportsDuplicateKey() {
	k.follows("node3", "node1")
	stop, start := k.either("SET GLOBAL super_read_only = OFF", "DO 0"), k.either("SET GLOBAL super_read_only = ON", "DO 0")
	k.exec("node3", stop, "SET sql_log_bin = 0", "INSERT INTO shop.t VALUES (3, 3)", start)
	k.exec("node1", "INSERT INTO shop.t VALUES (3, 1)")
	want := k.position("node1").Subtract(k.position("node3")).String()
	r := k.report("node3", "data differ", in(StateBroken, "data differ"))
	if p := r.Verdict.Problem; p.Number != 1062 || p.GTID != want || !strings.Contains(p.Text, "Duplicate entry") || p.Event == "" || !strings.Contains(r.Verdict.Hint, "/sync") {
		k.Errorf("a duplicate key: %v, hint %q, want GTID %s", r.Verdict, r.Verdict.Hint, want)
	}
	before, seen := k.sent("node3", "START", "STOP", "CHANGE"), r.Seen
	k.report("node3", "looked at again", func(r SlaveReport) bool { return r.Seen.After(seen.Add(500 * time.Millisecond)) })
	if n := k.sent("node3", "START", "STOP", "CHANGE"); n != before {
		k.Errorf("a slave that is broken was touched %d times", n-before)
	}
	k.exec("node3", stop, "SET sql_log_bin = 0", "DELETE FROM shop.t WHERE id = 3", start, k.either("START REPLICA", "START SLAVE"))
	k.report("node3", "runs", in(StateRunning, ""))
	k.follows("node3", "node1")
}

// waitsForLocks: a lock wait timeout passes.
func (k kept) waitsForLocks() {
	retries := k.either("SET GLOBAL replica_transaction_retries = ", "SET GLOBAL slave_transaction_retries = ")
	k.exec("node3", "SET GLOBAL innodb_lock_wait_timeout = 1", retries+"0", k.either("STOP REPLICA", "STOP SLAVE"))
	k.report("node3", "runs with that", in(StateRunning, ""))
	holder := k.connect("node3")
	k.ok(holder.exec(k.soon(), "START TRANSACTION", "SELECT * FROM shop.t WHERE id = 1 LOCK IN SHARE MODE"))
	k.exec("node1", "UPDATE shop.t SET v = 2 WHERE id = 1")
	k.report("node3", "locked", func(r SlaveReport) bool { return r.History.Failure == "locked" && r.History.Starts > 0 })
	k.ok(holder.exec(k.soon(), "ROLLBACK"))
	k.follows("node3", "node1")
	k.exec("node3", "SET GLOBAL innodb_lock_wait_timeout = 50", retries+"10")
}

// observes: a slave whose source nobody named is told of as it is, and is left
// alone.
func (k kept) observes() {
	watched := k.slave("node2", Source{})
	watched.Observe = true
	k.w.set(watched, k.slave("node3", k.source("node1")))
	k.keeper.Nudge()
	k.report("node2", "watched", func(r SlaveReport) bool {
		return r.Source != k.source("node1").String() && r.Verdict.State == StateRunning
	})
	k.exec("node2", k.either("STOP REPLICA", "STOP SLAVE"))
	before := k.sent("node2", "START", "STOP", "CHANGE")
	k.report("node2", "stopped", in(StateRestart, "stopped"))
	k.report("node3", "runs", in(StateRunning, ""))
	if n := k.sent("node2", "START", "STOP", "CHANGE"); n != before {
		k.Errorf("a slave that is only watched was touched %d times", n-before)
	}
	k.exec("node2", k.either("START REPLICA", "START SLAVE"))
}

// forgets: a slave that is no longer wanted is left alone.
func (k kept) forgets() {
	k.w.set(k.slave("node2", k.source("node1")))
	k.keeper.Nudge()
	k.until("node3 is forgotten", func() (bool, string) {
		reports := k.keeper.Report()
		return len(reports) == 1 && reports[0].Node.Name == "node2", fmt.Sprint(len(reports))
	})
}

// drain: a slave applies what it received before it goes to another source.
func (l *live) drain() {
	c, holder := l.connect("node3"), l.connect("node3")
	l.ok(holder.exec(l.soon(), "START TRANSACTION", "SELECT * FROM shop.t WHERE id = 1 LOCK IN SHARE MODE"))
	l.exec("node1", "UPDATE shop.t SET v = 3 WHERE id = 1")
	want := l.position("node1")
	l.until("node3 has received it", func() (bool, string) {
		s, err := c.Status(l.soon())
		l.ok(err)
		return s.Retrieved.ContainsSet(want) && !s.Executed.ContainsSet(want), s.Retrieved.String()
	})
	l.cannotDrain("node3", l.source("node2"))
	l.ok(holder.exec(l.soon(), "ROLLBACK"))
	_, err := l.connect("node3").Attach(l.soon(), l.source("node2"), nil)
	l.ok(err)
	l.follows("node3", "node2")
}

// cannotDrain: a slave that is held up says what it has left to apply, given the
// time to look at it once.
func (l *live) cannotDrain(slave string, src Source) {
	for wait := 300 * time.Millisecond; ; wait *= 2 {
		short, cancel := context.WithTimeout(l.Context(), wait)
		_, err := l.connect(slave).Attach(short, src, nil)
		late := short.Err() != nil
		cancel()
		var undrained *UndrainedError
		switch {
		case errors.As(err, &undrained) && !undrained.Left.IsEmpty():
			return
		case !late || err == nil || wait > patience:
			l.Fatalf("a slave that could not apply what it received: %v", err)
		}
	}
}

// turn: node2 becomes the master, node3 and the former master its slaves.
func (l *live) turn() {
	l.tick()
	two := l.connect("node2")
	l.ok(two.Detach(l.soon()))
	l.ok(two.Detach(l.soon()))
	l.ok(l.nodes.OpenMaster(l.soon(), l.nodes.Node("node2")))
	l.exec("node2", "INSERT INTO shop.t VALUES (10, 1)")
	l.follows("node3", "node2")
	l.moveEvents()
	_, err := l.connect("node1").Attach(l.soon(), l.source("node2"), func() *cluster.GTIDSet { return l.position("node2") })
	l.ok(err)
	l.follows("node1", "node2")
	l.checkRows("node1", "node2")
	l.checkRows("node3", "node2")
	l.ticksOnce()
	l.refusesErrant()
}

// refusesErrant: what the new master lacks keeps a node from becoming its slave.
func (l *live) refusesErrant() {
	one := l.connect("node1")
	l.ok(one.Detach(l.soon()))
	l.ok(l.nodes.OpenMaster(l.soon(), l.nodes.Node("node1")))
	l.exec("node1", "INSERT INTO shop.t VALUES (11, 1)")
	_, err := one.Attach(l.soon(), l.source("node2"), func() *cluster.GTIDSet { return l.position("node2") })
	var errant *ErrantError
	if !errors.As(err, &errant) || errant.Extra.IsEmpty() {
		l.Errorf("a former master with a transaction of its own: %v", err)
	}
	s, e := one.Status(l.soon())
	l.ok(e)
	if err != nil && s.Configured {
		l.Errorf("it was made a slave: %+v", s)
	}
	if !s.ReadOnly {
		l.Error("it was left open for writes")
	}
}

func (l *live) checkRows(a, b string) {
	l.Helper()
	text := "SELECT GROUP_CONCAT(id, '=', v ORDER BY id) FROM shop.t"
	if x, y := l.query(a, text), l.query(b, text); x != y {
		l.Errorf("%s has %s, %s has %s", a, x, b, y)
	}
}
