package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/admin"
)

// checkTerminal is what an operator types while Bellwether runs, on servers with a
// table shop.t; what it does to them is tested where it is done.
func (s *serving) checkTerminal(t *testing.T, c string) {
	t.Helper()
	execAll(t, session(t, s.open(t)), "CREATE TEMPORARY TABLE shop.own (a INT)")
	says(t, 0, []string{"READY: writes are served by node1", "feed relay", "NODE", "node1", "master", "up", "node2", "slave", "yes"}, "status", "-c", c)
	says(t, 0, []string{"node1", "node2", "node3"}, "nodes", "-c", c)
	says(t, 0, []string{"COUNT", "CREATE TEMPORARY TABLE shop.own"}, "top", "-c", c, "--order", "count")
	s.checkKill(t, c)
	says(t, 0, nil, "nodes", "weight", "node3", "3", "-c", c)
	says(t, 0, []string{"node3", "weight 3"}, "nodes", "-c", c)
	says(t, 0, nil, "nodes", "add", "node9", "127.0.0.1:1", "--maintenance", "-c", c)
	says(t, 0, []string{"node9", "127.0.0.1:1", "maintenance"}, "nodes", "-c", c)
	says(t, 0, nil, "nodes", "remove", "node9", "-c", c)
	says(t, exitFailure, []string{"node1 is the master"}, "nodes", "remove", "node1", "-c", c)
	says(t, exitUsage, []string{"not a weight"}, "nodes", "weight", "node3", "much", "-c", c)
	says(t, exitFailure, []string{"it is table or json"}, "status", "-o", "xml", "-c", c)

	spoil(t, s.servers.Node("node3"), "SET SESSION sql_log_bin = 0")
	says(t, exitFailure, []string{"node3: 1 differences", "node3: missing: table shop.t, row id=2"}, "verify", "node3", "-c", c)
	says(t, 0, []string{"copy node3 (", "node3: copied"}, "sync", "node3", "-c", c)
	s.waitReady(t)
	says(t, 0, []string{"node2: equal (", "node3: equal ("}, "verify", "-c", c)
	says(t, 0, nil, "maintenance", "node3", "on", "-c", c)
	says(t, exitFailure, []string{"copy node3 (", "node2 is not copied to: no other slave could become master"}, "sync", "-c", c)
	says(t, 0, nil, "maintenance", "node3", "off", "-c", c)
}

// checkKill: a session is found by what it has, and ended by its number.
func (s *serving) checkKill(t *testing.T, path string) {
	t.Helper()
	code, stdout, stderr := command(t.Context(), "sessions", "--pinned", "-o", "json", "-c", path)
	var found admin.SessionsView
	if err := json.Unmarshal([]byte(stdout), &found); code != 0 || err != nil || len(found.Sessions) != 1 {
		t.Fatalf("%d %v\n%s%s", code, err, stdout, stderr)
	}
	pins := strings.Join(found.Sessions[0].Pins, ", ")
	says(t, 0, []string{"PINNED BY", found.Sessions[0].User, pins}, "sessions", "-c", path)
	id := strconv.FormatUint(uint64(found.Sessions[0].ID), 10)
	says(t, 0, nil, "sessions", "kill", id, "-c", path)
	says(t, exitFailure, []string{"no session"}, "sessions", "kill", "1", "-c", path)
	says(t, exitUsage, []string{"see bellwether sessions"}, "sessions", "kill", "him", "-c", path)
}
