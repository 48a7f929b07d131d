package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/bellwether-db/bellwether/cluster"
)

// hand is a Slaves that does nothing, and remembers what it was to do.
type hand struct {
	node   string
	change AloneChange
	result AloneChanged
	err    error
}

func (h *hand) ChangeAlone(_ context.Context, node string, change AloneChange) (AloneChanged, error) {
	h.node, h.change = node, change
	return h.result, h.err
}

var _ Slaves = (*hand)(nil)

// byHand is a server with a token of each role and the handler of one node.
func byHand(t *testing.T, node string) (*Server, *hand, func(method, target string, headers ...string) *httptest.ResponseRecorder) {
	t.Helper()
	s, _ := guardedServer(t, nil)
	h := &hand{}
	s.parts.Topologies, s.parts.Slaves = fixed{threeNodes()}, h
	listener := httptest.NewServer(s.nodeHandler(func() string { return node }))
	t.Cleanup(listener.Close)
	s.listener = listener.Listener
	return s, h, func(method, target string, headers ...string) *httptest.ResponseRecorder {
		request, answer := httptest.NewRequest(method, target, nil), httptest.NewRecorder()
		request.RemoteAddr, request.Host = "127.0.0.1:5555", "localhost:8009"
		for _, header := range headers {
			name, value, _ := strings.Cut(header, ": ")
			request.Header.Set(name, value)
		}
		s.nodeHandler(func() string { return node }).ServeHTTP(answer, request)
		return answer
	}
}

const insertAlone = "/replicate/insert?dbname=d&table=t&values=1"

// The guard of a node's address is that of the cluster's.
func TestWhoMayTouch(t *testing.T) {
	_, h, ask := byHand(t, "b")
	for _, c := range []struct {
		method, target string
		headers        []string
		status         int
	}{
		{"GET", insertAlone, nil, 401},
		{"GET", insertAlone, []string{"Authorization: Bearer w"}, 403},
		{"GET", insertAlone, []string{"Authorization: Bearer o", "Origin: http://evil.example"}, 403},
		{"GET", insertAlone, []string{"Authorization: Bearer o", "Sec-Fetch-Site: cross-site"}, 403},
		{"HEAD", insertAlone, []string{"Authorization: Bearer o"}, 405},
		{"GET", "/replicate/insert?dbname=mysql&table=t&values=1", []string{"Authorization: Bearer o"}, 400},
		{"GET", "/replicate/nothing", []string{"Authorization: Bearer o"}, 404},
		{"GET", "/select?dbname=d&table=t", nil, 401},
		{"GET", "/insert?dbname=d&table=t&values=1", []string{"Authorization: Bearer r"}, 403},
		{"GET", "/insert?dbname=d&table=t&values=1", []string{"Authorization: Bearer w"}, 409},
		{"GET", "/ping", nil, 200},
	} {
		if answer := ask(c.method, c.target, c.headers...); answer.Code != c.status {
			t.Errorf("%s %s %q: %d %s, want %d", c.method, c.target, c.headers, answer.Code, answer.Body, c.status)
		}
	}
	if h.node != "" {
		t.Errorf("%s was changed: %+v", h.node, h.change)
	}
}

// What was done, and what was not, is told in the answer and in the audit.
func TestAnswersOfTouching(t *testing.T) {
	s, h, ask := byHand(t, "b")
	for _, c := range []struct {
		result AloneChanged
		err    error
		status int
		want   []string
	}{
		{AloneChanged{Affected: 1, InsertID: 4}, nil, 200, []string{`"affectedRows":1,"insertId":4`, `"node":"b"`, "b is marked as touched by hand"}},
		{AloneChanged{Affected: 1, Warning: "others wrote"}, nil, 200, []string{"touched by hand", "; others wrote"}},
		{AloneChanged{NotMarked: true}, fmt.Errorf("x: %w", cluster.ErrIsMaster), 409, []string{"b is the master", "without /replicate"}},
		{AloneChanged{NotMarked: true}, fmt.Errorf("x: %w", cluster.ErrUndecided), 503, []string{"nothing was done"}},
		{AloneChanged{NotMarked: true}, fmt.Errorf("%w: b is down", ErrRefused), 409, []string{"b is down"}},
		{AloneChanged{NotMarked: true}, errors.New("connection refused"), 503, []string{"connection refused", "nothing was done"}},
		{AloneChanged{NotMarked: true}, &mysql.MySQLError{Number: 1054, Message: "no such column"}, 400, []string{`"code":1054`}},
		{AloneChanged{}, &mysql.MySQLError{Number: 1062, Message: "duplicate"}, 409, []string{`"code":1062`, "duplicate; b is marked as touched by hand"}},
		{AloneChanged{NotMarked: true}, &mysql.MySQLError{Number: 1142, Message: "denied"}, 403, []string{"the operator account"}},
		{AloneChanged{}, errors.New("connection lost"), 504, []string{"outcome-not-known", "b is marked as touched by hand"}},
	} {
		h.result, h.err = c.result, c.err
		answer := ask("GET", insertAlone, "Authorization: Bearer o")
		for _, want := range c.want {
			if answer.Code != c.status || !strings.Contains(answer.Body.String(), want) {
				t.Errorf("%v: %d %s, want %d with %s", c.err, answer.Code, answer.Body, c.status, want)
			}
		}
		if marked := strings.Contains(answer.Body.String(), "touched by hand"); marked == c.result.NotMarked {
			t.Errorf("%v: marked %t and says %s", c.err, !c.result.NotMarked, answer.Body)
		}
	}
	if h.node != "b" || h.change.What != "insert into d.t" || h.change.SQL != "INSERT INTO `d`.`t` VALUES (1)" {
		t.Errorf("%s was to %+v", h.node, h.change)
	}
	audit, err := os.ReadFile(s.settings().AuditFile)
	if err != nil || strings.Count(string(audit), `"call":"replicate/insert","database":"d","table":"t","node":"b"`) != 10 {
		t.Errorf("%v\n%s", err, audit)
	}
	_, h, ask = byHand(t, "a")
	if answer := ask("GET", insertAlone, "Authorization: Bearer o"); answer.Code != 409 || h.node != "" {
		t.Errorf("the master: %d %s", answer.Code, answer.Body)
	}
}

// Balancers ask a node by status code.
func TestNodeHealth(t *testing.T) {
	for _, c := range []struct {
		node, path string
		status     int
		want       string
	}{
		{"a", "/readyz", 200, "ok"}, {"a", "/master", 200, "ok"}, {"a", "/slave", 503, "a is the master"},
		{"b", "/readyz", 200, "ok"}, {"b", "/master", 503, "the master is a"}, {"b", "/slave?max_lag=1s", 200, "ok"},
		{"b", "/slave?max_lag=-1s", 400, "max_lag"}, {"c", "/readyz", 503, "c is down: refused"}, {"c", "/livez", 200, "ok"},
		{"gone", "/slave", 503, "no node's any more"},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			_, _, ask := byHand(t, c.node)
			answer := ask(method, c.path)
			if answer.Code != c.status || !strings.Contains(answer.Body.String(), c.want) {
				t.Errorf("%s %s%s: %d %s, want %d with %s", method, c.node, c.path, answer.Code, answer.Body, c.status, c.want)
			}
		}
	}
}
