package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The times of a stream of events.
const (
	streamBreath = 5 * time.Second  // a comment after so long without an event
	eventTime    = 10 * time.Second // until the client has taken the next event
)

// eventKinds are what there is to be told.
var eventKinds = []string{"cluster", "nodes", "problems", "incident", "operation", "traffic"}

// stream is GET /v1/events.
func (s *Server) stream(c *call) *problem {
	q, p := c.query("types")
	if p != nil {
		return p
	}
	var wanted []string
	if types := q.Get("types"); types != "" {
		wanted = strings.Split(types, ",")
	}
	for _, kind := range wanted {
		if !slices.Contains(eventKinds, kind) {
			return badParameter("types: %q is not one of %s", kind, strings.Join(eventKinds, ", "))
		}
	}
	reader, missed := s.events.enter(wanted, c.Header.Get("Last-Event-ID"))
	if reader == nil {
		return &problem{Type: kindUnavailable, Title: "no more streams", Status: http.StatusServiceUnavailable, Detail: "there are 100 streams, or Bellwether ends"}
	}
	defer s.events.leave(reader)
	c.unbound()
	c.w.Header().Set("Content-Type", "text/event-stream")
	c.w.Header().Set("Cache-Control", "no-store")
	c.w.Header().Set("X-Accel-Buffering", "no")
	w := &streamWriter{c.w, http.NewResponseController(c.w)}
	if w.write([]byte("retry: 1000\n\n")) && w.all(missed) && w.all(s.present(reader)) {
		w.follow(c.Context(), reader)
	}
	return nil
}

// unbound lets a call go on for as long as its caller stays.
func (c *call) unbound() {
	if timer, ok := c.Context().Value(patience{}).(*time.Timer); ok {
		timer.Stop()
	}
	// A connection that knows no deadline has none.
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Time{})
}

// present is what a reader is told first: everything as it is now. It has the id
// of the last event, so that who comes back gets what follows.
func (s *Server) present(r *reader) (out []event) {
	id := s.events.last()
	add := func(kind string, document any) {
		if data, err := json.Marshal(document); err == nil && r.wants(kind) {
			out = append(out, event{id, kind, data})
		}
	}
	add("cluster", s.cluster())
	add("nodes", s.nodesNow())
	add("problems", ProblemsView{s.problemsNow()})
	if points := s.traffic.latest(1); len(points) > 0 {
		add("traffic", points[0])
	}
	return out
}

// streamWriter writes events. It serves one goroutine.
type streamWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// follow writes what comes until the caller goes, or is too slow.
func (w *streamWriter) follow(ctx context.Context, r *reader) {
	breath := time.NewTicker(streamBreath)
	defer breath.Stop()
	for going := true; going; {
		select {
		case <-ctx.Done():
			return
		case <-breath.C:
			going = w.write([]byte(": here\n\n"))
		case e, more := <-r.queue:
			going = more && w.write(e.text())
		}
	}
}

func (w *streamWriter) all(events []event) bool {
	for _, e := range events {
		if !w.write(e.text()) {
			return false
		}
	}
	return true
}

// write says whether the client still takes it.
func (w *streamWriter) write(text []byte) bool {
	// A writer that knows no deadline has none of its own.
	_ = w.control.SetWriteDeadline(time.Now().Add(eventTime))
	_, err := w.w.Write(text)
	return err == nil && w.control.Flush() == nil
}
