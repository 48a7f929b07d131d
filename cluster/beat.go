package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
)

const (
	// hangs is how long a write takes before it is told to hang.
	hangs = 100 * time.Millisecond
	// asksAfter is how long it hangs before the server is asked what it waits for.
	asksAfter = 300 * time.Millisecond
	// refusedPause is between two attempts where the account may not write.
	refusedPause = 5 * time.Second
)

// beater writes the heartbeat on one master, on a connection of its own. Its run
// belongs to one goroutine; the other methods may be called by any.
//
// A write that hangs is not given up while the node is the master: another one
// would hang as well, on one more connection.
type beater struct {
	heart  *heart
	place  place
	log    *slog.Logger
	ctx    context.Context // of its life
	cancel context.CancelFunc
	pen    *pen

	mu      sync.Mutex
	stopped bool
	value   Heartbeat
	full    bool               // the disk of the server
	thread  uint64             // of the write under way, 0 while there is none
	abandon context.CancelFunc // ends it
	absent  int                // how often in a row the server said that there is no such write
}

func newBeater(ctx context.Context, h *heart, p place) (*beater, error) {
	db, err := OpenNode(p.addr, *p.config)
	if err != nil {
		return nil, err
	}
	b := &beater{heart: h, place: p, log: h.monitor.log.With("node", p.name), pen: &pen{db: db, place: p}}
	b.ctx, b.cancel = context.WithCancel(ctx)
	return b, nil
}

// run writes until it is stopped; all is what outlives it.
func (b *beater) run(all context.Context) {
	defer b.cancel()
	defer b.pen.close()
	for b.ctx.Err() == nil {
		begun := time.Now()
		pause := b.beat()
		next := time.NewTimer(max(pause-time.Since(begun), 0))
		select {
		case <-b.ctx.Done():
		case <-next.C:
		}
		next.Stop()
	}
	if all.Err() == nil && b.pen.broken {
		b.pen.kill(all)
	}
}

// stop ends the writing and forgets what was seen of it.
func (b *beater) stop() {
	b.cancel()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stopped = true
	b.heart.monitor.store.Report(func(d *ReportDraft) { d.SetHeartbeat(b.place.name, b.place.addr, Heartbeat{}) })
}

// change changes what is published of the heartbeat, if that is another value.
func (b *beater) change(change func(*Heartbeat)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := b.value
	if change(&next); next == b.value || b.stopped {
		return
	}
	b.value = next
	b.heart.monitor.store.Report(func(d *ReportDraft) { d.SetHeartbeat(b.place.name, b.place.addr, next) })
}

// beat writes once, if that is due, and returns when the next one is after it
// began.
func (b *beater) beat() (pause time.Duration) {
	pause = b.place.config.HeartbeatInterval
	if !b.heart.enter(b.place) {
		b.change(func(h *Heartbeat) { h.Problem = "" })
		return pause
	}
	defer b.heart.leave()
	begun := time.Now()
	err := b.watched(begun)
	if b.ctx.Err() != nil {
		return pause
	}
	b.heart.monitor.metrics.beat(b.place.name, err == nil, time.Since(begun))
	b.tell(err)
	if errors.Is(err, errTooLate) {
		return hintPause
	}
	if outcomeOf(err) == OutcomeDenied {
		return refusedPause
	}
	return pause
}

// watched writes, and tells when that hangs.
func (b *beater) watched(begun time.Time) error {
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	var writing sync.WaitGroup
	defer writing.Wait()
	done := make(chan error, 1)
	writing.Go(func() {
		done <- b.pen.write(ctx, b.heart.monitor.store.Load().Generation, func(thread uint64) { b.began(thread, cancel) })
	})
	defer b.began(0, nil)
	patience := time.NewTimer(hangs)
	defer patience.Stop()
	select {
	case err := <-done:
		return err
	case <-patience.C:
		b.change(func(h *Heartbeat) { h.Pending = begun })
		b.probe(errHangs)
		return <-done
	}
}

// began notes on which thread of the server's a write is under way.
func (b *beater) began(thread uint64, abandon context.CancelFunc) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.thread, b.abandon, b.absent = thread, abandon, 0
}

// tell publishes and logs how a write ended.
func (b *beater) tell(err error) {
	before, problem := "", ""
	if err != nil && !errors.Is(err, errTooLate) {
		problem = oneLine(err.Error())
	}
	var refused *mysql.MySQLError
	full := errors.As(err, &refused) && saysDiskFull(fmt.Sprint(refused.Number), refused.Message)
	b.mu.Lock()
	b.full = full
	b.mu.Unlock()
	b.change(func(h *Heartbeat) {
		before, h.Pending, h.Wait, h.Problem = h.Problem, time.Time{}, "", problem
		if err == nil {
			h.Written = time.Now()
		}
	})
	if err != nil && refused == nil {
		b.probe(err)
	}
	switch {
	case problem != "" && before == "":
		b.log.Warn("heartbeat cannot be written", "error", err)
	case problem == "" && before != "":
		b.log.Info("heartbeat is written again")
	}
}

var errHangs = errors.New("a heartbeat hangs")

// probe has the node looked at sooner.
func (b *beater) probe(why error) {
	if w := b.heart.monitor.watcher(b.place.name); w != nil {
		w.sooner(why)
	}
}

// hanging returns the thread of a write that hangs for so long that the server
// should be asked about it, 0 without one.
func (b *beater) hanging(now time.Time) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.value.Pending.IsZero() || now.Sub(b.value.Pending) < asksAfter {
		return 0
	}
	return b.thread
}

// waits takes what the server says of a hanging write. One that is not there is
// lost, with its connection; said once, it may just not have begun.
func (b *beater) waits(thread uint64, state string, busy bool) {
	b.mu.Lock()
	same := b.thread == thread && thread != 0
	if same && !busy {
		if b.absent++; b.absent > 1 {
			b.abandon()
		}
	}
	if same {
		b.full = waitsForDisk(state)
	}
	b.mu.Unlock()
	if same && busy {
		b.change(func(h *Heartbeat) {
			if !h.Pending.IsZero() {
				h.Wait = state
			}
		})
	}
}

// diskFull says whether the server has no room for the row.
func (b *beater) diskFull() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.full
}
