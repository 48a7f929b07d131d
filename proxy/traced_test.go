package proxy

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/fakemysql"
	"github.com/bellwether-db/bellwether/proxy/backend"
)

// receivedSpan is a span as a collector reads it.
type receivedSpan struct {
	TraceID, SpanID, ParentSpanID, Name string
	Kind                                int
	StartTimeUnixNano, EndTimeUnixNano  string
	Attributes                          []struct {
		Key   string
		Value struct{ StringValue, IntValue string }
	}
	Status struct{ Code int }
}

func (s *receivedSpan) get(key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.StringValue + a.Value.IntValue
		}
	}
	return ""
}

// collector is a receiver of OTLP.
type collector struct {
	mu    sync.Mutex
	spans []receivedSpan
	raw   strings.Builder
	url   string
}

func newCollector(t *testing.T) *collector {
	c := &collector{}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.url = server.URL + "/v1/traces"
	return c
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		ResourceSpans []struct {
			Resource   receivedSpan
			ScopeSpans []struct{ Spans []receivedSpan }
		}
	}
	var raw json.RawMessage
	if err := json.NewDecoder(r.Body).Decode(&raw); err != nil || json.Unmarshal(raw, &body) != nil || r.URL.Path != "/v1/traces" {
		http.Error(w, "no spans", http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw.Write(raw)
	for _, resource := range body.ResourceSpans {
		if resource.Resource.get("service.name") != "bellwether" {
			http.Error(w, "whose spans?", http.StatusBadRequest)
			return
		}
		for _, scope := range resource.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
}

// named waits for a span whose text contains part.
func (c *collector) named(t *testing.T, part string) receivedSpan {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		c.mu.Lock()
		for _, s := range c.spans {
			if strings.Contains(s.get("db.query.text"), part) {
				c.mu.Unlock()
				return s
			}
		}
		c.mu.Unlock()
		if time.Now().After(deadline) {
			t.Fatalf("no span has %q in its text", part)
		}
	}
}

func TestStatementsHaveSpans(t *testing.T) {
	c := newCollector(t)
	h := newHouse(t, func(config *Config, _ *backend.Config) {
		config.Traces.Endpoint, config.Traces.OneIn = c.url, 1
	}, (&node{name: "node1", answers: map[string]fakemysql.Step{
		"UPDATE item SET n = 'secret'": fakemysql.SendError(1062, "23000", "Duplicate entry 'secret'"),
	}}).handler(), (&node{name: "node2"}).handler())
	client := h.client(t)
	client.query("SELECT name FROM item WHERE id = 4711")
	client.query("UPDATE item SET n = 'secret'")
	client.query("/*traceparent='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'*/ DELETE FROM item WHERE id = 1")
	client.query("INSERT INTO item VALUES (1) /* traceparent='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00' */")

	read := c.named(t, "SELECT")
	for key, want := range map[string]string{
		"db.system.name": "mysql", "db.operation.name": "SELECT", "db.query.text": "SELECT name FROM item WHERE id = ?",
		"bellwether.node": "node2", "bellwether.target": "slave", "bellwether.reason": "read", "bellwether.class": "read",
		"bellwether.consistency": "session", "server.address": "127.0.0.1", "client.address": "127.0.0.1",
		"db.response.returned_rows": "1", "error.type": "", "db.response.status_code": "",
	} {
		if got := read.get(key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	begun, _ := strconv.ParseInt(read.StartTimeUnixNano, 10, 64)
	ended, _ := strconv.ParseInt(read.EndTimeUnixNano, 10, 64)
	if read.Name != "SELECT" || read.Kind != 3 || len(read.TraceID) != 32 || len(read.SpanID) != 16 || read.ParentSpanID != "" || begun == 0 || ended <= begun {
		t.Errorf("the read's span is %+v", read)
	}
	if write := c.named(t, "UPDATE"); write.Status.Code != 2 || write.get("db.response.status_code") != "1062" || write.get("bellwether.target") != "master" {
		t.Errorf("the span of what failed is %+v", write)
	}
	if child := c.named(t, "DELETE"); child.TraceID != "0af7651916cd43dd8448eb211c80319c" || child.ParentSpanID != "b7ad6b7169203331" {
		t.Errorf("the span of a client's trace is %+v", child)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if strings.Contains(c.raw.String(), "secret") || strings.Contains(c.raw.String(), "4711") {
		t.Error("a literal left")
	}
	if strings.Contains(c.raw.String(), "INSERT") {
		t.Error("what its client does not trace has a span")
	}
}

// What Bellwether refuses by itself counts as an error, with its number.
func TestRefusedStatementsCountAsErrors(t *testing.T) {
	c := newCollector(t)
	h := newHouse(t, func(config *Config, _ *backend.Config) {
		config.Traces.Endpoint, config.Traces.OneIn = c.url, 1
	}, (&node{name: "node1"}).handler())
	if _, err := h.store.Advance(h.store.Load().Generation, func(d *cluster.RoleDraft) error {
		d.SetWrites(cluster.WritesRefused, "a test")
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := h.client(t).query("DELETE FROM item"); !strings.Contains(got, "1290") {
		t.Fatalf("answer %q", got)
	}
	if d := counted(t, h.server, "DELETE FROM item", 1); d.Errors != 1 || d.ToMaster+d.ToSlaves != 0 {
		t.Errorf("it is counted as %+v", d)
	}
	if s := c.named(t, "DELETE"); s.Status.Code != 2 || s.get("error.type") != "1290" || s.get("bellwether.node") != "" {
		t.Errorf("its span is %+v", s)
	}
}
