package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwether-db/bellwether/bench/process"
	"github.com/bellwether-db/bellwether/bench/rawmysql"
	"github.com/bellwether-db/bellwether/bench/stats"
	"golang.org/x/sync/errgroup"
)

const (
	// dialsAtOnce keeps logins below every listen queue.
	dialsAtOnce = 16
	// graceTime is how long an operation may go on after its round.
	graceTime = 30 * time.Second
)

// worker is one client with its connection. One goroutine at a time uses it.
type worker struct {
	conn    *rawmysql.Conn
	rng     *rand.Rand
	slot    int // of all clients
	clients int
	sql     []byte
	point   *rawmysql.Statement
	seen    stats.Histogram
	retries int
}

// anyRow is the id of some row.
func (w *worker) anyRow() int64 { return 1 + w.rng.Int64N(tableRows) }

// ownRow is the id of a row that no other client writes.
func (w *worker) ownRow() int64 {
	each := int64(tableRows / w.clients)
	return 1 + int64(w.slot) + int64(w.clients)*w.rng.Int64N(each)
}

// fleet is all clients of one cell on one way.
type fleet struct {
	target   *target
	workload *workload
	workers  []*worker
	total    stats.Histogram // of the round
}

// launch logs n clients in and readies them for the workload.
func launch(ctx context.Context, t *target, load *workload, n int) (*fleet, error) {
	f := &fleet{target: t, workload: load, workers: make([]*worker, n)}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(dialsAtOnce)
	for i := range n {
		group.Go(func() (err error) {
			f.workers[i], err = newWorker(ctx, t, load, i, n)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		f.close()
		return nil, fmt.Errorf("%d clients through %s: %w", n, t.name, err)
	}
	return f, nil
}

func newWorker(ctx context.Context, t *target, load *workload, slot, clients int) (*worker, error) {
	cfg := t.login
	cfg.Buffer = load.buffer
	ctx, cancel := context.WithTimeout(ctx, graceTime)
	defer cancel()
	conn, err := rawmysql.Dial(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	w := &worker{conn: conn, slot: slot, clients: clients, rng: rand.New(rand.NewPCG(uint64(slot), 1))}
	_ = conn.SetDeadline(time.Now().Add(graceTime))
	if load.ready == nil {
		return w, nil
	}
	return w, load.ready(w)
}

func (f *fleet) close() {
	var all sync.WaitGroup
	for _, w := range f.workers {
		if w != nil {
			all.Go(func() { _ = w.conn.Close() })
		}
	}
	all.Wait()
}

// Round is what one round through one way gave.
type Round struct {
	Operations uint64        `json:"operations"`
	Elapsed    time.Duration `json:"elapsed_ns"`
	P50        time.Duration `json:"p50_ns"`
	P99        time.Duration `json:"p99_ns"`
	// CPU is the processor time of the proxy; 0 where there is none.
	CPU     time.Duration `json:"proxy_cpu_ns"`
	Retries int           `json:"retries"` // transactions that the server asked to try again
}

// round runs operations on all clients for d. The first error of a client
// ends it for all.
func (f *fleet) round(ctx context.Context, d time.Duration) (Round, error) {
	before, err := f.target.cpu()
	if err != nil {
		return Round{}, err
	}
	start := time.Now()
	err = f.work(ctx, start.Add(d))
	elapsed := time.Since(start)
	after, cpuErr := f.target.cpu()
	if err := errors.Join(err, cpuErr); err != nil {
		return Round{}, fmt.Errorf("%s with %d clients through %s: %w", f.workload.name, len(f.workers), f.target.name, err)
	}
	return f.gather(elapsed, after-before), nil
}

// work lets all clients go until end and waits for them.
func (f *fleet) work(ctx context.Context, end time.Time) error {
	for _, w := range f.workers {
		_ = w.conn.SetDeadline(end.Add(graceTime))
	}
	stop := context.AfterFunc(ctx, f.interrupt)
	defer stop()
	var ended atomic.Bool
	var group errgroup.Group
	for _, w := range f.workers {
		group.Go(func() error {
			err := w.loop(f.workload, end, &ended)
			if err != nil {
				ended.Store(true)
			}
			return err
		})
	}
	err := group.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (f *fleet) interrupt() {
	for _, w := range f.workers {
		w.conn.Interrupt()
	}
}

func (w *worker) loop(load *workload, end time.Time, ended *atomic.Bool) error {
	w.seen.Reset()
	w.retries = 0
	for from := time.Now(); from.Before(end) && !ended.Load(); {
		if err := load.run(w); err != nil {
			return err
		}
		now := time.Now()
		w.seen.Add(now.Sub(from))
		from = now
	}
	return nil
}

func (f *fleet) gather(elapsed, cpu time.Duration) Round {
	f.total.Reset()
	r := Round{Elapsed: elapsed, CPU: cpu}
	for _, w := range f.workers {
		f.total.Merge(&w.seen)
		r.Retries += w.retries
	}
	r.Operations = f.total.Count()
	r.P50, r.P99 = f.total.Quantile(0.5), f.total.Quantile(0.99)
	return r
}

// cpu is what the proxy has used so far; nothing where there is no proxy.
func (t *target) cpu() (time.Duration, error) {
	if t.proxy == nil {
		return 0, nil
	}
	return process.CPU(t.proxy.pid())
}
