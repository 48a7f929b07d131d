package operation

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// instant is a job that is done at once.
func instant(outcome Outcome, err error) Job {
	return Job{Says: "at it", Do: func(context.Context, *Teller) (Outcome, error) { return outcome, err }}
}

// begun starts a runner that ends with the test.
func begun(t *testing.T) *Runner {
	r := NewRunner()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return r
}

func TestEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := begun(t)
		for _, c := range []struct {
			job    Job
			state  State
			says   string
			result string
		}{
			{instant(Outcome{Says: "well", Result: 5}, nil), StateDone, "well", "5"},
			{instant(Outcome{}, nil), StateDone, "at it", ""},
			{instant(Outcome{}, errors.New("ill")), StateFailed, "ill", ""},
			{instant(Outcome{}, fmt.Errorf("%w: no", ErrRefused)), StateRefused, "refused: no", ""},
			{instant(Outcome{Result: make(chan int)}, nil), StateDone, "at it", `"json: unsupported type: chan int"`},
		} {
			first, err := r.Start(t.Context(), Request{Kind: "verify", Node: "b"}, "me", c.job)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			got, err := r.Record(first.ID)
			if err != nil || got.State != c.state || got.Says != c.says || string(got.Result) != c.result || got.Ended == nil || got.By != "me" {
				t.Errorf("%+v, %v", got, err)
			}
		}
	})
}

func TestKeepsAHundred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := begun(t)
		hold := make(chan struct{})
		long, err := r.Start(t.Context(), Request{Kind: "sync"}, "", Job{Alone: "sync", Do: func(context.Context, *Teller) (Outcome, error) {
			<-hold
			return Outcome{}, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		last := long.ID
		for range 2 * kept {
			next, err := r.Start(t.Context(), Request{Kind: "reload"}, "", instant(Outcome{}, nil))
			if err != nil || next.ID <= last {
				t.Fatalf("%s behind %s: %v", next.ID, last, err)
			}
			last = next.ID
			synctest.Wait()
		}
		all, _ := r.Records()
		if len(all) != kept || all[0].ID != long.ID || all[kept-1].ID != last {
			t.Errorf("%d, from %s to %s", len(all), all[0].ID, all[len(all)-1].ID)
		}
		if _, err := r.Start(t.Context(), Request{Kind: "sync"}, "", Job{Alone: "sync"}); !errors.Is(err, ErrRefused) {
			t.Error(err)
		}
		close(hold)
	})
}

// An order that nobody carries out does not stand in the way of the next.
func TestNotRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRunner()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := r.Start(ctx, Request{Kind: "sync"}, "", Job{Alone: "sync"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if all, _ := r.Records(); all[0].State != StateRefused {
			t.Errorf("%+v", all)
		}
	})
}

func TestTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := begun(t)
		_, changed := r.Records()
		first, err := r.Start(t.Context(), Request{Kind: "verify"}, "", Job{Cancellable: true, Do: func(ctx context.Context, tell *Teller) (Outcome, error) {
			tell.Says("half")
			tell.Progress(7)
			end := tell.Begin("look", "b")
			<-ctx.Done()
			end("", ctx.Err())
			return Outcome{}, ctx.Err()
		}})
		if err != nil {
			t.Fatal(err)
		}
		<-changed
		synctest.Wait()
		half, err := r.Record(first.ID)
		if err != nil || half.Says != "half" || *half.Progress != 1 || len(half.Steps) != 1 || half.Steps[0].TookMS != nil || !half.Cancellable {
			t.Errorf("%+v, %v", half, err)
		}
		if _, err := r.Cancel(first.ID); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		got, _ := r.Record(first.ID)
		if got.State != StateCancelled || got.Steps[0].Error == "" || got.Steps[0].TookMS == nil {
			t.Errorf("%+v", got)
		}
		if half.Steps[0].TookMS != nil {
			t.Error("what was handed out has changed")
		}
	})
}
