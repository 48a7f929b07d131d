package storedlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// goesOn wants exactly the transactions up to n in a log, and writes two others.
func goesOn(t *testing.T, l *Log, n uint64, size int) {
	t.Helper()
	if got := take(t, l, set(t, "")); !bytes.Equal(got.raw, joined(1, n, size)) {
		t.Fatalf("%d bytes are left, want %d transactions", len(got.raw), n)
	}
	rotate(t, l)
	write(t, l, n+1, n+2, size)
	if got := take(t, l, set(t, "")); !bytes.Equal(got.raw, joined(1, n+2, size)) {
		t.Fatalf("%d bytes of %d transactions after going on", len(got.raw), n+2)
	}
}

// Whatever the place: before it all is left, behind it nothing, also after the
// log is opened again; and it goes on there.
func TestCutBack(t *testing.T) {
	for n := uint64(1); n <= 24; n++ {
		l := shelf(t, Config{})
		has := set(t, fmt.Sprintf("1-%d", n))
		if n%3 == 0 && n < 23 {
			has = has.Union(set(t, fmt.Sprintf("%d-24", n+2))) // applied out of order
		}
		left, err := l.CutBack(has)
		if err != nil || left.Count() != n || !l.Executed().Equal(left) {
			t.Fatalf("cut back to %s: %s is left, %v", has, left, err)
		}
		if got, err := Verify(t.Context(), l.config.Dir, nil); err != nil || len(got.Problems) > 0 || got.Last.Count() != n {
			t.Fatalf("cut back to %s: %+v, %v", has, got, err)
		}
		if n%2 == 0 {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			l = opened(t, l.config)
		}
		goesOn(t, l, n, 300)
	}
}

// Readers end, those that wait as well; new ones read what is left, or are ahead.
func TestCutBackUnderReaders(t *testing.T) {
	l := shelf(t, Config{})
	var readers []*Reader
	for _, have := range []string{"1-24", "1-20", "1-3"} {
		r, err := l.Read(set(t, have))
		if err != nil {
			t.Fatal(err)
		}
		readers = append(readers, r)
		defer r.Close() //nolint:errcheck // end of a test
	}
	waits := make(chan error, 1)
	go func() {
		_, err := readers[0].Next(t.Context()) // the beginning of its file
		if err == nil {
			_, err = readers[0].Next(t.Context())
		}
		waits <- err
	}()
	if _, err := l.CutBack(set(t, "1-10")); err != nil {
		t.Fatal(err)
	}
	if err := <-waits; !errors.Is(err, ErrCutBack) {
		t.Errorf("who waited: %v", err)
	}
	for _, r := range readers[1:] {
		if p, err := r.Next(t.Context()); !errors.Is(err, ErrCutBack) {
			t.Errorf("%d bytes, %v", len(p.Events), err)
		}
	}
	if _, err := l.Read(set(t, "1-12")); !errors.As(err, new(*AheadError)) {
		t.Errorf("who has more: %v", err)
	}
}

// What cannot be cut is left as it is.
func TestCutBackRefused(t *testing.T) {
	l := shelf(t, Config{MaxBytes: 1})
	if _, err := l.Trim(nil, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := l.CutBack(set(t, "1-3")); !errors.As(err, new(*PurgedError)) {
		t.Errorf("what came before the log is lacking: %v", err)
	}
	if left, err := l.CutBack(set(t, "1-30")); err != nil || left.Count() != 24 {
		t.Errorf("all of it is there: %s, %v", left, err)
	}
	m := mariaLog(t, 10)
	for have, want := range map[string]string{"0-1-15,5-3-15": "", "0-2-15,5-2-8": "0-2-15,5-2-7", "0-3-30,5-1-3": "0-1-8,5-1-3", "0-2-19,5-9-99": "0-2-19,5-2-10"} {
		has, err := cluster.ParseGTIDSet(cluster.FlavourMariaDB, have)
		if err != nil {
			t.Fatal(err)
		}
		left, err := m.CutBack(has)
		if want == "" {
			if !errors.As(err, new(*AheadError)) {
				t.Errorf("a position of another history: %s, %v", left, err)
			}
			continue
		}
		if err != nil || left.String() != want {
			t.Errorf("cut back to %s: %s, %v; want %s", have, left, err, want)
		}
		m = mariaLog(t, 10)
	}
}

// Every operation of the disk fails once, and the power at each: the log is whole,
// has at least what stays, and can be cut again.
func TestCutBackOnBadDisks(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	for n := 1; ; n++ {
		d := newMemDisk()
		l, err := on(d, Config{FileSize: 300})
		if err != nil {
			t.Fatal(err)
		}
		rotate(t, l)
		write(t, l, 1, 12, 30)
		left, failed := n, false
		d.fault = func(string) error {
			if left--; left == 0 {
				failed = true
				return syscall.EIO
			}
			return nil
		}
		_, err = l.CutBack(set(t, "1-5"))
		d.fault = nil
		if (err != nil) != failed {
			t.Fatalf("operation %d fails: %v", n, err)
		}
		after, err := on(d.crash(random), Config{FileSize: 300})
		if err != nil {
			t.Fatalf("operation %d fails, and then the power: %v", n, err)
		}
		if got := after.Executed(); !got.ContainsSet(set(t, "1-5")) || !set(t, "1-12").ContainsSet(got) {
			t.Fatalf("operation %d: %s is left", n, got)
		}
		for _, again := range []*Log{l, after} {
			if err := again.Recover(); err != nil {
				t.Fatal(err)
			}
			if _, err := again.CutBack(set(t, "1-5")); err != nil {
				t.Fatalf("operation %d, again: %v", n, err)
			}
			goesOn(t, again, 5, 30)
		}
		if !failed {
			return
		}
	}
}

// A cut while readers come and go: none reads across it.
func TestCutBackRace(t *testing.T) {
	l := shelf(t, Config{})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			r, err := l.Read(set(t, "1-2"))
			for err == nil {
				var p Piece
				if p, err = r.Next(ctx); p.Last.Number == 24 {
					break
				}
			}
			if r != nil {
				_ = r.Close() // end of a reader
			}
		}
	}()
	if _, err := l.CutBack(set(t, "1-9")); err != nil {
		t.Error(err)
	}
	stop()
	<-done
	goesOn(t, l, 9, 300)
}
