package storedlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// Readers that begin at any time follow a writer, over the ends of files and
// through aborted transactions, and see every transaction once, whole and in
// order.
func TestReadersFollow(t *testing.T) {
	const last, size = 300, 600
	l := opened(t, Config{Dir: t.TempDir(), FileSize: 20_000})
	rotate(t, l)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	for i := range uint64(8) {
		group.Go(func() error { return follow(ctx, t, l, i*11, last, size) })
	}
	group.Go(func() error {
		for n := uint64(1); n <= last; n++ {
			if err := appendAll(l, transaction(n, size)); err != nil {
				return err
			}
			if n%7 == 0 || n == last {
				if err := l.Sync(); err != nil {
					return err
				}
			}
			if n%50 == 0 {
				if err := errors.Join(appendAll(l, transaction(n+1, size)[:3]), l.Abort(), l.Rotate(mysqlFormat)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// follow waits until the log has begin transactions, then reads from there to
// the last one.
func follow(ctx context.Context, t *testing.T, l *Log, begin, last uint64, size int) error {
	have := set(t, "")
	for begin > 0 {
		changed := l.Changed() // before looking: the writer may be done by then
		if l.Executed().Count() >= begin {
			break
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if begin > 0 {
		have = l.Executed()
	}
	r, err := l.Read(have)
	if err != nil {
		return err
	}
	defer r.Close()
	sum := fnv.New64()
	for {
		p, err := r.Next(ctx)
		if err != nil {
			return err
		}
		sum.Write(p.Events)
		if p.Last.Number == last {
			break
		}
	}
	want := fnv.New64()
	want.Write(joined(have.Count()+1, last, size))
	if sum.Sum64() != want.Sum64() {
		return errors.New("a reader saw other bytes than were written")
	}
	return nil
}

func TestNextWaits(t *testing.T) {
	l := opened(t, Config{Dir: t.TempDir()})
	r, err := l.Read(set(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cause := errors.New("time for a heartbeat")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := r.Next(ctx); !errors.Is(err, cause) {
		t.Errorf("an empty log: %v", err)
	}
	rotate(t, l)
	if p, err := r.Next(ctx); err != nil || !p.Start || p.Offset != l.Files()[0].Size {
		t.Errorf("a log with one file: %+v, %v", p, err)
	}
	if _, err := r.Next(ctx); !errors.Is(err, cause) {
		t.Errorf("a file with nothing in it: %v", err)
	}
	write(t, l, 1, 1, 10)
	if p, err := r.Next(ctx); err != nil || !bytes.Equal(p.Events, joined(1, 1, 10)) {
		t.Errorf("after a heartbeat: %+v, %v", p, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed log: %v", err)
	}
	if _, err := l.Read(set(t, "")); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed log: %v", err)
	}
}

// An event longer than the windows is held once however many read it, and let
// go of.
func TestLongEvent(t *testing.T) {
	const long, readers = 8 << 20, 16
	l := opened(t, Config{Dir: t.TempDir()})
	rotate(t, l)
	write(t, l, 1, 1, long)
	write(t, l, 2, 2, 100)
	if cap(l.writer.buf) > bufferSize {
		t.Errorf("the writer keeps %d bytes", cap(l.writer.buf))
	}
	want := sizeOf(transaction(1, long)) + sizeOf(transaction(2, 100))
	var group errgroup.Group
	var together sync.WaitGroup
	together.Add(readers)
	var shown [readers]*byte
	for i := range readers {
		group.Go(func() (err error) {
			shown[i], err = readLongEvent(t, l, &together, want)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	for _, at := range shown {
		if at != shown[0] {
			t.Error("a reader had a copy of its own")
		}
	}
	if len(l.long.held) > 0 {
		t.Errorf("%d events are still held", len(l.long.held))
	}
}

// readLongEvent reads all there is, waits for the others at the long event,
// and returns where its bytes were.
func readLongEvent(t *testing.T, l *Log, together *sync.WaitGroup, want int64) (shown *byte, err error) {
	r, err := l.Read(set(t, ""))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	got := int64(0)
	for {
		p, err := r.Next(done())
		if err != nil {
			break
		}
		if got += int64(len(p.Events)); len(p.Events) > window {
			shown = &p.Events[0]
			together.Done()
			together.Wait()
		}
	}
	if got != want || cap(r.walk.whole) > keptWhileWaiting {
		return nil, fmt.Errorf("%d bytes, want %d, and %d are kept", got, want, cap(r.walk.whole))
	}
	return shown, nil
}
