package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy"
	"github.com/bellwether-db/bellwether/router"
)

// answered is what is told of a statement on a topology.
func answered(sql string, t *cluster.Topology) (target, node string, why []string) {
	s := router.NewClassifier(1).Classify([]byte(sql), router.Dialect{Flavour: cluster.FlavourMySQL}, new(router.Scratch))
	e := proxy.Explained{
		Statement: s, Topology: t, Statements: 1, Consistency: router.ConsistencySession,
		Decision: router.Decide(s, router.Facts{Autocommit: true}, t, &router.Rules{}),
	}
	target, node = explainedTarget(&e)
	return target, node, explainedWhy(&e)
}

func TestExplained(t *testing.T) {
	well := imagined(cluster.FlavourMySQL)
	well.Catalogue.Unsafe = map[string]struct{}{"audited": {}}
	orphaned := imagined(cluster.FlavourMySQL)
	orphaned.Master, orphaned.Writes = -1, cluster.WritesHeld
	alone := imagined(cluster.FlavourMySQL)
	alone.Readable = nil
	for _, c := range []struct {
		sql          string
		topology     *cluster.Topology
		target, node string
		why          string
	}{
		{"SELECT a FROM t", well, "slave", "slave", "It only reads"},
		{"SELECT a FROM t", alone, "master", "master", "none may serve reads"},
		{"SELECT a FROM t FOR UPDATE", well, "master", "master", "locks the rows"},
		{"SELECT audited(a) FROM t", well, "master", "master", "It is about audited"},
		{"INSERT INTO t VALUES (1)", orphaned, "master", "", "There is no master now."},
		{"SELECT CONNECTION_ID()", well, "master", "master", "the client's own id"},
		{"SHOW BELLWETHER STATUS", well, "nowhere", "", "Bellwether answers it itself"},
		{"/* bellwether: slave */ SELECT a FROM t", well, "slave", "slave", "A comment"},
		{"SET NAMES utf8mb4", orphaned, "any node", "", "There is no master"},
	} {
		target, node, why := answered(c.sql, c.topology)
		if target != c.target || node != c.node || !slices.ContainsFunc(why, func(s string) bool { return strings.Contains(s, c.why) }) {
			t.Errorf("%s: %s %q %q, want %s %q and %q", c.sql, target, node, why, c.target, c.node, c.why)
		}
	}
}
