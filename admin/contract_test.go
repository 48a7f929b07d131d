package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/bellwether-db/bellwether/admin/contract"
)

// keeping holds every answer of these tests against the OpenAPI document. It is
// safe for concurrent use.
type keeping struct {
	contract *contract.Contract

	mu     sync.Mutex
	faults []error
}

// held is that of all tests here.
var held = func() *keeping {
	c, err := contract.New(openAPI)
	if err != nil {
		panic(err) // the tests of a document that is none are worth nothing
	}
	return &keeping{contract: c}
}()

func (k *keeping) hold(request *http.Request, answer *httptest.ResponseRecorder) {
	if err := k.contract.Check(request.Method, request.URL.Path, answer.Code, answer.Header(), answer.Body.Bytes()); err != nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.faults = append(k.faults, err)
	}
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, fault := range held.faults {
		fmt.Println("not as the OpenAPI document has it:", fault)
		code = 1
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Println(err)
		code = 1
	}
	os.Exit(code)
}

// elsewhere are answers that other tests have: those of rows, of real servers,
// and of the dashboard.
var elsewhere = []string{"select", "search", "insert", "update", "delete", "db", "table", "replicate", "sync", "events", "reload", "metrics"}

// Every call that the document has is answered here once, or has a test elsewhere;
// and every route is in the document.
func TestDocumentIsWhole(t *testing.T) {
	s, _, made := wholeServer(t)
	made.hold = make(chan struct{})
	for _, call := range []string{"GET /v1/cluster", "GET /v1/nodes", "GET /v1/nodes/a", "GET /v1/sessions", "GET /v1/digests", "GET /v1/traffic", "GET /v1/incidents",
		"GET /v1/incidents/i1", "GET /v1/problems", "GET /v1/operations", "GET /v1/config", "GET /v1/audit"} {
		method, path, _ := strings.Cut(call, " ")
		tag := send(s, method, path, "").Header().Get("ETag")
		// An audit, and an uptime, go on meanwhile.
		if again := send(s, method, path, "", "If-None-Match: *"); again.Code != http.StatusNotModified {
			t.Errorf("%s with %s: %d", path, tag, again.Code)
		}
	}
	begun := send(s, "POST", "/v1/operations", `{"kind":"verify"}`).Header().Get("Location")
	send(s, "GET", begun, "")
	send(s, "GET", begun, "", "If-None-Match: *")
	send(s, "DELETE", begun, "")
	for _, call := range []string{"POST /v1/operations {\"kind\":\"verify\",\"dry_run\":true}", "PATCH /v1/nodes/a {\"weight\":1}", "DELETE /v1/sessions/7 ", "DELETE /v1/digests ",
		"POST /v1/explain {\"statement\":\"SELECT 1\"}", "POST /v1/config/validate ", "POST /v1/config/diff ", "GET /livez ", "GET /healthz ", "GET /readyz ", "GET /master ",
		"GET /openapi.json ", "GET /docs ", "GET / ", "GET /ping ", "GET /is-master ", "GET /nodes ", "POST /nodes ", "GET /sync ", "POST /sync "} {
		parts := strings.SplitN(call, " ", 3)
		if answer := send(s, parts[0], parts[1], parts[2]); answer.Code >= http.StatusBadRequest && parts[1] != "/sync" {
			t.Errorf("%s: %d %s", call, answer.Code, answer.Body)
		}
	}
	send(s, "PUT", "/v1/config", `{"text":"x"}`, "If-Match: "+send(s, "GET", "/v1/config", "").Header().Get("ETag"))
	close(made.hold)
	for _, unseen := range held.contract.Unseen() {
		// The master alone is no cluster to add to, or to read from a slave of.
		known := func(word string) bool { return strings.Contains(unseen, word) }
		if !slices.ContainsFunc(elsewhere, known) && !strings.Contains(unseen, "/slave") && !strings.Contains(unseen, "/v1/nodes") {
			t.Errorf("nobody has seen %s", unseen)
		}
	}
}

// Whatever the document has is there: each call answers, if only with a refusal.
func TestDocumentIsRouted(t *testing.T) {
	s, _, _ := wholeServer(t)
	s.parts.Reload = func() error { return nil }
	var document struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
		}
	}
	if err := json.Unmarshal(openAPI, &document); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for path, methods := range document.Paths {
		for method, o := range methods {
			if ids[o.OperationID] {
				t.Errorf("%s comes twice", o.OperationID)
			}
			ids[o.OperationID] = true
			if strings.HasPrefix(path, "/replicate/") || path == "/v1/events" {
				continue // on a node's address; has no end
			}
			answer := send(s, strings.ToUpper(method), path, "")
			if body := answer.Body.String(); strings.Contains(body, "there is no "+path) || answer.Code == http.StatusMethodNotAllowed {
				t.Errorf("%s %s: %d %s", method, path, answer.Code, body)
			}
		}
	}
}

func TestReferencePage(t *testing.T) {
	s, _, _ := wholeServer(t)
	for path, kind := range map[string]string{"/docs": "text/html", "/docs/reference.js": "text/javascript", "/docs/reference.css": "text/css"} {
		answer, request := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil)
		s.Handler().ServeHTTP(answer, request)
		policy := answer.Header().Get("Content-Security-Policy")
		if answer.Code != http.StatusOK || !strings.HasPrefix(answer.Header().Get("Content-Type"), kind) || !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("%s: %d %v", path, answer.Code, answer.Header())
		}
		for _, elsewhere := range []string{"http://", "https://", "<script>", " style="} {
			if strings.Contains(answer.Body.String(), elsewhere) {
				t.Errorf("%s has %s", path, elsewhere)
			}
		}
	}
}
