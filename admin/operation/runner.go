package operation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// kept is how many orders are remembered.
const kept = 100

// ErrUnknown says that there is no order with that id any more, or ever was.
var ErrUnknown = errors.New("there is no such operation")

// Runner carries orders out and remembers the last hundred. It is safe for
// concurrent use; orders begin while Run runs.
type Runner struct {
	begin chan *order
	diary diary

	mu     sync.Mutex
	orders []*order // the oldest first
	last   string   // the id that was last given
	// changed is closed, and made anew, with each change.
	changed chan struct{}
}

// NewRunner returns a runner that was asked for nothing yet.
func NewRunner() *Runner {
	return &Runner{begin: make(chan *order), changed: make(chan struct{})}
}

// order is one that runs or ran; the runner's mutex guards it.
type order struct {
	record Record
	job    Job
	cancel context.CancelFunc // nil until it runs
	asked  bool               // to end early
}

// Run carries orders out until ctx ends, which ends theirs, and returns when all
// have.
func (r *Runner) Run(ctx context.Context) error {
	var group errgroup.Group
	defer func() { _ = group.Wait() }() // orders have no error here
	for {
		select {
		case <-ctx.Done():
			return nil
		case o := <-r.begin:
			group.Go(func() error {
				r.carryOut(ctx, o)
				return nil
			})
		}
	}
}

// Start begins an order for whoever by names. The error wraps ErrRefused where
// another one is in the way.
func (r *Runner) Start(ctx context.Context, asked Request, by string, job Job) (Record, error) {
	o, record, err := r.enter(asked, by, job)
	if err != nil {
		return Record{}, err
	}
	r.note()
	select {
	case r.begin <- o:
		return record, nil
	case <-ctx.Done():
		r.end(o, Outcome{}, fmt.Errorf("%w: Bellwether is not running", ErrRefused))
		return Record{}, fmt.Errorf("begin %s: %w", asked.Kind, ctx.Err())
	}
}

// enter gives an order its id and its place in the list.
func (r *Runner) enter(asked Request, by string, job Job) (*order, Record, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, other := range r.orders {
		if other.record.State == StateRunning && job.Alone != "" && other.job.Alone == job.Alone {
			return nil, Record{}, fmt.Errorf("%w: %s %s is under way: %s", ErrRefused, other.record.Kind, other.record.ID, other.record.Says)
		}
	}
	now := time.Now().UTC()
	o := &order{job: job, record: Record{
		ID: r.name(now, asked.Kind), Kind: asked.Kind, State: StateRunning, By: by, Asked: now, To: asked.To, Node: asked.Node,
		Reason: asked.Reason, Says: job.Says, Steps: []Step{}, Cancellable: job.Cancellable,
	}}
	r.orders = append(r.orders, o)
	if len(r.orders) > kept {
		if i := slices.IndexFunc(r.orders, func(o *order) bool { return o.record.State != StateRunning }); i >= 0 {
			r.orders = slices.Delete(r.orders, i, i+1)
		}
	}
	r.tell()
	return o, o.record, nil
}

// idTime is how much of an id is its time.
const idTime = len("20060102T150405.000")

// name returns an id: later ones sort behind.
func (r *Runner) name(now time.Time, kind string) string {
	for {
		id := now.Format("20060102T150405.000") + "-" + kind
		if id[:idTime] > r.last {
			r.last = id[:idTime]
			return id
		}
		now = now.Add(time.Millisecond)
	}
}

func (r *Runner) carryOut(all context.Context, o *order) {
	ctx, cancel := context.WithCancel(all)
	defer cancel()
	r.change(func() {
		if o.cancel = cancel; o.asked {
			cancel()
		}
	})
	outcome, err := o.job.Do(ctx, &Teller{runner: r, order: o})
	if err != nil && all.Err() != nil {
		err = fmt.Errorf("%w: %w", errStopped, err)
	}
	r.end(o, outcome, err)
}

// errStopped says that the process was told to end.
var errStopped = errors.New("stopped")

// end writes down how an order ended.
func (r *Runner) end(o *order, outcome Outcome, err error) {
	defer r.note()
	now := time.Now().UTC()
	r.change(func() {
		record := &o.record
		record.Ended, record.Cancellable, record.State = &now, false, StateDone
		if outcome.Says != "" {
			record.Says = outcome.Says
		}
		switch {
		case errors.Is(err, ErrRefused):
			record.State = StateRefused
		case err != nil && o.asked:
			record.State = StateCancelled
		case errors.Is(err, errStopped):
			interrupt(record, "Bellwether was stopped meanwhile")
			return
		case err != nil:
			record.State = StateFailed
		}
		if err != nil {
			record.Says = err.Error()
		}
		if outcome.Result == nil {
			return
		}
		text, err := json.Marshal(outcome.Result)
		if err != nil {
			text, _ = json.Marshal(err.Error()) // a string always can be
		}
		record.Result = text
	})
}

// change changes an order and tells those who watch.
func (r *Runner) change(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
	r.tell()
}

func (r *Runner) tell() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// Cancel asks an order to end. The error is ErrUnknown, or wraps ErrRefused
// where it cannot be or is over.
func (r *Runner) Cancel(id string) (Record, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range r.orders {
		switch {
		case o.record.ID != id:
			continue
		case o.record.State != StateRunning:
			return o.record, fmt.Errorf("%w: it is over: %s", ErrRefused, o.record.State)
		case !o.job.Cancellable:
			return o.record, fmt.Errorf("%w: a %s cannot be stopped half way: it ends by itself, within its bounds", ErrRefused, o.record.Kind)
		}
		if o.asked = true; o.cancel != nil {
			o.cancel()
		}
		r.tell()
		return o.record, nil
	}
	return Record{}, fmt.Errorf("operation %q: %w", id, ErrUnknown)
}

// Records returns the orders, the oldest first, and a channel that is closed
// with the next change.
func (r *Runner) Records() ([]Record, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]Record, len(r.orders))
	for i, o := range r.orders {
		all[i] = o.record
	}
	return all, r.changed
}

// Record returns one order, or ErrUnknown.
func (r *Runner) Record(id string) (Record, error) {
	all, _ := r.Records()
	for _, record := range all {
		if record.ID == id {
			return record, nil
		}
	}
	return Record{}, fmt.Errorf("operation %q: %w", id, ErrUnknown)
}

// Teller is how an order says how far it is. It is safe for concurrent use.
type Teller struct {
	runner *Runner
	order  *order
}

// Says tells what is done now, in a sentence.
func (t *Teller) Says(text string) {
	t.runner.change(func() { t.order.record.Says = text })
}

// Progress tells how much of it is done, from 0 to 1.
func (t *Teller) Progress(part float64) {
	part = min(max(part, 0), 1)
	t.runner.change(func() { t.order.record.Progress = &part })
}

// Steps tells the steps so far, all of them.
func (t *Teller) Steps(steps []Step) {
	t.runner.change(func() { t.order.record.Steps = steps })
}

// Incident tells where it is recorded.
func (t *Teller) Incident(id string) {
	t.runner.change(func() { t.order.record.Incident = id })
}

// Begin adds a step that goes on until the function that it returns is called.
func (t *Teller) Begin(step, node string) (end func(says string, err error)) {
	begun := time.Now().UTC()
	at := 0
	t.runner.change(func() {
		at = len(t.order.record.Steps)
		t.order.record.Steps = append(slices.Clone(t.order.record.Steps), Step{Step: step, Node: node, Begun: begun})
	})
	return func(says string, err error) {
		took := float64(time.Since(begun).Microseconds()) / 1000
		t.runner.change(func() {
			steps := slices.Clone(t.order.record.Steps)
			steps[at].TookMS, steps[at].Says = &took, says
			if err != nil {
				steps[at].Error = err.Error()
			}
			t.order.record.Steps = steps
		})
	}
}
