package admin

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// fromLoopback is a request of somebody on this machine.
func fromLoopback(method, target, body string) *http.Request {
	request := httptest.NewRequest(method, target, strings.NewReader(body))
	request.RemoteAddr, request.Host = "127.0.0.1:5555", "localhost:8001"
	return request
}

// send makes a request with a body from loopback.
func send(s *Server, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	request, answer := fromLoopback(method, target, body), httptest.NewRecorder()
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	s.Handler().ServeHTTP(answer, request)
	held.hold(request, answer)
	return answer
}

func TestV1(t *testing.T) {
	s, _, _ := wholeServer(t)
	for _, c := range []struct {
		method, target, body string
		status               int
		want                 string
	}{
		{"GET", "/v1/cluster", "", 200, `"master":"a","writes":"open"`},
		{"GET", "/v1/cluster", "", 200, `"feed":"relay"`},
		{"GET", "/v1/nodes", "", 200, `{"nodes":[{"name":"a",`},
		{"GET", "/v1/nodes/a", "", 200, `"connections":{"idle":3,"busy":1},"outstanding":1,"rest":""`},
		{"GET", "/v1/nodes/x", "", 404, "there is no node x"},
		{"POST", "/v1/nodes", `{"name":"a","address":"h:1"}`, 409, "it is there"},
		{"POST", "/v1/nodes", `{"node":"a","drain":true}`, 400, "unknown field"},
		{"POST", "/v1/nodes", `{"name":"c"}`, 400, "both needed"},
		{"POST", "/v1/nodes", `{"name":"c","address":"h"}`, 400, `address \"h\" is not of the form host:port`},
		{"POST", "/v1/nodes", `{"name":"c","address":"h:2","weight":1001}`, 400, "weight: 1001 is not between 0 (no reads) and 1000"},
		{"PATCH", "/v1/nodes/a", `{"weight":-1}`, 400, "weight: -1 is not between 0"},
		{"PATCH", "/v1/nodes/a", `{"drain":true,"weight":3}`, 200, `"name":"a"`},
		{"PATCH", "/v1/nodes/x", `{"drain":true}`, 404, "no such node"},
		{"DELETE", "/v1/nodes/a", "", 409, "switchover"},
		{"DELETE", "/v1/nodes/x", "", 404, "no such node"},
		{"GET", "/v1/sessions", "", 200, `{"sessions":[{"id":7,`},
		{"GET", "/v1/sessions?user=root", "", 200, `"total":1`},
		{"GET", "/v1/sessions?node=b&pinned=true&limit=5", "", 200, `"pins":["temporary table"]`},
		{"GET", "/v1/sessions?limit=1", "", 200, `"total":2`},
		{"GET", "/v1/sessions?limit=x", "", 400, "whole number"},
		{"GET", "/v1/sessions?who=x", "", 400, "unknown parameter"},
		{"DELETE", "/v1/sessions/7", "", 204, ""},
		{"DELETE", "/v1/sessions/7?query=true", "", 204, ""},
		{"DELETE", "/v1/sessions/8", "", 404, "no session 8"},
		{"DELETE", "/v1/sessions/x", "", 404, "no session x"},
		{"GET", "/v1/digests", "", 200, `"digests":[{"digest":"2"`},
		{"GET", "/v1/digests?order=count&limit=1", "", 200, `"digests":[{"digest":"1"`},
		{"GET", "/v1/digests?order=age", "", 400, "total, count, errors, max"},
		{"DELETE", "/v1/digests", "", 204, ""},
		{"GET", "/v1/traffic", "", 200, `{"interval_seconds":1,"points":[]}`},
		{"POST", "/v1/explain", `{"statement":"SELECT 1"}`, 200, `"target":"slave"`},
		{"POST", "/v1/explain", `{}`, 400, "statement: is missing"},
		{"POST", "/v1/explain", `{"statement":"SELECT 1","consistency":"odd"}`, 400, "odd"},
		{"GET", "/v1/incidents", "", 200, `{"incidents":[{"id":"i1"`},
		{"GET", "/v1/incidents/i1", "", 200, `"kind":"failover"`},
		{"GET", "/v1/incidents/i2", "", 404, "no incident i2"},
		{"GET", "/v1/problems", "", 200, `"evidence":[]`},
		{"POST", "/v1/config/validate", `{"text":"wrong"}`, 200, `{"valid":false,"problems":[{"line":3,"key":"nodes","says":"no node is named"}],"changes":[]}`},
		{"POST", "/v1/config/diff", "", 200, `"valid":true`},
		{"GET", "/v1/audit?limit=2", "", 200, `{"entries":[`},
		{"GET", "/v1/nowhere", "", 404, "not-found"},
		{"GET", "/v1/nodes?name=a", "", 400, "unknown parameter"},
		{"GET", "/v1/cluster?x=", "", 400, "unknown parameter"},
		{"GET", "/sync?node=a&node=b", "", 400, "node: comes twice"},
		{"GET", "/master", "", 200, "ok\n"},
		{"GET", "/slave", "", 503, "no slave serves reads"},
		{"GET", "/slave?max_lag=2", "", 400, "span of time"},
	} {
		answer := send(s, c.method, c.target, c.body)
		if answer.Code != c.status || !strings.Contains(answer.Body.String(), c.want) {
			t.Errorf("%s %s %s: %d %s, want %d with %s", c.method, c.target, c.body, answer.Code, answer.Body, c.status, c.want)
		}
	}
}

// Who only reads changes nothing, and does not see the configuration.
func TestV1Roles(t *testing.T) {
	s, w, made := wholeServer(t)
	for _, target := range []string{"POST /v1/nodes", "PATCH /v1/nodes/a", "DELETE /v1/nodes/a", "DELETE /v1/sessions/7", "DELETE /v1/digests",
		"POST /v1/operations", "DELETE /v1/operations/1", "GET /v1/config", "PUT /v1/config", "POST /v1/config/validate", "GET /v1/audit"} {
		method, path, _ := strings.Cut(target, " ")
		if answer := send(s, method, path, "", "Authorization: Bearer w"); answer.Code != http.StatusForbidden {
			t.Errorf("%s: %d %s", target, answer.Code, answer.Body)
		}
		if answer := send(s, method, path, "", "Origin: https://evil.example"); answer.Code != http.StatusForbidden {
			t.Errorf("%s of another page: %d %s", target, answer.Code, answer.Body)
		}
	}
	if did := w.done(); len(did) > 0 || made.begun.Load() > 0 {
		t.Errorf("done all the same: %v", did)
	}
}

func TestTags(t *testing.T) {
	s, w, _ := wholeServer(t)
	read := send(s, "GET", "/v1/nodes/a", "")
	tag := read.Header().Get("ETag")
	if again := send(s, "GET", "/v1/nodes/a", "", "If-None-Match: "+tag); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
		t.Errorf("%d %s", again.Code, again.Body)
	}
	head := httptest.NewRecorder()
	s.Handler().ServeHTTP(head, fromLoopback("HEAD", "/v1/nodes/a", ""))
	if head.Code != http.StatusOK || head.Header().Get("ETag") != tag {
		t.Errorf("HEAD: %d, %s, want %s", head.Code, head.Header().Get("ETag"), tag)
	}
	if other := send(s, "PATCH", "/v1/nodes/a", `{"weight":2}`, `If-Match: "other"`); other.Code != http.StatusPreconditionFailed {
		t.Errorf("%d %s", other.Code, other.Body)
	}
	if did := w.done(); len(did) > 0 {
		t.Errorf("done all the same: %v", did)
	}
	if same := send(s, "PATCH", "/v1/nodes/a", `{"weight":2}`, "If-Match: "+tag); same.Code != http.StatusOK {
		t.Errorf("%d %s", same.Code, same.Body)
	}
	if did := w.done(); !slices.Equal(did, []string{"change a false false true"}) {
		t.Errorf("%v", did)
	}
	if none := send(s, "PUT", "/v1/config", `{"text":"x"}`); none.Code != http.StatusPreconditionRequired {
		t.Errorf("%d %s", none.Code, none.Body)
	}
	tag = send(s, "GET", "/v1/config", "").Header().Get("ETag")
	for _, c := range []struct {
		tag, text string
		status    int
	}{{`"other"`, "x", 412}, {tag, "wrong", 409}, {tag, "x", 200}, {tag, "y", 412}} {
		if answer := send(s, "PUT", "/v1/config", `{"text":"`+c.text+`"}`, "If-Match: "+c.tag); answer.Code != c.status {
			t.Errorf("%+v: %d %s", c, answer.Code, answer.Body)
		}
	}
}

func TestTraffic(t *testing.T) {
	var kept traffic
	at := time.Unix(100, 0)
	buckets := func(fast, slow uint64) []Bucket {
		return []Bucket{{time.Millisecond, fast}, {3 * time.Millisecond, slow}}
	}
	if _, ok := kept.take(at, Counters{Statements: 50, Latency: buckets(40, 10)}); ok {
		t.Error("a point of one look")
	}
	p, ok := kept.take(at.Add(2*time.Second), Counters{Statements: 70, Writes: 5, Held: 1, Latency: buckets(50, 20)})
	if !ok || p.Statements != 10 || p.Writes != 2.5 || p.Held != 1 || *p.P50MS != 1 || *p.P95MS != 2.8 {
		t.Errorf("%+v, %v %v", p, *p.P50MS, *p.P95MS)
	}
	if p, _ = kept.take(at.Add(3*time.Second), Counters{Statements: 70, Writes: 5, Latency: buckets(50, 20)}); p.Statements != 0 || p.P50MS != nil {
		t.Errorf("%+v", p)
	}
	for i := range trafficKept {
		kept.take(at.Add(time.Duration(i+4)*time.Second), Counters{})
	}
	if len(kept.points) != trafficKept || len(kept.latest(10)) != 10 {
		t.Errorf("%d points", len(kept.points))
	}
}
