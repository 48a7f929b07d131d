package admin

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// heard is one event as a client reads it.
type heard struct{ id, kind, data string }

// listening is a client of /v1/events.
type listening struct {
	*testing.T
	scan *bufio.Scanner
	stop func()
}

// listen opens a stream of a server that runs.
func listen(t *testing.T, s *Server, target string, headers ...string) *listening {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Addr().String()+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	transport := &http.Transport{}
	answer, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := held.contract.Check(http.MethodGet, "/v1/events", answer.StatusCode, answer.Header, nil); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v", answer.Status, err)
	}
	l := &listening{T: t, scan: bufio.NewScanner(answer.Body), stop: func() {
		stop()
		_ = answer.Body.Close()
		transport.CloseIdleConnections()
	}}
	t.Cleanup(l.stop)
	return l
}

// next is the next event, but for comments; false at the end.
func (l *listening) next() (h heard, ok bool) {
	for l.scan.Scan() {
		name, value, _ := strings.Cut(l.scan.Text(), ": ")
		switch {
		case name == "id":
			h.id = value
		case name == "event":
			h.kind = value
		case name == "data":
			h.data = value
		case name == "" && h.kind != "":
			return h, true
		}
	}
	return h, false
}

// until is the first event of a kind with this in it.
func (l *listening) until(kind, part string) heard {
	l.Helper()
	for {
		h, ok := l.next()
		if !ok {
			l.Fatalf("the stream ended before a %s with %s: %v", kind, part, l.scan.Err())
		}
		if h.kind == kind && strings.Contains(h.data, part) {
			return h
		}
	}
}

// wholeRunning is a server with every part that runs, and its store.
func wholeRunning(t *testing.T) (*Server, *world, *cluster.Store) {
	t.Helper()
	w, store := &world{}, cluster.NewStore(healthy())
	parts := serving(healthy()).parts
	parts.Topologies, parts.Operator = store, &orders{}
	parts.Fleet, parts.Stream, parts.Configuration, parts.Sessions, parts.Digests, parts.Traffic, parts.History = w, w, w, w, w, w, w
	s := New(Config{Listen: "127.0.0.1:0", OpenLoopback: true}, parts)
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	run(t, s.Run)
	return s, w, store
}

func TestEvents(t *testing.T) {
	s, w, store := wholeRunning(t)
	l := listen(t, s, "/v1/events")
	for _, kind := range []string{"cluster", "nodes", "problems"} {
		if h, ok := l.next(); !ok || h.kind != kind || h.id == "" || !json.Valid([]byte(h.data)) {
			t.Errorf("%+v, want %s", h, kind)
		}
	}
	if _, err := store.Advance(0, func(d *cluster.RoleDraft) error { d.SetWrites(cluster.WritesHeld, "a test"); return nil }); err != nil {
		t.Fatal(err)
	}
	told := l.until("cluster", `"writes":"held"`)
	w.mu.Lock()
	w.history = append(w.history, Incident{ID: "i2", Running: true, Shown: map[string]string{"id": "i2"}})
	w.counters.Statements = 77
	w.mu.Unlock()
	l.until("incident", "i2")
	l.until("traffic", `"statements":`)
	if answer := send(s, "POST", "/v1/operations", `{"kind":"switchover"}`); answer.Code != http.StatusAccepted {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	l.until("operation", `"state":"done"`)
	l.stop()

	again := listen(t, s, "/v1/events?types=operation,cluster", "Last-Event-ID: "+told.id)
	if h := again.until("operation", `"state":"done"`); h.id <= told.id {
		t.Errorf("%+v behind %+v", h, told)
	}
	again.until("cluster", `"writes":"held"`)
}

func TestEventsEnd(t *testing.T) {
	s := serving(healthy())
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	s.Configure(Config{Listen: "127.0.0.1:0", OpenLoopback: true})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	l := listen(t, s, "/v1/events")
	l.until("cluster", "")
	stop()
	begun := time.Now()
	if err := <-done; err != nil || time.Since(begun) > stopTimeout {
		t.Errorf("%v after %v", err, time.Since(begun))
	}
	for ok := true; ok; _, ok = l.next() {
	}
}

// A reader that takes nothing is let go, and costs nobody else anything.
func TestEventsSlowReader(t *testing.T) {
	e := newEvents(time.Unix(1, 0))
	slow, _ := e.enter(nil, "")
	some, _ := e.enter([]string{"cluster"}, "")
	for i := range readerBehind + eventsKept {
		e.publish("nodes", i)
	}
	e.publish("cluster", "x")
	if e.watched(); len(e.readers) != 1 || len(e.kept) != eventsKept {
		t.Errorf("%d readers, %d events", len(e.readers), len(e.kept))
	}
	if h := <-some.queue; string(h.data) != `"x"` {
		t.Errorf("%s", h.text())
	}
	for range slow.queue { // it is closed
	}
	last := e.last()
	for _, c := range []struct {
		since  string
		missed int
	}{{fmt.Sprint(last), 0}, {fmt.Sprint(last - 1), 1}, {fmt.Sprint(last - 5), 5}, {"7", 0}, {"", 0}, {"x", 0}, {fmt.Sprint(last + 1), 0}} {
		if _, missed := e.enter(nil, c.since); len(missed) != c.missed {
			t.Errorf("since %s: %d, want %d", c.since, len(missed), c.missed)
		}
	}
	for r, _ := e.enter(nil, ""); r != nil; r, _ = e.enter(nil, "") {
	}
	if len(e.readers) != readersMost {
		t.Errorf("%d readers", len(e.readers))
	}
}
