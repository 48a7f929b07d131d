package replicator

import (
	"strconv"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/bellwether-db/bellwether/replicator/control"
)

// The feed changes and changes back while writes go on: slaves come one after
// the other, lose nothing, and no commit waits for anybody who has gone.
func TestFeedChangesUnderWrites(t *testing.T) {
	worlds(t, 2, func(w *world) {
		w.must(w.nodes.Nodes[0].Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(40))"))
		w.config.Direct = cluster.Account{User: w.nodes.Replication.User, Password: w.nodes.Replication.Password}
		stop := make(chan struct{})
		acknowledged := w.writer(stop)
		for range 2 {
			w.feed(FeedDirect)
			if got := w.semiSync(); got != "OFF" {
				w.Errorf("semi-synchronous replication is %s with nobody to acknowledge", got)
			}
			if reason, _ := w.replicator.Unprotected(); reason != "" {
				w.Errorf("with nothing promised: %s", reason)
			}
			w.feed(FeedRelay)
			w.until("protected", func(*cluster.Topology) bool { return w.replicator.Status().Protected })
		}
		close(stop)
		rows := acknowledged()
		w.converge()
		if got, err := strconv.Atoi(w.same("SELECT COUNT(*) FROM shop.t")); err != nil || got != rows {
			w.Errorf("%d rows (%v), %d were acknowledged", got, err, rows)
		}
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

// semiSync says whether the master's commits wait.
func (w *world) semiSync() string {
	w.Helper()
	query := "SELECT VARIABLE_VALUE FROM performance_schema.global_variables WHERE VARIABLE_NAME = 'rpl_semi_sync_source_enabled'"
	if w.nodes.Flavour == playground.MariaDB {
		query = "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_VARIABLES WHERE VARIABLE_NAME = 'rpl_semi_sync_master_enabled'"
	}
	value, err := w.nodes.Nodes[0].Query(w.Context(), query)
	w.must(err)
	return value
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
