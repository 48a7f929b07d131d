package replicator

import (
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/bellwether-db/bellwether/replicator/control"
)

// The feed changes and changes back while writes go on: slaves come one after
// the other, lose nothing, and no commit waits for anybody who has gone. Other
// settings change, too.
func TestFeedChangesUnderWrites(t *testing.T) {
	worlds(t, 2, func(w *world) {
		w.must(w.nodes.Nodes[0].Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(40))"))
		w.config.Direct = cluster.Account{User: w.nodes.Replication.User, Password: w.nodes.Replication.Password}
		stop := make(chan struct{})
		acknowledged := w.writer(stop)
		w.prepared() // nobody does that at feed direct
		w.feed(FeedDirect)
		w.wantDirect()
		w.changePassword()
		w.waitsLikeAMaster(w.nodes.Slaves()[0])
		w.feed(FeedRelay)
		w.until("protected", func(*cluster.Topology) bool { return w.replicator.Status().Protected })
		w.until("fed from here alone", func(*cluster.Topology) bool {
			set, whole := w.replicator.End()
			return set != nil && whole
		})
		w.policy(PolicyDegrade, "300")
		w.policy(PolicyDurable, "18446744073709551615")
		w.stop() // and the next process finds another feed in its configuration
		w.config.Feed = FeedDirect
		w.begin()
		w.until("semi-synchronous replication is off", func(*cluster.Topology) bool { return w.semiSync("enabled") == "OFF" })
		w.feed(FeedDirect)
		w.wantDirect()
		close(stop)
		rows := acknowledged()
		w.converge()
		if got, err := strconv.Atoi(w.same("SELECT COUNT(*) FROM shop.t")); err != nil || got != rows {
			w.Errorf("%d rows (%v), %d were acknowledged", got, err, rows)
		}
	})
}

// wantDirect wants nothing to be promised, and nobody to wait.
func (w *world) wantDirect() {
	w.Helper()
	if got := w.semiSync("enabled"); got != "OFF" {
		w.Errorf("semi-synchronous replication is %s with nobody to acknowledge", got)
	}
	reason, _ := w.replicator.Unprotected()
	if end, _ := w.replicator.End(); reason != "" || end != nil {
		w.Errorf("with nothing promised: %q, all is in %v", reason, end)
	}
}

// changePassword gives the slaves' account another one, which they get at once.
func (w *world) changePassword() {
	w.Helper()
	w.config.Direct.Password = "another one"
	w.must(w.nodes.Nodes[0].Exec(w.Context(), "ALTER USER '"+w.config.Direct.User+"'@'%' IDENTIFIED BY 'another one'"))
	before := map[string]uint64{}
	for _, s := range w.replicator.Status().Slaves {
		before[s.Node.Name] = s.Changed
	}
	w.replicator.Configure(w.config)
	w.until("slaves with another password", func(*cluster.Topology) bool {
		for _, s := range w.replicator.Status().Slaves {
			if s.Changed == before[s.Node.Name] {
				return false
			}
		}
		return true
	})
	w.feed(FeedDirect)
}

// prepared waits until slaves have what a master needs, which they get beside
// their set-up.
func (w *world) prepared() {
	w.Helper()
	query := "SELECT COUNT(*) FROM performance_schema.global_variables WHERE VARIABLE_NAME = 'rpl_semi_sync_source_enabled' AND @@GLOBAL.super_read_only"
	if w.nodes.Flavour == playground.MariaDB {
		query = "SELECT COUNT(*) FROM information_schema.GLOBAL_VARIABLES WHERE VARIABLE_NAME = 'rpl_semi_sync_master_enabled'"
	}
	w.until("slaves prepared", func(*cluster.Topology) bool {
		for _, n := range w.nodes.Slaves() {
			got, err := n.Query(w.Context(), query)
			w.must(err)
			if got != "1" {
				return false
			}
		}
		return true
	})
}

// waitsLikeAMaster has a slave wait for acknowledgements that nobody gives: it
// applies nothing until that is switched off.
func (w *world) waitsLikeAMaster(n *playground.Node) {
	w.Helper()
	name := "rpl_semi_sync_source_enabled"
	if w.nodes.Flavour == playground.MariaDB {
		name = "rpl_semi_sync_master_enabled"
	}
	w.must(n.Exec(w.Context(), "SET GLOBAL "+name+" = ON"))
}

// policy changes it, and waits until commits wait that long.
func (w *world) policy(p Policy, timeout string) {
	w.Helper()
	w.config.Policy, w.config.DegradeAfter = p, 300*time.Millisecond
	w.must(w.replicator.Accepts(w.config))
	w.replicator.Configure(w.config)
	w.until("policy "+p.String(), func(*cluster.Topology) bool {
		got := w.semiSync("timeout")
		return got == timeout || p == PolicyDurable && len(got) >= 10 // what is the longest differs
	})
}

// feed has the slaves replicate from elsewhere, and waits until all do.
func (w *world) feed(feed Feed) {
	w.Helper()
	w.config.Feed = feed
	w.must(w.replicator.Accepts(w.config))
	w.replicator.Configure(w.config)
	w.until("feed "+feed.String(), func(*cluster.Topology) bool {
		s := w.replicator.Status()
		source := w.nodes.Nodes[0].Addr()
		if feed == FeedRelay {
			source = s.Address
		}
		for _, slave := range s.Slaves {
			if slave.Verdict.State != control.StateRunning || slave.Status.SourceAddr != source {
				return false
			}
		}
		return s.Feed == feed && s.Promised == (feed == FeedRelay) && len(s.Slaves) == len(w.nodes.Slaves())
	})
}

// semiSync is a setting of semi-synchronous replication on the master.
func (w *world) semiSync(setting string) string {
	w.Helper()
	query := "SELECT VARIABLE_VALUE FROM performance_schema.global_variables WHERE VARIABLE_NAME = 'rpl_semi_sync_source_" + setting + "'"
	if w.nodes.Flavour == playground.MariaDB {
		query = "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_VARIABLES WHERE VARIABLE_NAME = 'rpl_semi_sync_master_" + setting + "'"
	}
	value, err := w.nodes.Nodes[0].Query(w.Context(), query)
	w.must(err)
	return value
}

// What a reload cannot change is refused with what to do.
func TestAccepts(t *testing.T) {
	store := cluster.NewStore(&cluster.Topology{Master: -1, Nodes: make([]cluster.Node, 2)})
	relay := Default()
	relay.Feed, relay.Dir = FeedRelay, t.TempDir()
	direct := relay
	direct.Feed, direct.Direct = FeedDirect, cluster.Account{User: "repl", Password: "p"}
	for _, c := range []struct {
		name   string
		now    Config
		change func(*Config)
		want   string
	}{
		{"nothing", relay, func(*Config) {}, ""},
		{"what can change", relay, func(c *Config) {
			c.Policy, c.DegradeAfter, c.MaxBytes, c.MaxAge, c.Advertise = PolicyDegrade, time.Second, 1<<40, time.Hour, "h:1"
		}, ""},
		{"listen", relay, func(c *Config) { c.Listen = "127.0.0.1:1" }, "replication.listen cannot change while feed relay runs"},
		{"folder", relay, func(c *Config) { c.LogDir = "/elsewhere" }, "replication.stored_log.dir cannot change"},
		{"key", relay, func(c *Config) { c.Key = make([]byte, 32) }, "replication.stored_log.key_file cannot change"},
		{"to direct", relay, func(c *Config) { c.Feed, c.Direct = FeedDirect, direct.Direct }, ""},
		{"to direct without an account", relay, func(c *Config) { c.Feed = FeedDirect }, "takes replication.account"},
		{"to relay, elsewhere", direct, func(c *Config) { c.Feed, c.Listen, c.LogDir = FeedRelay, "127.0.0.1:1", "/elsewhere" }, ""},
		{"what never works", direct, func(c *Config) { c.Feed, c.Listen = FeedRelay, "nowhere" }, "listen"},
	} {
		next := c.now
		c.change(&next)
		err := New(c.now, store, slog.New(slog.DiscardHandler)).Accepts(next)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// Turns come one after the other, and do not wait for who cannot be reached.
func TestTurns(t *testing.T) {
	source := control.Source{Host: "new", Port: 1, User: "u", TLS: control.TLSOff}
	var open bool
	turns := newTurns(func(control.Slave) bool { return open }, nil)
	seen := func(name string, state control.State, addr string) control.SlaveReport {
		r := control.SlaveReport{Node: control.Node{Name: name}, Verdict: control.Verdict{State: state}}
		r.Status.SourceAddr, r.Status.SourceUser = addr, "u"
		return r
	}
	const old = "old:1"
	at := time.Now()
	for i, step := range []struct {
		reports []control.SlaveReport
		open    bool
		after   time.Duration
		goes    string // who may act
		over    bool
	}{
		{nil, true, 0, "", false},
		{[]control.SlaveReport{seen("a", control.StateRunning, old), seen("b", control.StateRunning, old)}, false, 0, "", false},
		{[]control.SlaveReport{seen("a", control.StateRunning, old), seen("b", control.StateRunning, old)}, true, 0, "a", false},
		{[]control.SlaveReport{seen("a", control.StateStarting, old), seen("b", control.StateRunning, old)}, true, turnPatience, "a", false},
		{[]control.SlaveReport{seen("a", control.StateRunning, "new:1"), seen("b", control.StateRunning, old)}, true, turnPatience, "ab", false},
		{[]control.SlaveReport{seen("b", control.StateStarting, old), seen("c", control.StateUnknown, "")}, true, turnPatience, "abc", false},
		{[]control.SlaveReport{seen("b", control.StateStarting, old)}, true, 2*turnPatience + 1, "abc", true},
	} {
		open = step.open
		slaves := []control.Slave{{Node: control.Node{Name: "a"}}, {Node: control.Node{Name: "b"}}, {Node: control.Node{Name: "c"}}}
		for i := range slaves {
			slaves[i].Source = source
		}
		var got string
		for _, s := range turns.order(slaves, step.reports, at.Add(step.after)) {
			if !s.Observe {
				got += s.Node.Name
			}
		}
		over := false
		select {
		case <-turns.over:
			over = true
		default:
		}
		if got != step.goes || over != step.over {
			t.Errorf("step %d: %q may act, over %t; want %q, %t", i, got, over, step.goes, step.over)
		}
	}
}
