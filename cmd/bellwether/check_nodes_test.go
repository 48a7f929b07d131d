package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator"
	"github.com/bellwether-db/bellwether/replicator/control"
)

func TestWithNeeds(t *testing.T) {
	found := []cluster.Finding{
		{Node: "a", Name: "sync_binlog", Severity: cluster.SeverityAdvice, Have: "0"},
		{Node: "a", Name: "semi-sync plugin", Severity: cluster.SeverityAdvice},
		{Node: "a", Name: "privilege RELOAD", Severity: cluster.SeverityAdvice},
		{Node: "b", Name: "sync_binlog", Severity: cluster.SeverityOK, Have: "1"},
	}
	lacks := []control.Finding{
		{Node: "b", What: "binlog_row_image", Have: "MINIMAL", Want: "FULL", Why: "w", Settable: true, Severity: cluster.SeverityMust},
		{Node: "a", What: "sync_binlog", Have: "0", Want: "1", Why: "w", SQL: "SET PERSIST sync_binlog = 1", Settable: true, Severity: cluster.SeverityMust},
		{Node: "a", What: "rpl_semi_sync_source", Want: "ACTIVE", Why: "w", Severity: cluster.SeverityMust},
		{Node: "a", What: "binlog_checksum", Have: "NONE", Want: "CRC32", Why: "w", Option: "binlog_checksum = CRC32", Severity: cluster.SeverityMust},
		{Node: "a", What: control.AccountRequirement, Want: "THERE", Severity: cluster.SeverityMust},
	}
	checksum := cluster.Finding{
		Node: "a", Name: "binlog_checksum", Severity: cluster.SeverityMust, Have: "NONE", Want: "CRC32: w; in the option file: binlog_checksum = CRC32",
	}
	advised := checksum
	advised.Severity = cluster.SeverityAdvice
	for feed, want := range map[replicator.Feed][]cluster.Finding{
		replicator.FeedRelay: {
			found[2],
			{Node: "a", Name: "sync_binlog", Severity: cluster.SeverityMust, Have: "0", Want: "1: w", SQL: "SET PERSIST sync_binlog = 1;"},
			{Node: "a", Name: "rpl_semi_sync_source", Severity: cluster.SeverityMust, Have: "not there", Want: "ACTIVE: w"},
			checksum,
			{Node: "a", Name: control.AccountRequirement, Severity: cluster.SeverityMust, Have: "not there", Want: "THERE: "},
			found[3],
			{Node: "b", Name: "binlog_row_image", Severity: cluster.SeverityAdvice, Have: "MINIMAL", Want: "FULL: w (Bellwether sets it once it serves)"},
		},
		replicator.FeedDirect: {
			found[0], found[1], found[2], advised,
			{Node: "a", Name: control.AccountRequirement, Severity: cluster.SeverityMust, Have: "not there", Want: "THERE: slaves log in with it on the master"},
			found[3],
			{Node: "b", Name: "binlog_row_image", Severity: cluster.SeverityAdvice, Have: "MINIMAL", Want: "FULL: w"},
		},
	} {
		var needs []need
		for _, f := range lacks {
			if n, ok := needOf(f, feed); ok {
				needs = append(needs, n)
			}
		}
		if diff := cmp.Diff(want, withNeeds(append([]cluster.Finding{}, found...), needs, feed)); diff != "" {
			t.Errorf("feed %v (-want +got)\n%s", feed, diff)
		}
	}
}

// Only a MariaDB whose slaves apply in parallel what the master itself feeds them
// says too early what it has.
func TestEarly(t *testing.T) {
	for _, c := range []struct {
		mariaDB bool
		workers int
		feed    replicator.Feed
		want    int
	}{
		{true, 4, replicator.FeedDirect, 1},
		{true, 0, replicator.FeedDirect, 0},
		{true, 4, replicator.FeedRelay, 0},
		{false, 4, replicator.FeedDirect, 0},
	} {
		got := early("a", c.mariaDB, c.workers, replicator.Config{Feed: c.feed})
		if len(got) != c.want {
			t.Errorf("%+v: %+v", c, got)
		}
		for _, n := range got {
			if n.Severity != cluster.SeverityAdvice || n.Have != "4" || n.Node != "a" {
				t.Errorf("%+v", n)
			}
		}
	}
}
