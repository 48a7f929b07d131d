package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/failover"
)

// checkRoles: after a switchover the addresses keep their nodes, and change their
// answers. Nobody who was touched becomes the master.
func (s *serving) checkRoles(t *testing.T) {
	for deadline := time.Now().Add(time.Minute); ; sleep(t.Context(), 50*time.Millisecond) {
		plan := s.house.controller.DryRun(failover.RecoverySwitchover, failover.Order{Given: true, To: "node3", Force: true})
		if strings.Contains(plan.Refusal, "was changed by hand") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("switchover to a touched node: %q", plan.Refusal)
		}
	}
	s.leaveHalfCopied(t, "node3")
	if status, body := s.post(t, "/sync", `{"node":"node3"}`); status != http.StatusAccepted {
		t.Fatalf("sync: %d %s", status, body)
	}
	s.waitServing(t, "node3")
	s.handOver(t, "node3")
	for node, want := range map[string]string{"node1": `{"isMaster":false}`, "node2": `{"isMaster":false}`, "node3": `{"isMaster":true}`} {
		s.comesTo(t, node, "/is-master", func(_ int, body string) bool { return body == want })
	}
	if status, body := s.ask(t, "node1", http.MethodPost, "/createdb", `{"name":"moved"}`); status != http.StatusConflict {
		t.Errorf("createdb on the former master's address: %d %s", status, body)
	}
	status, body := s.ask(t, "node3", http.MethodPost, "/createdb", `{"name":"moved"}`)
	want200(t, status, body)
	s.waitEverywhere(t, "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'moved'", "1")
	if status, body = s.ask(t, "node3", http.MethodPost, "/replicate/db", `{"name":"x"}`); status != http.StatusConflict {
		t.Errorf("replicate on the new master's address: %d %s", status, body)
	}
}

// leaveHalfCopied leaves a node as a copy does that broke off: who goes on with it
// gives it back.
func (s *serving) leaveHalfCopied(t *testing.T, node string) {
	t.Helper()
	if err := (operations{s.house}).takeOut(node); err != nil {
		t.Fatal(err)
	}
}

// checkCleared: a copy clears the mark, and the roles go back to where they were.
func (s *serving) checkCleared(t *testing.T) {
	s.waitServing(t, "node1")
	s.waitEverywhere(t, "SELECT COUNT(*) FROM testdb.users", "0")
	for _, n := range s.house.store.Load().Nodes {
		if n.Touched != "" {
			t.Errorf("%s: %s", n.Name, n.Touched)
		}
	}
	s.handOver(t, "node1")
	s.waitReady(t)
}

// handOver makes a node the master. On a busy machine an attempt may be undone,
// because a step took too long; then there is another one.
func (s *serving) handOver(t *testing.T, to string) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; sleep(t.Context(), 100*time.Millisecond) {
		_, err := s.house.controller.Switchover(t.Context(), failover.Order{To: to})
		if s.master() == to {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is the master: %v", s.master(), err)
		}
	}
}

// checkAddresses: a reload takes an address away and gives it back.
func (s *serving) checkAddresses(t *testing.T) {
	text, err := os.ReadFile(s.house.config.Path())
	if err != nil {
		t.Fatal(err)
	}
	addr := s.house.admin.NodeAddr("node2")
	rewrite(t, s.house, strings.Replace(string(text), fmt.Sprintf("address: %q, rest: %q", s.named("node2")[0].Addr(), "127.0.0.1:0"), fmt.Sprintf("address: %q", s.named("node2")[0].Addr()), 1))
	if err := s.house.reload(); err != nil {
		t.Fatal(err)
	}
	if left := s.house.admin.NodeAddr("node2"); left != "" {
		t.Errorf("an address that is gone is known: %s", left)
	}
	s.waitClosed(t, addr)
	rewrite(t, s.house, string(text))
	if err := s.house.reload(); err != nil {
		t.Fatal(err)
	}
	if status, _ := s.ask(t, "node2", http.MethodGet, "/ping", ""); status != http.StatusOK {
		t.Errorf("an address that is back: %d", status)
	}
}

// waitClosed waits until an address does not answer; a connection to it that was
// kept open is closed a moment after the reload.
func (s *serving) waitClosed(t *testing.T, addr string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; sleep(t.Context(), 10*time.Millisecond) {
		status, body, err := s.callAt(t.Context(), addr, http.MethodGet, "/ping", "")
		if err != nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("an address that is gone answers: %d %s", status, body)
		}
	}
}
