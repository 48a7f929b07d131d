package storedlog

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"syscall"
	"testing"
)

// testRoom is little, so that files are often written up to its end.
const testRoom = 300

// on opens a log on a disk of a test.
func on(d disk, c Config) (*Log, error) {
	c.Flavour, c.Dir = flavour, "memory"
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	l, err := open(c, d, slog.New(slog.DiscardHandler))
	if err == nil {
		l.step = testRoom
	}
	return l, err
}

// check opens a log on what a disk holds after a crash: only whole
// transactions remain, at least those up to the number that was synced.
func check(t *testing.T, d *memDisk, synced uint64, size int) {
	t.Helper()
	l, err := on(d, Config{})
	if err != nil {
		t.Fatalf("open after a crash behind %d: %v", synced, err)
	}
	n := l.Executed().Count()
	if n < synced {
		t.Fatalf("%d transactions are left of the %d that were synced", n, synced)
	}
	if got := take(t, l, set(t, "")); !bytes.Equal(got.raw, joined(1, n, size)) {
		t.Fatalf("%d bytes of %d transactions", len(got.raw), n)
	}
	rotate(t, l)
	write(t, l, n+1, n+2, size)
	if got := take(t, l, set(t, "")); !bytes.Equal(got.raw, joined(1, n+2, size)) {
		t.Fatalf("%d bytes of %d transactions after going on", len(got.raw), n+2)
	}
}

// half is a small log on a disk, of which synced transactions were synced and
// as many again were written and not.
func half(t *testing.T, c Config, synced uint64) *memDisk {
	t.Helper()
	d := newMemDisk()
	l, err := on(d, c)
	if err != nil {
		t.Fatal(err)
	}
	rotate(t, l)
	write(t, l, 1, synced, 10)
	for n := synced + 1; n <= 2*synced; n++ {
		if err := appendAll(l, transaction(n, 10)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.writer.flush(); err != nil {
		t.Fatal(err)
	}
	return d
}

// with is a disk that holds one file of the log's with that content, and the
// other files as d has them.
func with(d *memDisk, name string, content []byte) *memDisk {
	out := newMemDisk()
	for n, f := range d.files {
		out.files[n] = &memFile{disk: out, now: bytes.Clone(f.now), durable: bytes.Clone(f.now), dirty: map[int]bool{}}
	}
	out.files[name].now, out.files[name].durable = content, bytes.Clone(content)
	return out
}

// The file is cut at every byte. What was synced is there, or the log says
// that it is not; of the rest there are whole transactions only.
func TestTornAtEveryByte(t *testing.T) {
	for _, key := range [][]byte{nil, bytes.Repeat([]byte("k"), 32)} {
		d := half(t, Config{Key: key}, 3)
		const name = "bellwether.000001"
		raw := d.files[name].now
		shift := int64(0)
		if key != nil {
			shift = sealedHeader
		}
		_, durable, err := remembered(d)
		if err != nil {
			t.Fatal(err)
		}
		for cut := range len(raw) + 1 {
			torn := with(d, name, bytes.Clone(raw[:cut]))
			l, err := on(torn, Config{Key: key})
			if int64(cut) < durable+shift {
				if err == nil {
					t.Fatalf("cut at %d, before %d: opened with %s", cut, durable, l.Executed())
				}
				continue
			}
			if err != nil {
				t.Fatalf("cut at %d: %v", cut, err)
			}
			n := l.Executed().Count()
			if got := take(t, l, set(t, "")); n < 3 || !bytes.Equal(got.raw, joined(1, n, 10)) {
				t.Fatalf("cut at %d: %d transactions, %d bytes", cut, n, len(got.raw))
			}
			if left := int64(cut) - int64(len(torn.files[name].now)); left < 0 || left >= sizeOf(transaction(1, 10))+testRoom {
				t.Fatalf("cut at %d: %d bytes were cut off", cut, left)
			}
		}
	}
}

// Without the file that remembers what was durable the log cannot tell damage
// from a torn tail, and keeps what is whole.
func TestTornWithoutMemory(t *testing.T) {
	d := half(t, Config{}, 3)
	const name = "bellwether.000001"
	raw := d.files[name].now
	for cut := range len(raw) + 1 {
		torn := with(d, name, bytes.Clone(raw[:cut]))
		delete(torn.files, markName)
		check(t, torn, 0, 10)
	}
}

// One bit of any byte is turned: a transaction with a turned bit is never
// shown, nor is one behind it, and damage to what was synced is told.
func TestTurnedBits(t *testing.T) {
	d := half(t, Config{}, 3)
	const name = "bellwether.000001"
	raw := d.files[name].now
	_, durable, err := remembered(d)
	if err != nil {
		t.Fatal(err)
	}
	for at := range raw {
		turned := bytes.Clone(raw)
		turned[at] ^= 1 << (at % 8)
		damaged := with(d, name, turned)
		l, err := on(damaged, Config{})
		if int64(at) < durable {
			if !bytes.Equal(damaged.files[name].now, turned) {
				t.Fatalf("bit of byte %d: what was damaged is changed, or gone", at)
			}
			corrupt := new(CorruptError)
			if err == nil || !errors.As(err, &corrupt) && !errors.Is(err, errHeader) {
				t.Fatalf("bit of byte %d, before %d: %v", at, durable, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("bit of byte %d: %v", at, err)
		}
		n := l.Executed().Count()
		whole := 3 + (int64(at)-durable)/sizeOf(transaction(1, 10))
		if got := take(t, l, set(t, "")); n != uint64(whole) || !bytes.Equal(got.raw, joined(1, n, 10)) {
			t.Fatalf("bit of byte %d: %d transactions, want %d", at, n, whole)
		}
	}
}

// The power fails at a random moment, and the disk keeps any part of what was
// not synced.
func TestPowerFailures(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		d, l, synced := newMemDisk(), (*Log)(nil), uint64(0)
		stop := r.IntN(150)
		errPower := errors.New("no power")
		d.fault = func(string) error {
			if stop--; stop < 0 {
				return errPower
			}
			return nil
		}
		l, err := on(d, Config{FileSize: 1000})
		for n := uint64(0); err == nil; {
			if r.IntN(6) == 0 || n == 0 {
				err = l.Rotate(mysqlFormat)
			}
			for range r.IntN(4) {
				if n++; err == nil {
					err = appendAll(l, transaction(n, 40))
				}
			}
			if err == nil {
				if err = l.Sync(); err == nil {
					synced = n
				}
			}
		}
		if !errors.Is(err, errPower) {
			t.Fatalf("seed %d: %v", seed, err)
		}
		d.fault = nil
		t.Run(fmt.Sprint(seed), func(t *testing.T) { check(t, d.crash(r), synced, 40) })
	}
}

// Every single operation of a run fails once. Nothing is acknowledged or shown
// that is not durable; after Recover the log goes on; and a crash at the end
// loses nothing that was acknowledged.
func TestEveryOperationFails(t *testing.T) {
	for at := range 400 {
		d := newMemDisk()
		l, err := on(d, Config{FileSize: 700})
		if err != nil {
			t.Fatal(err)
		}
		failed := ""
		left := at
		d.fault = func(op string) error {
			if left--; left == -1 {
				failed = op
				return fmt.Errorf("%s: %w", op, syscall.ENOSPC)
			}
			return nil
		}
		synced, err := fill(t, l, d, 12)
		if failed == "" && left >= 0 {
			return // the run is shorter than that
		}
		if err != nil {
			t.Fatalf("operation %d, %s: %v", at, failed, err)
		}
		d.fault = nil
		check(t, d.crash(rand.New(rand.NewPCG(uint64(at), 2))), synced, 40)
	}
	t.Error("the run has more operations than were tried")
}

// fill appends up to the nth transaction as an upstream does: after an error
// it recovers and goes on behind what is executed.
func fill(t *testing.T, l *Log, d *memDisk, n uint64) (synced uint64, err error) {
	for range 50 {
		if synced, err = attempt(l, synced, n); err == nil {
			return synced, nil
		}
		showsDurableOnly(t, l, d, synced, err)
		if l.Recover() == nil {
			synced = l.Executed().Count()
		}
	}
	return synced, err
}

// attempt begins a file and appends from synced to n, two at a time.
func attempt(l *Log, synced, n uint64) (uint64, error) {
	if err := l.Rotate(mysqlFormat); err != nil {
		return synced, err
	}
	for ; synced < n; synced += 2 {
		if err := appendAll(l, append(transaction(synced+1, 40), transaction(synced+2, 40)...)); err != nil {
			return synced, err
		}
		if err := l.Sync(); err != nil {
			return synced, err
		}
	}
	return synced, nil
}

// showsDurableOnly looks at a log after an error.
func showsDurableOnly(t *testing.T, l *Log, d *memDisk, synced uint64, why error) {
	t.Helper()
	fault := d.fault
	d.fault = nil
	defer func() { d.fault = fault }()
	executed := l.Executed().Count()
	if got := take(t, l, set(t, "")); executed < synced || !bytes.Equal(got.raw, joined(1, executed, 40)) {
		t.Fatalf("after %v: %d executed, %d synced, %d bytes shown", why, executed, synced, len(got.raw))
	}
	if again := l.Sync(); again == nil {
		t.Fatalf("a sync after %v succeeds", why)
	}
}

// An fsync fails, and the kernel calls what it could not write clean. Whoever
// opens the log next, without a restart of the machine, does not believe it.
func TestFailedSyncIsNotBelieved(t *testing.T) {
	d := half(t, Config{}, 3)
	d.fault = func(op string) error {
		if op == "sync" {
			return syscall.EIO
		}
		return nil
	}
	f := d.files["bellwether.000001"]
	if err := f.Sync(); !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	d.fault = nil
	l, err := on(d, Config{})
	if err != nil {
		t.Fatal(err)
	}
	n := l.Executed().Count()
	if n != 3 {
		t.Errorf("%d transactions are believed, of which 3 were synced", n)
	}
	check(t, d.crash(rand.New(rand.NewPCG(1, 1))), n, 10)
}
