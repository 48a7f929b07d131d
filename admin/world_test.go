package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/admin/operation"
)

// run runs something until the test ends.
func run(t *testing.T, work func(context.Context) error) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- work(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// orders is an operator that does nothing: a failover refuses, a verification
// lasts until it is cancelled or let go, a copy says steps.
type orders struct {
	begun atomic.Int64
	hold  chan struct{} // nil: nothing lasts
}

var _ Operator = (*orders)(nil)

func (o *orders) Plan(_ context.Context, asked operation.Request) (operation.Plan, error) {
	return operation.Plan{Kind: asked.Kind, Refusal: "because", Text: "it would be done"}, nil
}

func (o *orders) Prepare(_ context.Context, asked operation.Request) (operation.Job, error) {
	if asked.To == "nobody" {
		return operation.Job{}, fmt.Errorf("%w: there is no nobody", ErrRefused)
	}
	o.begun.Add(1)
	job := operation.Job{Says: "doing it", Alone: asked.Kind, Cancellable: asked.Kind == "verify"}
	job.Do = func(ctx context.Context, tell *operation.Teller) (operation.Outcome, error) {
		tell.Incident("an incident")
		end := tell.Begin("copy", "b")
		tell.Progress(0.5)
		if o.hold != nil {
			select {
			case <-o.hold:
			case <-ctx.Done():
				end("", ctx.Err())
				return operation.Outcome{}, ctx.Err()
			}
		}
		end("it is there", nil)
		if asked.Kind == "failover" {
			return operation.Outcome{}, errors.New("it could not be done")
		}
		return operation.Outcome{Says: "done with it", Result: map[string]int{"rows": 1}}, nil
	}
	return job, nil
}

// world is everything that /v1 asks. It is safe for concurrent use.
type world struct {
	mu       sync.Mutex
	fleet    []string // what was done
	text     string
	counters Counters
	history  []Incident
}

func (w *world) did(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fleet = append(w.fleet, fmt.Sprintf(format, args...))
}

func (w *world) done() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.fleet)
}

func (w *world) Add(n NewNode) error {
	if n.Name == "a" {
		return fmt.Errorf("%w: it is there", ErrRefused)
	}
	w.did("add %s at %s", n.Name, n.Address)
	return nil
}

func (w *world) Change(name string, c NodeChange) error {
	w.did("change %s %t %t %t", name, c.Drain != nil, c.Maintenance != nil, c.Weight != nil)
	return nil
}

func (w *world) Remove(name string) error {
	w.did("remove %s", name)
	return nil
}

func (w *world) Load(string) NodeLoad {
	return NodeLoad{Idle: 3, Busy: 1, Outstanding: 1}
}

func (w *world) Feed() string     { return "relay" }
func (w *world) Position() string { return "0-1-7" }

func (w *world) Show() (ShownConfiguration, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return ShownConfiguration{Path: "/etc/b.yaml", Text: w.text, Loaded: time.Unix(1, 0).UTC(), Version: tagOf([]byte(w.text))}, nil
}

func (w *world) Examine(text string) (Examined, error) {
	if text == "wrong" {
		return Examined{Problems: []ConfigurationProblem{{Line: 3, Key: "nodes", Says: "no node is named"}}}, nil
	}
	return Examined{Valid: true, Changes: []string{"log.level: info → debug"}}, nil
}

func (w *world) Replace(text, version string) ([]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case version != tagOf([]byte(w.text)):
		return nil, fmt.Errorf("replace: %w", ErrStale)
	case text == "wrong":
		return nil, fmt.Errorf("%w: line 3", ErrRefused)
	}
	w.text = text
	return []string{"log.level: info → debug"}, nil
}

func (w *world) Sessions() []Session {
	b := "b"
	return []Session{
		{ID: 9, User: "root", State: "idle"},
		{ID: 7, User: "app", State: "running", Statement: "SELECT ?", Node: &b, Pins: []string{"temporary table"}},
	}
}

func (w *world) KillSession(id uint32, queryOnly bool) bool {
	w.did("kill %d %t", id, queryOnly)
	return id == 7
}

func (w *world) Digests() DigestReport {
	return DigestReport{Digests: []Digest{{Digest: "1", Count: 5, TotalMS: 1, MaxMS: 9}, {Digest: "2", Count: 1, TotalMS: 7, Errors: 1}}}
}

func (w *world) ResetDigests() { w.did("reset") }

func (w *world) Counters() Counters {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counters
}

func (w *world) Explain(q Question) (Explanation, error) {
	if q.Consistency == "odd" {
		return Explanation{}, errors.New("consistency: odd is no such thing")
	}
	return Explanation{Class: "read", Target: "slave", Why: []string{"it reads"}, Statements: 1}, nil
}

func (w *world) Incidents() []Incident {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.history)
}

func (w *world) Problems() []Problem {
	return []Problem{{Kind: "no_slave", Priority: "urgent", Description: "there is no slave", Asks: "none"}}
}

// wholeServer has every part, and a caller on loopback may do everything.
func wholeServer(t *testing.T) (*Server, *world, *orders) {
	t.Helper()
	s, made := guardedServer(t, func(c *Config) { c.OpenLoopback = true })
	w := &world{text: "state_dir: x\n", history: []Incident{{ID: "i1", Shown: json.RawMessage(`{"id":"i1","kind":"failover","reason":"it is dead","from":"a","begun":"2026-11-23T10:00:00Z","outcome":"done","steps":[]}`)}}}
	p := &s.parts
	p.Fleet, p.Stream, p.Configuration, p.Sessions, p.Digests, p.Traffic, p.Explainer, p.History = w, w, w, w, w, w, w, w
	return s, w, made
}
