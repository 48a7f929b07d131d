package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/admin"
	"github.com/bellwether-db/bellwether/admin/operation"
)

// v1 calls with a body, or none, and reads the answer into what is not nil.
func (s *serving) v1(t *testing.T, method, path, body string, status int, into any) {
	t.Helper()
	got, answer, err := s.call(t.Context(), method, path, body)
	if err != nil || got != status {
		t.Fatalf("%s %s %s: %d %s, %v, want %d", method, path, body, got, answer, err, status)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal([]byte(answer), into); err != nil {
		t.Fatalf("%s %s: %s: %v", method, path, answer, err)
	}
}

// operated begins an operation and waits for its end.
func (s *serving) operated(t *testing.T, body string) (o operation.Record) {
	t.Helper()
	s.v1(t, http.MethodPost, "/v1/operations", body, http.StatusAccepted, &o)
	for deadline := time.Now().Add(2 * time.Minute); o.Ended == nil; sleep(t.Context(), 20*time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s does not end: %+v", body, o)
		}
		s.v1(t, http.MethodGet, "/v1/operations/"+o.ID, "", http.StatusOK, &o)
	}
	return o
}

// checkV1 is what operators call, on real servers. It ends with another master.
func (s *serving) checkV1(t *testing.T) {
	var cluster struct{ Family, Master, Feed, Position, Writes string }
	s.v1(t, http.MethodGet, "/v1/cluster", "", http.StatusOK, &cluster)
	if cluster.Family != s.servers.Flavour.String() || cluster.Master != s.master() || cluster.Feed != "relay" || cluster.Position == "" || cluster.Writes != "open" {
		t.Errorf("%+v", cluster)
	}
	for _, path := range []string{"nodes", "nodes/node2", "traffic", "incidents", "problems", "operations", "config", "audit"} {
		s.v1(t, http.MethodGet, "/v1/"+path, "", http.StatusOK, nil)
	}
	s.checkClients(t)
	s.checkRoster(t)
	s.checkVerified(t)
	s.checkWatched(t)
}

// checkClients: a session with its pin, what it ran, and its end.
func (s *serving) checkClients(t *testing.T) {
	c := session(t, s.open(t))
	execAll(t, c, "CREATE TEMPORARY TABLE testdb.own (a INT)", "INSERT INTO testdb.own VALUES (7)")
	var listed struct{ Sessions []admin.Session }
	s.v1(t, http.MethodGet, "/v1/sessions?pinned=true", "", http.StatusOK, &listed)
	if len(listed.Sessions) != 1 || listed.Sessions[0].Node == nil || *listed.Sessions[0].Node != s.master() {
		t.Fatalf("%+v", listed)
	}
	var digests admin.DigestReport
	s.v1(t, http.MethodGet, "/v1/digests?order=count&limit=1000", "", http.StatusOK, &digests)
	if text := fmt.Sprint(digests); !strings.Contains(text, "testdb.own") || strings.Contains(text, "(7)") {
		t.Errorf("%s", text)
	}
	var e admin.Explanation
	s.v1(t, http.MethodPost, "/v1/explain", `{"statement":"SELECT name FROM users WHERE Id = 1","database":"testdb"}`, http.StatusOK, &e)
	if e.Target != "slave" || strings.Contains(e.Text, "1") {
		t.Errorf("%+v", e)
	}
	s.v1(t, http.MethodDelete, fmt.Sprintf("/v1/sessions/%d", listed.Sessions[0].ID), "", http.StatusNoContent, nil)
	if err := c.PingContext(t.Context()); err == nil {
		t.Error("a session that was killed is served")
	}
	s.v1(t, http.MethodDelete, "/v1/sessions/1", "", http.StatusNotFound, nil)
}

// checkRoster: a node comes and goes, and another is weighed, in the file as well.
func (s *serving) checkRoster(t *testing.T) {
	s.v1(t, http.MethodPost, "/v1/nodes", `{"name":"node9","address":"127.0.0.1:1","maintenance":true}`, http.StatusCreated, nil)
	s.v1(t, http.MethodPatch, "/v1/nodes/node9", `{"weight":4,"maintenance":false,"drain":true}`, http.StatusOK, nil)
	var shown admin.ShownConfiguration
	s.v1(t, http.MethodGet, "/v1/config", "", http.StatusOK, &shown)
	if !strings.Contains(shown.Text, `{weight: 4, name: node9, address: "127.0.0.1:1", maintenance: true}`) || shown.FileDiffers {
		t.Errorf("%s", shown.Text)
	}
	s.v1(t, http.MethodDelete, "/v1/nodes/node9", "", http.StatusNoContent, nil)
	s.v1(t, http.MethodDelete, "/v1/nodes/"+s.master(), "", http.StatusConflict, nil)
	if o := s.operated(t, `{"kind":"reload"}`); o.State != operation.StateDone {
		t.Errorf("%+v", o)
	}
	var examined admin.Examined
	s.v1(t, http.MethodPost, "/v1/config/validate", `{"text":"nodes: []"}`, http.StatusOK, &examined)
	if examined.Valid || len(examined.Problems) == 0 {
		t.Errorf("%+v", examined)
	}
}

// checkVerified: a verification tells what it finds, and can be cancelled.
func (s *serving) checkVerified(t *testing.T) {
	o := s.operated(t, `{"kind":"verify","node":"node2"}`)
	var found verified
	if err := json.Unmarshal(o.Result, &found); err != nil || o.State != operation.StateDone || !found.Equal || len(found.Nodes) != 1 || found.Nodes[0].Tables == 0 || *o.Progress != 1 {
		t.Errorf("%+v, %+v, %v", o, found, err)
	}
	var plan operation.Plan
	s.v1(t, http.MethodPost, "/v1/operations", `{"kind":"sync","node":"`+s.master()+`","dry_run":true}`, http.StatusOK, &plan)
	if !strings.Contains(plan.Refusal, "is the master") {
		t.Errorf("%+v", plan)
	}
}

// checkWatched: a switchover is followed step by step, and by who listens.
func (s *serving) checkWatched(t *testing.T) {
	to := s.servers.Slaves()[0].Name
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.house.admin.Addr().String()+"/v1/events?types=cluster,operation,incident", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	s.v1(t, http.MethodPost, "/v1/operations", `{"kind":"switchover","to":"node0"}`, http.StatusConflict, nil)
	o := s.operated(t, `{"kind":"switchover","to":"`+to+`","reason":"a test"}`)
	if o.State != operation.StateDone || s.master() != to || len(o.Steps) == 0 || o.Incident == "" {
		t.Fatalf("%+v", o)
	}
	s.v1(t, http.MethodGet, "/v1/incidents/"+o.Incident, "", http.StatusOK, nil)
	wanted := []string{`"state":"running"`, `"master":"` + to + `"`, `"id":"` + o.Incident + `"`, `"state":"done"`}
	for scan := bufio.NewScanner(answer.Body); len(wanted) > 0; {
		if !scan.Scan() {
			t.Fatalf("nobody was told of %s: %v", wanted, scan.Err())
		}
		for i, part := range wanted {
			if strings.Contains(scan.Text(), part) {
				wanted = append(wanted[:i], wanted[i+1:]...)
				break
			}
		}
	}
	s.waitReady(t) // the former master is a slave, and no slave is late
	for _, slave := range s.servers.Slaves()[1:] {
		s.waitServing(t, slave.Name)
	}
	for _, path := range []string{"/master", "/slave", "/readyz"} {
		s.v1(t, http.MethodGet, path, "", http.StatusOK, nil)
	}
}
