package operation

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// never is told of no loss.
func never(t *testing.T) func(error) {
	return func(err error) { t.Errorf("lost: %v", err) }
}

// What was ordered outlives the process, and what was under way is interrupted,
// whether the process was killed or told to end.
func TestKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "operations.json")
	first := NewRunner()
	first.Keep(path, never(t))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- first.Run(ctx) }()
	done, err := first.Start(ctx, Request{Kind: "reload"}, "me", instant(Outcome{Says: "well", Result: []int{5}}, nil))
	if err != nil {
		t.Fatal(err)
	}
	waitEnded(t, first, done.ID)
	long := Job{Says: "copying", Cancellable: true, Do: func(ctx context.Context, tell *Teller) (Outcome, error) {
		tell.Begin("copy", "b")("half", nil)
		<-ctx.Done()
		return Outcome{}, ctx.Err()
	}}
	if _, err := first.Start(ctx, Request{Kind: "sync", Node: "b"}, "me", long); err != nil {
		t.Fatal(err)
	}

	killed := NewRunner() // what another process finds where the first was killed
	killed.Keep(path, never(t))
	all, _ := killed.Records()
	if len(all) != 2 || all[0].State != StateDone || string(all[0].Result) != "[5]" || all[1].State != StateInterrupted || all[1].Ended == nil || all[1].Cancellable ||
		!strings.Contains(all[1].Says, "It was at: copying") {
		t.Errorf("%+v", all)
	}
	if id := killed.name(all[1].Asked.Add(-time.Hour), "x"); id <= all[1].ID {
		t.Errorf("%s comes before %s", id, all[1].ID)
	}

	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	stopped := NewRunner()
	stopped.Keep(path, never(t))
	if all, _ = stopped.Records(); len(all) != 2 || all[1].State != StateInterrupted || len(all[1].Steps) != 1 || !strings.Contains(all[1].Says, "Bellwether was stopped") {
		t.Errorf("%+v", all)
	}
}

// A diary that cannot be read or written is said, and stops no order.
func TestNotKept(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "operations.json")
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, lost := NewRunner(), 0
	r.Keep(path, func(error) { lost++ })
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	record, err := r.Start(ctx, Request{Kind: "reload"}, "me", instant(Outcome{}, nil))
	if err != nil {
		t.Fatal(err)
	}
	waitEnded(t, r, record.ID)
	stop()
	if err := errors.Join(<-ended); err != nil || lost != 3 {
		t.Errorf("%v, lost %d times, not 3: read, begun, ended", err, lost)
	}
}

// waitEnded waits until an order has ended.
func waitEnded(t *testing.T, r *Runner, id string) {
	t.Helper()
	for deadline := time.After(time.Minute); ; {
		_, changed := r.Records()
		if record, err := r.Record(id); err != nil || record.Ended != nil {
			if err != nil {
				t.Fatal(err)
			}
			return
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("%s does not end", id)
		}
	}
}
