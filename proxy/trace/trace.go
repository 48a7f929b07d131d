// Package trace sends spans to a collector of OpenTelemetry: OTLP over HTTP, as
// JSON. It is its own writer of that form, because the project's SDK would be
// larger than the proxy, and a statement has one span only.
package trace

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
)

// Config says where spans go. The zero value is off.
type Config struct {
	// Endpoint is the URL that takes traces, such as
	// http://127.0.0.1:4318/v1/traces; "" is off.
	Endpoint string
	// OneIn is of how many statements one has a span; one whose client has begun a
	// trace has it or not as that says.
	OneIn int
	// Version is the program's.
	Version string
}

// Validate says what is wrong, and what would be right.
func (c Config) Validate() error {
	if c.Endpoint == "" {
		return nil
	}
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("traces: endpoint %q is no URL: write http://127.0.0.1:4318/v1/traces", c.Endpoint)
	}
	if c.OneIn < 1 {
		return errors.New("traces: one_in is less than 1, which has a span for every statement")
	}
	return nil
}

const (
	// mostQueued bounds the spans that wait to be sent, mostSent those in one request.
	mostQueued, mostSent = 4096, 512
	// flushInterval is how long a span waits at most for others, sendTimeout how
	// long a request may take, and lastTimeout the last one.
	flushInterval = time.Second
	sendTimeout   = 5 * time.Second
	lastTimeout   = 2 * time.Second
)

// Tracer takes spans and sends them while it runs. Any goroutine may add spans;
// that never waits.
type Tracer struct {
	config  Config
	oneIn   atomic.Int64
	queue   chan *Span
	client  *http.Client
	log     *slog.Logger
	failing bool // of the goroutine that sends

	sent, dropped, failed atomic.Uint64
}

// New returns a tracer; nil where the configuration is off. It sends nothing
// before Run.
func New(c Config, log *slog.Logger) *Tracer {
	if c.Endpoint == "" {
		return nil
	}
	t := &Tracer{config: c, queue: make(chan *Span, mostQueued), log: log,
		client: &http.Client{Timeout: sendTimeout, Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, MaxIdleConns: 1, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
		}}}
	t.Sample(c.OneIn)
	return t
}

// Sample changes of how many statements one has a span.
func (t *Tracer) Sample(oneIn int) { t.oneIn.Store(int64(max(oneIn, 1))) }

// Samples decides whether a statement has a span, whose client's trace is parent.
func (t *Tracer) Samples(parent Parent) bool {
	if parent.Valid() {
		return parent.Sampled
	}
	n := t.oneIn.Load()
	return n == 1 || rand.Int64N(n) == 0
}

// Add hands a span over, or drops it where too many wait.
func (t *Tracer) Add(s *Span) {
	select {
	case t.queue <- s:
	default:
		t.dropped.Add(1)
	}
}

// Counts returns how many spans were sent, dropped because too many waited, and
// lost because the collector did not take them.
func (t *Tracer) Counts() (sent, dropped, failed uint64) {
	return t.sent.Load(), t.dropped.Load(), t.failed.Load()
}

// Run sends spans until ctx ends, and then those that wait.
func (t *Tracer) Run(ctx context.Context) {
	defer t.client.CloseIdleConnections()
	tick := time.NewTicker(flushInterval)
	defer tick.Stop()
	var batch []*Span
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case s := <-t.queue:
			if batch = append(batch, s); len(batch) < mostSent {
				continue
			}
			batch = t.flush(ctx, batch)
		case <-tick.C:
			batch = t.flush(ctx, batch)
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastTimeout)
	defer cancel()
	for len(t.queue) > 0 {
		if batch = append(batch, <-t.queue); len(batch) == mostSent {
			batch = t.flush(last, batch)
		}
	}
	t.flush(last, batch)
}

// flush sends a batch and returns it, empty.
func (t *Tracer) flush(ctx context.Context, batch []*Span) []*Span {
	if len(batch) == 0 {
		return batch
	}
	err := t.send(ctx, batch)
	switch {
	case err == nil:
		t.sent.Add(uint64(len(batch)))
	case ctx.Err() == nil && !t.failing: // once, until it works again
		t.log.Warn("traces are not taken", "endpoint", t.config.Endpoint, "error", err)
	}
	if t.failing = err != nil; t.failing {
		t.failed.Add(uint64(len(batch)))
	}
	clear(batch)
	return batch[:0]
}
