package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/bellwether-db/bellwether/admin/operation"
	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/running"
)

// Operate has the Bellwether of a configuration carry out an operation, prints
// what it does, and returns what came of it.
func Operate(ctx context.Context, path string, o operation.Request, out, progress io.Writer) (operation.Record, error) {
	c, err := running.On(path)
	if err != nil {
		return operation.Record{}, err
	}
	if o.DryRun {
		return operation.Record{}, plan(ctx, c, o, out)
	}
	var begun operation.Record
	if err := c.Do(ctx, http.MethodPost, "/v1/operations", o, &begun); err != nil {
		return begun, err
	}
	f := following{calls: c, seen: begun}
	err = Showing(ctx, progress, f.line, func(ctx context.Context) error { return f.follow(ctx, out) })
	return f.record(), err
}

// plan prints what would be done.
func plan(ctx context.Context, from running.Bellwether, o operation.Request, out io.Writer) error {
	var p operation.Plan
	if err := from.Do(ctx, http.MethodPost, "/v1/operations", o, &p); err != nil {
		return err
	}
	fmt.Fprintln(out, p.Text)
	if p.Refusal != "" {
		return ErrTold
	}
	return nil
}

// followLook is how often an operation that runs is looked at.
const followLook = 100 * time.Millisecond

// following is an operation that is watched. Its line may be asked for while
// another goroutine follows it.
type following struct {
	calls running.Bellwether

	mu   sync.Mutex
	seen operation.Record
}

func (f *following) record() operation.Record {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen
}

// line is how far it is.
func (f *following) line() string {
	r := f.record()
	if r.Progress == nil || *r.Progress == 0 {
		return r.Says
	}
	return fmt.Sprintf("%3.0f %% %s", 100**r.Progress, r.Says)
}

// look reads how it does.
func (f *following) look(ctx context.Context) error {
	var r operation.Record
	if err := f.calls.Do(ctx, http.MethodGet, "/v1/operations/"+f.record().ID, nil, &r); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = r
	return nil
}

// follow prints the steps of an operation as they end, until it has ended. Where
// ctx ends before, an operation that harms nothing by it is cancelled; any other
// goes on.
func (f *following) follow(ctx context.Context, out io.Writer) error {
	tick := time.NewTicker(followLook)
	defer tick.Stop()
	for shown := 0; ; {
		if err := f.look(ctx); err != nil && ctx.Err() == nil {
			return fmt.Errorf("%w; operation %s may go on: see bellwether incidents", err, f.record().ID)
		}
		r := f.record()
		for shown < len(r.Steps) && (r.Steps[shown].TookMS != nil || r.Ended != nil) {
			fmt.Fprintln(out, stepLine(r.Steps[shown]))
			shown++
		}
		switch {
		case r.Ended != nil && r.State != operation.StateDone:
			return fmt.Errorf("%s: %s", r.State, r.Says)
		case r.Ended != nil:
			_, err := fmt.Fprintln(out, r.Says)
			return err
		}
		select {
		case <-ctx.Done():
			return f.leave(ctx)
		case <-tick.C:
		}
	}
}

// leave cancels what may be cancelled.
func (f *following) leave(ctx context.Context) error {
	r := f.record()
	if !r.Cancellable {
		return fmt.Errorf("operation %s goes on: %w", r.ID, ctx.Err())
	}
	err := f.calls.Do(context.WithoutCancel(ctx), http.MethodDelete, "/v1/operations/"+r.ID, nil, nil)
	if err == nil {
		err = fmt.Errorf("operation %s is cancelled", r.ID)
	}
	return errors.Join(err, ctx.Err())
}

// stepLine is a step for people.
func stepLine(s operation.Step) string {
	line := strings.TrimSpace(s.Step + " " + s.Node)
	if s.TookMS != nil {
		line += fmt.Sprintf(" (%.0f ms)", *s.TookMS)
	}
	if s.Says != "" {
		line += ": " + s.Says
	}
	if s.Error != "" {
		line += ": failed: " + s.Error
	}
	return line
}
