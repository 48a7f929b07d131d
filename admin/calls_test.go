package admin

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/bellwether-db/bellwether/admin/compose"
	"github.com/bellwether-db/bellwether/cluster"
)

func TestIsMaster(t *testing.T) {
	topology := healthy()
	s := serving(topology)
	for _, c := range []struct {
		change func()
		want   string
	}{
		{func() {}, `{"isMaster":true}`},
		{func() { topology.Writes = cluster.WritesHeld }, `{"isMaster":false}`},
		{func() { topology.Writes, topology.Master = cluster.WritesOpen, -1 }, `{"isMaster":false}`},
		{func() { topology.Master = 0; s.Stopping() }, `{"isMaster":false}`},
	} {
		c.change()
		answer := httptest.NewRecorder()
		s.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/is-master", nil))
		if answer.Code != 200 || answer.Body.String() != c.want {
			t.Errorf("%d %q, want %q", answer.Code, answer.Body, c.want)
		}
	}
}

func TestBodies(t *testing.T) {
	for _, c := range []struct {
		name, kind, body string
		status           int
		want             string
	}{
		{"not JSON", "text/plain", `{"node":"a"}`, 415, "problem:body"},
		{"a form", "application/x-www-form-urlencoded", "node=a", 415, "problem:body"},
		{"too large", "application/json", `{"node":"` + strings.Repeat("x", 2000) + `"}`, 413, "problem:body"},
		{"broken", "application/json", `{"node":`, 400, "problem:refused"},
		{"of the wrong kind", "application/json; charset=utf-8", `{"node":5}`, 400, "node: cannot be of the type number"},
		{"no object", "application/json", `["a"]`, 400, "one object of JSON, and this is of the type array"},
		{"cut off", "application/json", `{"node":"a`, 400, "no JSON: it ends too early"},
		{"not even that", "application/json", `node=<a>`, 400, "no JSON: invalid character 'o'"},
		{"two", "application/json", `{"node":"a"} {}`, 400, "more behind"},
		{"well", "application/json; charset=utf-8", `{"node":"a"}`, 202, "accepted"},
		{"none", "", "", 202, "accepted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := guardedServer(t, func(config *Config) { config.BodyLimit = 1000 })
			request, answer := httptest.NewRequest("POST", "/sync", strings.NewReader(c.body)), httptest.NewRecorder()
			request.Header.Set("Content-Type", c.kind)
			request.Header.Set("Authorization", "Bearer o")
			s.Handler().ServeHTTP(answer, request)
			if answer.Code != c.status || !strings.Contains(answer.Body.String(), c.want) {
				t.Errorf("%d %s, want %d with %s", answer.Code, answer.Body, c.status, c.want)
			}
		})
	}
}

// What is not known of a change is never called a failure of it.
func TestExplained(t *testing.T) {
	said := func(code uint16) error { return fmt.Errorf("run: %w", &mysql.MySQLError{Number: code, Message: "m"}) }
	dial := &net.OpError{Op: "dial", Err: errors.New("refused")}
	for _, c := range []struct {
		err     error
		changes bool
		kind    kind
		status  int
	}{
		{&compose.Refusal{Part: "where", Reason: "r"}, true, kindRefused, 400},
		{said(1062), true, kindConflict, 409},
		{said(1146), false, kindUnknown, 404},
		{said(1044), true, kindDenied, 403},
		{said(1205), true, kindUnavailable, 503},
		{said(1290), true, kindUnavailable, 503},
		{said(1054), true, kindStatement, 400},
		{said(1158), true, kindUnavailable, 503},
		{said(50102), true, kindOutcome, 504},
		{said(1158), false, kindUnavailable, 503},
		{said(1105), true, kindOutcome, 504},
		{dial, true, kindUnavailable, 503},
		{io.ErrUnexpectedEOF, true, kindOutcome, 504},
		{mysql.ErrInvalidConn, true, kindOutcome, 504},
		{driver.ErrBadConn, true, kindUnavailable, 503},
		{context.Canceled, true, kindOutcome, 504},
		{context.DeadlineExceeded, false, kindUnavailable, 504},
	} {
		if p := explained(c.err, c.changes); p.Type != c.kind || p.Status != c.status {
			t.Errorf("%v, changes %t: %d %s, want %d %s", c.err, c.changes, p.Status, p.Type, c.status, c.kind)
		}
	}
	if explained(nil, true) != nil {
		t.Error("nothing is a problem")
	}
}

func TestNodes(t *testing.T) {
	s, _ := guardedServer(t, nil)
	answer := ask(s, http.MethodGet, "/nodes", "Authorization: Bearer r")
	if want := `[{"name":"a","address":"","role":"master","isMaster":true,"health":"up","servesReads":false,"weight":0,"readOnly":false,"replication":"unknown","lagSeconds":null}]`; strings.TrimSpace(answer.Body.String()) != want {
		t.Errorf("%s", answer.Body)
	}
}
