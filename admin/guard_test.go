package admin

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// guardedServer has a token of each role, called r, w and o, and the operator's, t.
func guardedServer(t *testing.T, change func(*Config)) (*Server, *orders) {
	t.Helper()
	s, made := serving(healthy()), new(orders)
	s.parts.Token, s.parts.Operator = "t", made
	run(t, s.operations.Run)
	config := Config{Listen: "127.0.0.1:8001", AuditFile: filepath.Join(t.TempDir(), "audit.log")}
	for name, role := range map[string]Role{"r": RoleRead, "w": RoleWrite, "o": RoleOperate} {
		config.Tokens = append(config.Tokens, Token{Name: name, Role: role, Hash: sha256.Sum256([]byte(name))})
	}
	if change != nil {
		change(&config)
	}
	s.Configure(config)
	if err := s.audit.open(config.AuditFile); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.audit.close() })
	return s, made
}

// ask makes a request from loopback, with "name: value" headers.
func ask(s *Server, method, target string, headers ...string) *httptest.ResponseRecorder {
	request, answer := httptest.NewRequest(method, target, nil), httptest.NewRecorder()
	request.RemoteAddr, request.Host = "127.0.0.1:5555", "localhost:8001"
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		switch name {
		case "Host":
			request.Host = value
		case "From":
			request.RemoteAddr = value
		default:
			request.Header.Set(name, value)
		}
	}
	s.Handler().ServeHTTP(answer, request)
	held.hold(request, answer)
	return answer
}

func TestWhoMayCall(t *testing.T) {
	open := func(c *Config) { c.OpenLoopback = true }
	listed := func(c *Config) {
		c.OpenLoopback, c.Origins, c.Hosts = true, []string{"https://shop.example"}, []string{"db.example"}
	}
	for _, c := range []struct {
		name    string
		config  func(*Config)
		method  string
		target  string
		headers []string
		status  int
		kind    kind
	}{
		{"no token", nil, "GET", "/nodes", nil, 401, kindToken},
		{"wrong token", nil, "GET", "/nodes", []string{"Authorization: Bearer x"}, 401, kindToken},
		{"basic", nil, "GET", "/nodes", []string{"Authorization: Basic cjpy"}, 401, kindToken},
		{"read reads", nil, "GET", "/nodes", []string{"Authorization: Bearer r"}, 200, ""},
		{"read does not operate", nil, "GET", "/sync", []string{"Authorization: Bearer r"}, 403, kindDenied},
		{"write does not operate", nil, "POST", "/sync", []string{"Authorization: Bearer w"}, 403, kindDenied},
		{"read does not write", nil, "GET", "/dropdb?name=d", []string{"Authorization: Bearer r"}, 403, kindDenied},
		{"write writes, where there is an account", nil, "GET", "/dropdb?name=d", []string{"Authorization: Bearer w"}, 501, kindUnavailable},
		{"operate", nil, "GET", "/sync", []string{"Authorization: Bearer o"}, 202, ""},
		{"the operator's own", nil, "GET", "/sync", []string{"Authorization: Bearer t"}, 202, ""},
		{"a token by another name", nil, "GET", "/sync", []string{"Authorization: Bearer o", "Host: db.example"}, 202, ""},
		{"open loopback", open, "GET", "/sync", nil, 202, ""},
		{"open loopback, IPv6", open, "GET", "/sync", []string{"From: [::1]:5555", "Host: [::1]:8001"}, 202, ""},
		{"open, from elsewhere", open, "GET", "/sync", []string{"From: 10.0.0.9:5555", "Host: 10.0.0.1:8001"}, 401, kindToken},
		{"open, forwarded", open, "GET", "/sync", []string{"X-Forwarded-For: 10.0.0.9"}, 401, kindToken},
		{"open, a wrong token", open, "GET", "/sync", []string{"Authorization: Bearer x"}, 401, kindToken},
		{"another page", open, "GET", "/sync", []string{"Origin: https://evil.example"}, 403, kindOrigin},
		{"no page's origin", open, "POST", "/sync", []string{"Origin: null"}, 403, kindOrigin},
		{"another page's image", open, "GET", "/sync", []string{"Sec-Fetch-Site: cross-site"}, 403, kindOrigin},
		{"another port's page", open, "GET", "/sync", []string{"Sec-Fetch-Site: same-site"}, 403, kindOrigin},
		{"an old browser", open, "GET", "/sync", []string{"Referer: https://evil.example/page"}, 403, kindOrigin},
		{"a browser ahead of its user", open, "GET", "/sync", []string{"Sec-Fetch-Site: none", "Sec-Purpose: prefetch;prerender"}, 403, kindOrigin},
		{"our page", open, "GET", "/sync", []string{"Origin: http://localhost:8001", "Sec-Fetch-Site: same-origin"}, 202, ""},
		{"the address bar", open, "GET", "/nodes", []string{"Sec-Fetch-Site: none"}, 200, ""},
		{"rebinding", open, "GET", "/sync", []string{"Host: evil.example:8001"}, 421, kindHost},
		{"rebinding, of one origin", open, "GET", "/sync", []string{"Host: evil.example:8001", "Origin: http://evil.example:8001"}, 421, kindHost},
		{"no host", open, "GET", "/sync", []string{"Host: "}, 421, kindHost},
		{"a known name", listed, "GET", "/sync", []string{"Host: DB.example.:8001"}, 202, ""},
		{"a listed page", listed, "GET", "/sync", []string{"Origin: https://shop.example", "Sec-Fetch-Site: cross-site"}, 202, ""},
		{"nearly a listed page", listed, "GET", "/sync", []string{"Origin: https://shop.example.evil"}, 403, kindOrigin},
		{"head", open, "HEAD", "/sync", nil, 405, kindMethod},
		{"head of what never ends", open, "HEAD", "/v1/events", nil, 405, kindMethod},
		{"put", open, "PUT", "/sync", nil, 405, kindMethod},
		{"unknown parameter", open, "GET", "/sync?nod=a", nil, 400, kindRefused},
		{"twice", open, "GET", "/sync?node=a&node=b", nil, 400, kindRefused},
		{"no query", open, "GET", "/sync?node=%zz", nil, 400, kindRefused},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, made := guardedServer(t, c.config)
			answer := ask(s, c.method, c.target, c.headers...)
			var p problem
			if answer.Code >= 400 {
				if err := json.Unmarshal(answer.Body.Bytes(), &p); err != nil {
					t.Fatalf("%d %s: %v", answer.Code, answer.Body, err)
				}
			}
			if answer.Code != c.status || p.Type != c.kind {
				t.Errorf("%d %s, want %d %s", answer.Code, answer.Body, c.status, c.kind)
			}
			if began := made.begun.Load() > 0; began != (answer.Code == 202) {
				t.Errorf("begun: %t, with status %d", began, answer.Code)
			}
		})
	}
}

// Allow lists what a path is served for, and nothing else.
func TestAllow(t *testing.T) {
	open := func(c *Config) { c.OpenLoopback = true }
	for target, want := range map[string]string{
		"/select": "GET, POST", "/insert": "GET, POST", "/sync": "GET, POST", "/nodes": "GET, HEAD, POST",
		"/v1/nodes": "GET, HEAD, POST", "/v1/nodes/a": "DELETE, GET, HEAD, PATCH", "/v1/events": "GET", "/healthz": "GET, HEAD",
	} {
		s, made := guardedServer(t, open)
		for _, method := range []string{"PUT", "HEAD"} {
			answer := httptest.NewRecorder()
			s.Handler().ServeHTTP(answer, fromLoopback(method, target, ""))
			if method == "HEAD" && strings.Contains(want, method) {
				if answer.Code == http.StatusMethodNotAllowed {
					t.Errorf("HEAD %s is refused, and offered elsewhere", target)
				}
				continue
			}
			says := method + " is not one of " + strings.ReplaceAll(want, ",", "")
			if got := answer.Header().Get("Allow"); answer.Code != http.StatusMethodNotAllowed || got != want || !strings.Contains(answer.Body.String(), says) {
				t.Errorf("%s %s: %d, Allow: %s, want %s\n%s", method, target, answer.Code, got, want, answer.Body)
			}
		}
		if made.begun.Load() != 0 {
			t.Errorf("%s: something was begun", target)
		}
	}
}

func TestPreflight(t *testing.T) {
	s, made := guardedServer(t, func(c *Config) { c.Origins = []string{"https://shop.example"} })
	answer := ask(s, "OPTIONS", "/insert", "Origin: https://shop.example", "Access-Control-Request-Method: POST")
	if h := answer.Header(); answer.Code != http.StatusNoContent || h.Get("Access-Control-Allow-Origin") != "https://shop.example" ||
		!strings.Contains(h.Get("Access-Control-Allow-Headers"), "Authorization") || h.Get("Vary") != "Origin" {
		t.Errorf("%d %v", answer.Code, h)
	}
	answer = ask(s, "OPTIONS", "/sync", "Origin: https://evil.example", "Access-Control-Request-Method: GET")
	if answer.Code != http.StatusForbidden || answer.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%d %v", answer.Code, answer.Header())
	}
	answer = ask(s, "GET", "/ping", "Origin: https://shop.example")
	if answer.Code != 200 || answer.Header().Get("Access-Control-Allow-Origin") == "" {
		t.Errorf("%d %v", answer.Code, answer.Header())
	}
	if made.begun.Load() != 0 {
		t.Error("a question was taken for a call")
	}
}

func TestRate(t *testing.T) {
	s, _ := guardedServer(t, func(c *Config) { c.Rate = 3 })
	statuses := map[int]int{}
	for range 6 {
		answer := ask(s, "GET", "/nodes", "Authorization: Bearer r")
		statuses[answer.Code]++
		if answer.Code == 429 && answer.Header().Get("Retry-After") == "" {
			t.Error("nothing says how long to wait")
		}
	}
	if statuses[429] == 0 || statuses[200] < 3 {
		t.Errorf("%v", statuses)
	}
	if answer := ask(s, "GET", "/nodes", "Authorization: Bearer w"); answer.Code != 200 {
		t.Errorf("another caller pays for it: %d", answer.Code)
	}
}

func TestRatesAreBounded(t *testing.T) {
	var r rates
	for i := range 3 * callersKnown {
		r.take(strconv.Itoa(i), 1)
	}
	if len(r.callers) > callersKnown {
		t.Errorf("%d callers are remembered", len(r.callers))
	}
}

func TestAudit(t *testing.T) {
	s, _ := guardedServer(t, nil)
	ask(s, "GET", "/nodes", "Authorization: Bearer o")
	ask(s, "GET", "/sync?node=node2", "Authorization: Bearer o")
	f, err := os.Open(s.settings().AuditFile)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var lines []entry
	for scan := bufio.NewScanner(f); scan.Scan(); {
		var e entry
		if err := json.Unmarshal(scan.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, e)
	}
	// The order may have ended before its caller was answered.
	i := slices.IndexFunc(lines, func(e entry) bool { return e.Call == "sync" })
	if i < 0 || lines[i].Caller != "o" || lines[i].From != "127.0.0.1" || lines[i].Node != "node2" || !strings.HasPrefix(lines[i].Outcome, "accepted as ") {
		t.Errorf("%+v", lines)
	}
}

func TestAuditTurns(t *testing.T) {
	var a auditFile
	path := filepath.Join(t.TempDir(), "audit.log")
	if err := a.open(path); err != nil {
		t.Fatal(err)
	}
	a.size = auditLimit + 1
	if err := a.write(&entry{Call: "x"}); err != nil {
		t.Fatal(err)
	}
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + ".1"} {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
}
