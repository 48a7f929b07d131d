package trace

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

func span() *Span {
	now := time.Now()
	return NewSpan("SELECT", Parent{}, now, now.Add(time.Millisecond))
}

// ran runs a tracer until stop is called, which waits for its end.
func ran(t *Tracer) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { t.Run(ctx) })
	return func() { cancel(); running.Wait() }
}

// settled waits until a collector has taken spans or refused them.
func settled(t *Tracer) {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if sent, _, failed := t.Counts(); sent+failed > 0 {
			return
		}
	}
}

func TestOffIsNothing(t *testing.T) {
	if New(Config{OneIn: 1}, quiet) != nil {
		t.Error("a tracer without an endpoint is there")
	}
	for endpoint, fine := range map[string]bool{"": true, "http://a:4318/v1/traces": true, "https://a": true, "a:4318": false, "ftp://a": false, "http://": false} {
		if err := (Config{Endpoint: endpoint, OneIn: 1}).Validate(); (err == nil) != fine {
			t.Errorf("%q: %v", endpoint, err)
		}
	}
}

func TestFindParent(t *testing.T) {
	const parent = "traceparent='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'"
	long := strings.Repeat("x", 3*farthest)
	for sql, want := range map[string]bool{
		"SELECT 1 /*" + parent + "*/":              true,
		"/*a='b'," + parent + "*/ SELECT 1":        true,
		"SELECT '" + long + "' /*" + parent + "*/": true,
		"SELECT 1":                          false,
		"SELECT 1 /*traceparent='00-0af7*/": false,
		"SELECT 1 /*traceparent='00-zaf7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'*/": false,
		"SELECT 1 /*traceparent='00-00000000000000000000000000000000-b7ad6b7169203331-01'*/": false,
		"SELECT 1 /*" + parent[:len(parent)-1]:                                               false,
	} {
		if got := FindParent([]byte(sql)); got.Valid() != want || want && !got.Sampled {
			t.Errorf("%.60q: %+v", sql, got)
		}
	}
}

func FuzzFindParent(f *testing.F) {
	f.Add([]byte("/*traceparent='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'*/"))
	f.Fuzz(func(t *testing.T, sql []byte) { FindParent(sql) })
}

// A collector that hangs costs whoever adds spans nothing, and what there is no
// room for is counted.
func TestSpansAreBounded(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	tracer := New(Config{Endpoint: server.URL, OneIn: 1}, quiet)
	stop := ran(tracer)
	const many = 3 * mostQueued
	begun := time.Now()
	for range many {
		tracer.Add(span())
	}
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("adding took %v: it waits", took)
	}
	close(release)
	settled(tracer)
	stop()
	if sent, dropped, failed := tracer.Counts(); sent+dropped+failed != many || dropped == 0 {
		t.Errorf("%d sent, %d dropped, %d failed, want %d in all", sent, dropped, failed, many)
	}
}

func TestBusyCollectorIsAskedAgain(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if asked.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	tracer := New(Config{Endpoint: server.URL, OneIn: 1}, quiet)
	stop := ran(tracer)
	tracer.Add(span())
	settled(tracer)
	stop()
	if sent, _, failed := tracer.Counts(); sent != 1 || failed != 0 {
		t.Errorf("%d sent, %d failed after %d requests", sent, failed, asked.Load())
	}
}

// What waits at the end is sent.
func TestLastSpansAreSent(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	tracer := New(Config{Endpoint: server.URL, OneIn: 1}, quiet)
	stop := ran(tracer)
	tracer.Add(span())
	stop()
	if sent, _, _ := tracer.Counts(); sent != 1 {
		t.Errorf("%d were sent, want 1", sent)
	}
}

func TestSamples(t *testing.T) {
	tracer := New(Config{Endpoint: "http://127.0.0.1:1", OneIn: 10}, quiet)
	chosen := 0
	for range 10_000 {
		if tracer.Samples(Parent{}) {
			chosen++
		}
	}
	if chosen < 800 || chosen > 1200 {
		t.Errorf("%d of 10000 are chosen, want about 1000", chosen)
	}
	parent := Parent{TraceID: [16]byte{1}, SpanID: [8]byte{1}}
	if tracer.Samples(parent) {
		t.Error("one is chosen that its client does not trace")
	}
	if parent.Sampled = true; !tracer.Samples(parent) {
		t.Error("one is not chosen that its client traces")
	}
}
