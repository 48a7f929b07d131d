package trace

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// The form of OTLP in JSON: ids in hexadecimal, 64-bit numbers as text.
type (
	request struct {
		ResourceSpans []resourceSpans `json:"resourceSpans"`
	}
	resourceSpans struct {
		Resource   resource     `json:"resource"`
		ScopeSpans []scopeSpans `json:"scopeSpans"`
	}
	resource struct {
		Attributes []attribute `json:"attributes"`
	}
	scopeSpans struct {
		Scope scope      `json:"scope"`
		Spans []spanJSON `json:"spans"`
	}
	scope struct {
		Name    string `json:"name"`
		Version string `json:"version,omitempty"`
	}
	spanJSON struct {
		TraceID    string      `json:"traceId"`
		SpanID     string      `json:"spanId"`
		Parent     string      `json:"parentSpanId,omitempty"`
		Flags      int         `json:"flags"`
		Name       string      `json:"name"`
		Kind       int         `json:"kind"`
		Begun      int64       `json:"startTimeUnixNano,string"`
		Ended      int64       `json:"endTimeUnixNano,string"`
		Attributes []attribute `json:"attributes"`
		Status     status      `json:"status"`
	}
	attribute struct {
		Key   string `json:"key"`
		Value value  `json:"value"`
	}
	value struct {
		Text   *string `json:"stringValue,omitempty"`
		Number *int64  `json:"intValue,string,omitempty"`
	}
	status struct {
		Code int `json:"code,omitempty"`
	}
)

const (
	kindClient  = 3 // what the conventions for databases ask for
	statusError = 2
	sampled     = 1
)

// form is what a collector is sent.
func (t *Tracer) form(batch []*Span) request {
	spans := make([]spanJSON, len(batch))
	for i, s := range batch {
		spans[i] = s.form()
	}
	host, _ := os.Hostname()
	about := Span{}
	about.Text("service.name", "bellwether")
	about.Text("service.version", t.config.Version)
	about.Text("host.name", host)
	return request{ResourceSpans: []resourceSpans{{
		Resource:   resource{Attributes: about.attributes},
		ScopeSpans: []scopeSpans{{Scope: scope{Name: "github.com/bellwether-db/bellwether/proxy", Version: t.config.Version}, Spans: spans}},
	}}}
}

func (s *Span) form() spanJSON {
	f := spanJSON{
		TraceID: hex.EncodeToString(s.traceID[:]), SpanID: hex.EncodeToString(s.spanID[:]), Flags: sampled,
		Name: s.Name, Kind: kindClient, Begun: s.Begun.UnixNano(), Ended: s.Ended.UnixNano(), Attributes: s.attributes,
	}
	if s.parent != [8]byte{} {
		f.Parent = hex.EncodeToString(s.parent[:])
	}
	if s.Failed {
		f.Status.Code = statusError
	}
	return f
}

// send posts a batch. What a collector asks to be sent again is sent once more.
func (t *Tracer) send(ctx context.Context, batch []*Span) error {
	body, err := json.Marshal(t.form(batch))
	if err != nil {
		return fmt.Errorf("encode spans: %w", err)
	}
	again, err := t.post(ctx, body)
	if err == nil || !again {
		return err
	}
	wait := time.NewTimer(flushInterval)
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return err
	case <-wait.C:
	}
	_, err = t.post(ctx, body)
	return err
}

func (t *Tracer) post(ctx context.Context, body []byte) (again bool, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.config.Endpoint, bytes.NewReader(body))
	if err != nil {
		return false, fmt.Errorf("send spans: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := t.client.Do(r)
	if err != nil {
		return false, fmt.Errorf("send spans: %w", err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10))
	if answer.StatusCode/100 == 2 {
		return false, nil
	}
	again = answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode >= 502 && answer.StatusCode <= 504
	return again, fmt.Errorf("send spans: the collector answered %s", answer.Status)
}
