package admin

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/prometheus/client_golang/prometheus"
)

// fixed is a topology that does not change.
type fixed struct{ topology *cluster.Topology }

func (f fixed) Load() *cluster.Topology { return f.topology }

var _ Topologies = fixed{}

func serving(t *cluster.Topology) *Server {
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "answer", Help: "x"}, func() float64 { return 42 }))
	return New(Config{Listen: "127.0.0.1:0"}, Parts{
		Topologies: fixed{t}, Metrics: registry, Logger: slog.New(slog.DiscardHandler), Version: "v0",
	})
}

func healthy() *cluster.Topology {
	return &cluster.Topology{
		Nodes:  []cluster.Node{{Name: "a", Role: cluster.RoleMaster, Health: cluster.HealthUp}},
		Writes: cluster.WritesOpen,
	}
}

func TestRoutes(t *testing.T) {
	for _, c := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/", 200, "Bellwether v0\n"},
		{"GET", "/healthz", 200, "ok\n"},
		{"HEAD", "/healthz", 200, ""},
		{"GET", "/livez", 200, "ok\n"},
		{"GET", "/readyz", 200, "ok\n"},
		{"GET", "/metrics", 200, "answer 42\n"},
		{"GET", "/nowhere", 404, `{"type":"urn:bellwether:problem:not-found","title":"not found","status":404,"detail":"there is no /nowhere","instance":"/nowhere"}`},
		{"POST", "/healthz", 405, `"detail":"POST is not one of GET HEAD"`},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			answer := httptest.NewRecorder()
			serving(healthy()).Handler().ServeHTTP(answer, httptest.NewRequest(c.method, c.path, nil))
			if answer.Code != c.status || !strings.Contains(answer.Body.String(), c.body) {
				t.Errorf("%d %q, want %d with %q", answer.Code, answer.Body, c.status, c.body)
			}
			if kind := answer.Header().Get("Content-Type"); (c.status >= 400) != (kind == "application/problem+json") {
				t.Errorf("content type %q with status %d", kind, answer.Code)
			}
		})
	}
}

func TestReadyzSaysWhyNot(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*cluster.Topology)
		want   string
	}{
		{"no master", func(t *cluster.Topology) { t.Master = -1 }, "there is no master"},
		{"no master, with a reason", func(t *cluster.Topology) { t.Master, t.WritesReason = -1, "the state names c" },
			"there is no master: the state names c"},
		{"not probed", func(t *cluster.Topology) { t.Nodes[0].Health = cluster.HealthUnknown }, "the master a has not been reached yet"},
		{"down", func(t *cluster.Topology) { t.Nodes[0].Health, t.Nodes[0].Problem = cluster.HealthDown, "refused" },
			"the master a is down: refused"},
		{"another server", func(t *cluster.Topology) { t.MasterIdentity, t.Nodes[0].Addr, t.Nodes[0].Identity = "u1", "h:1", "u2" },
			`the server at h:1 is not the recorded master a: it says it is "u2", not "u1"`},
		{"held", func(t *cluster.Topology) { t.Writes, t.WritesReason = cluster.WritesHeld, "switchover" },
			"writes are held: switchover"},
	} {
		t.Run(c.name, func(t *testing.T) {
			topology := healthy()
			c.change(topology)
			answer := httptest.NewRecorder()
			serving(topology).Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/readyz", nil))
			var got problem
			if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if answer.Code != 503 || got.Status != 503 || got.Detail != c.want {
				t.Errorf("%d %+v, want 503 %q", answer.Code, got, c.want)
			}
		})
	}
}

// weak is a promise that does not hold.
type weak bool

func (w weak) Unprotected() (reason string, waits bool) { return "the master is not read", bool(w) }

func TestReadyzTellsAWithdrawnPromise(t *testing.T) {
	for waits, want := range map[weak]int{true: http.StatusServiceUnavailable, false: http.StatusOK} {
		server := serving(healthy())
		server.parts.Durability = waits
		answer := httptest.NewRecorder()
		server.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/readyz", nil))
		if answer.Code != want || !strings.Contains(answer.Body.String(), "the master is not read") {
			t.Errorf("writes wait %t: %d %q, want %d with the reason", waits, answer.Code, answer.Body, want)
		}
	}
}

func TestRunServesUntilItsContextEnds(t *testing.T) {
	server := serving(healthy())
	if err := server.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	answer, err := client.Get("http://" + server.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(answer.Body); err != nil || string(body) != "ok\n" {
		t.Errorf("body %q, %v", body, err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestListenTellsWhichAddressIsTaken(t *testing.T) {
	first := serving(healthy())
	if err := first.Listen(); err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second := New(Config{Listen: first.Addr().String()}, first.parts)
	if err := second.Listen(); err == nil || !strings.Contains(err.Error(), first.Addr().String()) {
		t.Errorf("error %v", err)
	}
}
