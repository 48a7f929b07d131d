package storedlog

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// A file that somebody has removed from between others is not passed over: who needs it is
// told, as of one that was trimmed, and gets what comes before it; who does not reads on.
func TestFileIsGoneFromTheMiddle(t *testing.T) {
	l := shelf(t, Config{})
	m := mariaLog(t, 10)
	for _, c := range []struct {
		log         *Log
		needs, less string // what is needed of the gap, and not
		before      int    // bytes
	}{
		{l, "1-2", "1-8", len(joined(3, 4, 300))},
		{m, "0-1-8,5-1-3", "0-2-19,5-2-10", 0},
	} {
		f := c.log.config.Flavour
		if err := errors.Join(c.log.Close(), folder(c.log.config.Dir).remove(nameOf(2))); err != nil {
			t.Fatal(err)
		}
		again := opened(t, c.log.config)
		r, err := again.Read(setOf(t, f, c.needs))
		if err != nil {
			t.Fatal(err)
		}
		read := 0
		for err == nil {
			var p Piece
			p, err = r.Next(done())
			read += len(p.Events)
		}
		if !errors.As(err, new(*PurgedError)) || c.before > 0 && read != c.before {
			t.Errorf("%s: %d bytes, and then %v", f, read, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if got := take(t, again, setOf(t, f, c.less)); got.last.IsZero() {
			t.Errorf("%s: nothing for who has the gap", f)
		}
	}
}

func setOf(t *testing.T, f cluster.Flavour, text string) *cluster.GTIDSet {
	t.Helper()
	if f == flavour {
		return set(t, text)
	}
	s, err := cluster.ParseGTIDSet(f, text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The power fails at any operation of a Trim: what is left has no gap.
func TestTrimOnBadDisks(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 3))
		for n, failed := 1, true; failed; n++ {
			d := newMemDisk()
			l, err := on(d, Config{FileSize: 300, MaxBytes: 1})
			if err != nil {
				t.Fatal(err)
			}
			rotate(t, l)
			write(t, l, 1, 12, 30)
			left := n
			failed = false
			d.fault = func(string) error {
				if left--; left == 0 {
					failed = true
					return syscall.EIO
				}
				return nil
			}
			_, err = l.Trim(nil, time.Now())
			d.fault = nil
			if (err != nil) != failed {
				t.Fatalf("operation %d fails: %v", n, err)
			}
			after, err := on(d.crash(random), Config{FileSize: 300})
			if err != nil {
				t.Fatalf("operation %d fails, and then the power: %v", n, err)
			}
			if got := take(t, after, after.Oldest()); !bytes.Equal(got.raw, joined(after.Oldest().Count()+1, 12, 30)) {
				t.Fatalf("operation %d fails, and then the power: %d bytes from %s", n, len(got.raw), after.Oldest())
			}
		}
	}
}
