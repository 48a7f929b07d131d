package cluster_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// What has commits wait for a replica that nobody is: they are in the binary log,
// and the engine does not show them; and what lets them go.
const (
	holdCommits = "SET GLOBAL rpl_semi_sync_master_wait_point = AFTER_SYNC, GLOBAL rpl_semi_sync_master_wait_no_slave = ON, " +
		"GLOBAL rpl_semi_sync_master_timeout = 1000000, GLOBAL rpl_semi_sync_master_enabled = ON"
	releaseCommits = "SET GLOBAL rpl_semi_sync_master_enabled = OFF"
)

// TestAwaitVisible holds a commit of MariaDB between its binary log and its
// engine: the position that a slave is sent is there already, and nobody can
// read the row.
func TestAwaitVisible(t *testing.T) {
	l := watch(t, playground.ForTest(t, playground.Options{Flavour: playground.MariaDB, Relaxed: true}))
	l.exec("node1", "CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY)")
	if err := l.awaitVisible(patience); err != nil {
		t.Fatalf("with nothing held: %v", err)
	}
	l.exec("node1", holdCommits)
	before := l.ask("SELECT @@global.gtid_binlog_pos")
	written := make(chan error, 1)
	go func() { written <- l.nodes.Node("node1").Exec(context.Background(), "INSERT INTO d.t VALUES (1)") }()
	for begun := time.Now(); l.ask("SELECT @@global.gtid_binlog_pos") == before; time.Sleep(5 * time.Millisecond) { // bounded by patience
		if time.Since(begun) > patience {
			t.Fatal("the row is not logged")
		}
	}
	if rows := l.ask("SELECT COUNT(*) FROM d.t"); rows != "0" {
		t.Fatalf("%s rows are shown: the commit is not held", rows)
	}
	if err := l.awaitVisible(50 * time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while the commit is held: %v", err)
	}
	l.exec("node1", releaseCommits)
	if err := l.awaitVisible(patience); err != nil {
		t.Errorf("once it is let go: %v", err)
	}
	if rows := l.ask("SELECT COUNT(*) FROM d.t"); rows != "1" {
		t.Errorf("%s rows are shown after the wait, want 1", rows)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
	l.exec("node1", "FLUSH BINARY LOGS")
	if err := l.awaitVisible(patience); err != nil {
		t.Errorf("at the beginning of a binary log: %v", err)
	}
}

func (l *live) awaitVisible(most time.Duration) error {
	ctx, cancel := context.WithTimeout(l.Context(), most)
	defer cancel()
	return l.monitor.AwaitVisible(ctx)
}

func (l *live) ask(query string) string {
	l.Helper()
	answer, err := l.nodes.Node("node1").Query(l.Context(), query)
	if err != nil {
		l.Fatalf("%s: %v", query, err)
	}
	return answer
}
