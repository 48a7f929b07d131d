package main

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/config"
	"github.com/bellwether-db/bellwether/replicator"
	"github.com/bellwether-db/bellwether/replicator/control"
	"github.com/bellwether-db/bellwether/replicator/dialect"
)

// fleetOfTwo is a master and a slave that follows it, as they should be.
func fleetOfTwo(t *testing.T, feed replicator.Feed) *adoption {
	t.Helper()
	c, err := config.Load(file(t, two+"replication: {account: {user: repl, password: p}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := dialect.For("9.7.0")
	if err != nil {
		t.Fatal(err)
	}
	a := &adoption{config: c, feed: feed, released: true, fleet: &fleet{master: control.Node{Name: "a", Addr: "127.0.0.1:1"}}}
	for _, n := range c.ClusterConfig().Nodes {
		m := member{NodeConfig: n}
		m.look.Status = control.Status{Dialect: d, Executed: setFor(t, "1-9"), Current: setFor(t, "1-9")}
		m.look.Purged, m.look.Identity = setFor(t, "1-3"), "uuid-"+n.Name
		a.nodes = append(a.nodes, m)
	}
	s := &a.nodes[1].look.Status
	s.Configured, s.SourceAddr, s.SourceUser, s.SourceUUID, s.ReadOnly = true, "db1:1", "repl", "uuid-a", true
	s.Receiver.Runs, s.Applier.Runs = control.RunsYes, control.RunsYes
	return a
}

func setFor(t *testing.T, numbers string) *cluster.GTIDSet {
	t.Helper()
	set, err := cluster.ParseGTIDSet(cluster.FlavourMySQL, "00000000-0000-0000-0000-000000000001:"+numbers)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// What is not right is refused with a reason, and nothing else is.
func TestAdoptJudges(t *testing.T) {
	for _, c := range []struct {
		name   string
		feed   replicator.Feed
		change func(a *adoption, master, slave *member)
		want   string // "" for none
	}{
		{"all is well", replicator.FeedRelay, func(*adoption, *member, *member) {}, ""},
		{"and back", replicator.FeedDirect, func(*adoption, *member, *member) {}, ""},
		{"a slave is away", replicator.FeedRelay, func(_ *adoption, _, s *member) { s.err = errors.New("refused") }, "refused"},
		{"in maintenance", replicator.FeedRelay, func(_ *adoption, _, s *member) { s.Maintenance, s.err = true, errors.New("refused") }, ""},
		{"without GTIDs", replicator.FeedRelay, func(_ *adoption, _, s *member) {
			s.look.Findings = []control.Finding{{What: "gtid_mode", Have: "OFF", Want: "ON", Why: "w", SQL: "SET PERSIST gtid_mode = ON", Severity: cluster.SeverityMust}}
		}, "gtid_mode is OFF, wanted ON: w\nSET PERSIST gtid_mode = ON;"},
		{"what Bellwether sets", replicator.FeedRelay, func(_ *adoption, m, _ *member) {
			m.look.Findings = []control.Finding{{What: "sync_binlog", Have: "0", Want: "1", Severity: cluster.SeverityMust, Settable: true}}
		}, ""},
		{"errant", replicator.FeedRelay, func(_ *adoption, _, s *member) { s.look.Status.Executed = setFor(t, "1-12") }, ":10-12, which the master lacks"},
		{"purged", replicator.FeedDirect, func(_ *adoption, m, _ *member) { m.look.Purged = setFor(t, "1-10") }, ":10, which the master no longer has"},
		{"multi-source", replicator.FeedRelay, func(_ *adoption, _, s *member) { s.look.Status.Channels = []string{"c2"} }, "further sources, on the channels c2"},
		{"another master", replicator.FeedRelay, func(_ *adoption, _, s *member) { s.look.Status.SourceUUID = "uuid-x" }, "which is not the master"},
		{"another master by id", replicator.FeedRelay, func(_ *adoption, m, s *member) {
			s.look.Status.SourceUUID, s.look.Status.SourceID, m.look.ServerID = "", 4, 1
		}, "which is not the master"},
		{"fed already", replicator.FeedRelay, func(_ *adoption, _, s *member) {
			s.look.Status.SourceUUID, s.look.Status.SourceUser = "uuid-bw", replicator.SlaveUser
		}, ""},
		{"a chain", replicator.FeedRelay, func(_ *adoption, m, _ *member) { m.look.Status.Configured = true }, "RESET REPLICA ALL"},
		{"no account", replicator.FeedDirect, func(a *adoption, _, _ *member) { a.config.Replication.Account = config.SlaveAccount{} }, "replication.account is not configured"},
		{"every interface", replicator.FeedRelay, func(a *adoption, _, _ *member) { a.config.Replication.Listen = "0.0.0.0:3308" }, "replication.advertise is missing"},
		{"another machine", replicator.FeedRelay, func(_ *adoption, _, s *member) { s.Addr = "10.0.0.2:3306" }, "cannot reach 127.0.0.1:3308"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := fleetOfTwo(t, c.feed)
			c.change(a, &a.nodes[0], &a.nodes[1])
			var problems []string
			for _, r := range a.judge() {
				problems = slices.Concat(problems, r.problems)
			}
			if c.want == "" && len(problems) > 0 || c.want != "" && (len(problems) != 1 || !strings.Contains(problems[0], c.want)) {
				t.Errorf("problems %q, want %q", problems, c.want)
			}
		})
	}
}

// Nobody is told to reload where nobody runs, and the file stays as it is.
func TestAdoptWantsABellwetherThatRuns(t *testing.T) {
	path := file(t, two)
	if code, _, stderr := command(t.Context(), "adopt", "--config", path); code != exitFailure || !strings.Contains(stderr, "no bellwether runs on") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	if code, _, stderr := command(t.Context(), "adopt", "--config", path, "--feed", "both"); code != exitFailure || !strings.Contains(stderr, "want relay or direct") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}
