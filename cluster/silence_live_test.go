package cluster_test

import (
	"slices"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
)

// checkSilence: a server that is there but does not answer leaves as well, and so
// does one that the network lets be heard or hear only; and it comes back.
func (l *live) checkSilence() {
	n := l.nodes.Node("node3")
	for _, fault := range []struct {
		what       string
		begin, end func() error
	}{
		{"frozen", n.Pause, n.Resume},
		{"not reached", func() error { n.CutToNode(); return nil }, func() error { n.Mend(); return nil }},
		{"not heard", func() error { n.CutFromNode(); return nil }, func() error { n.Mend(); return nil }},
	} {
		begun := time.Now()
		if err := fault.begin(); err != nil {
			l.Fatal(err)
		}
		down := l.until("node3 down: "+fault.what, func(t *cluster.Topology) bool {
			n := t.Nodes[2]
			return n.Health == cluster.HealthDown && n.Outcome == cluster.OutcomeTimeout && !n.Failing.Before(begun.Add(-time.Second))
		})
		l.Logf("%s: down after %v, failing since %v after it began", fault.what, down, l.store.Load().Nodes[2].Failing.Sub(begun))
		if err := fault.end(); err != nil {
			l.Fatal(err)
		}
		up := l.until("node3 up: "+fault.what, func(t *cluster.Topology) bool {
			n := t.Nodes[2]
			return n.Readable() && n.Outcome == cluster.OutcomeAnswered && n.Failing.IsZero()
		})
		l.Logf("%s: back after %v", fault.what, up)
	}
}

// checkSettings: what replication rests on is seen, and a change of it.
func (l *live) checkSettings() {
	mysql := l.nodes.Flavour == playground.MySQL
	l.until("settings seen", func(t *cluster.Topology) bool {
		return !slices.ContainsFunc(t.Nodes, func(n cluster.Node) bool {
			s := n.Settings
			return s.Read.IsZero() || !s.LogBin || !s.LogUpdates || s.DiskFull || s.BinlogFormat != "ROW" || (s.GTIDMode == "ON") != mysql
		})
	})
	before := l.store.Load().Nodes[1].Settings.RowImage
	l.exec("node2", "SET GLOBAL binlog_row_image = 'NOBLOB'")
	l.until("another row image", func(t *cluster.Topology) bool { return t.Nodes[1].Settings.RowImage == "NOBLOB" })
	l.exec("node2", "SET GLOBAL binlog_row_image = '"+before+"'")
}
