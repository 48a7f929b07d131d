package storedlog

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
)

// done is a context that has ended: Next gives what is there.
func done() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// taken reads all that is there for one that has have: the events, the files
// begun, the last transaction.
type taken struct {
	raw    []byte
	starts []string
	last   cluster.GTID
}

func take(t testing.TB, l *Log, have *cluster.GTIDSet) taken {
	t.Helper()
	r, err := l.Read(have)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	return drain(t, r)
}

func drain(t testing.TB, r *Reader) (out taken) {
	t.Helper()
	for {
		p, err := r.Next(done())
		if errors.Is(err, context.Canceled) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.Start {
			out.starts = append(out.starts, p.File)
			continue
		}
		out.raw = append(out.raw, p.Events...)
		if !p.Last.IsZero() {
			out.last = p.Last
		}
	}
}

// joined are the bytes of the transactions from first to last.
func joined(first, last uint64, size int) (out []byte) {
	for n := first; n <= last; n++ {
		for _, e := range transaction(n, size) {
			out = append(out, e...)
		}
	}
	return out
}

func TestAppendSyncRead(t *testing.T) {
	c := Config{Dir: filepath.Join(t.TempDir(), "a", "b"), ServerID: 9}
	l := opened(t, c)
	if !l.Executed().IsEmpty() || !l.Oldest().IsEmpty() {
		t.Error("a new log holds something")
	}
	rotate(t, l)
	write(t, l, 1, 10, 100)
	if err := appendAll(l, transaction(11, 100)); err != nil {
		t.Fatal(err)
	}
	if got := l.Executed(); !got.Equal(set(t, "1-10")) {
		t.Errorf("executed is %s before the sync", got)
	}
	if got := take(t, l, set(t, "")); !bytes.Equal(got.raw, joined(1, 10, 100)) {
		t.Errorf("read %d bytes", len(got.raw))
	}
	if err := l.Sync(); err != nil {
		t.Fatal(err)
	}
	for have, from := range map[string]uint64{"": 1, "1": 2, "1-5": 6, "1-10": 11, "1-11": 12} {
		got := take(t, l, set(t, have))
		if !bytes.Equal(got.raw, joined(from, 11, 100)) || len(got.starts) != 1 || from < 12 && got.last.Number != 11 {
			t.Errorf("behind %s: %d bytes, starts %v, last %s", have, len(got.raw), got.starts, got.last)
		}
	}
	if got := take(t, l, set(t, "1-2:4:7-9")); !bytes.Equal(got.raw, append(append(joined(3, 3, 100), joined(5, 6, 100)...), joined(10, 11, 100)...)) {
		t.Errorf("with holes: %d bytes", len(got.raw))
	}
}

// What a file holds is a binary log: the format, what came before, what was
// appended, and nothing else.
func TestStoredFileIsABinaryLog(t *testing.T) {
	dir := t.TempDir()
	l := opened(t, Config{Dir: dir, ServerID: 9})
	if err := l.Seed(set(t, "1-4")); err != nil {
		t.Fatal(err)
	}
	inUse := bytes.Clone(mysqlFormat)
	inUse[17] |= byte(event.FlagInUse)
	if err := l.Rotate(inUse); err != nil {
		t.Fatal(err)
	}
	write(t, l, 5, 6, 50)
	if err := l.Seed(set(t, "1-9")); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("seed over transactions: %v", err)
	}
	if err := l.Close(); err != nil { // until then there is room behind the end
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "bellwether.000001"))
	if err != nil {
		t.Fatal(err)
	}
	previous := event.AppendPreviousGTIDs(nil, set(t, "1-4"), event.Stamp{ServerID: 9, Checksum: true})
	previous = event.AppendPreviousGTIDs(nil, set(t, "1-4"), event.Stamp{ServerID: 9, Checksum: true, LogPos: uint32(4 + len(mysqlFormat) + len(previous))})
	want := append(append(append([]byte("\xfebin"), mysqlFormat...), previous...), joined(5, 6, 50)...)
	if !bytes.Equal(raw, want) {
		t.Errorf("the file is\n%x, want\n%x", raw, want)
	}
}

func TestFilesBeginAndEnd(t *testing.T) {
	dir := t.TempDir()
	l := opened(t, Config{Dir: dir, FileSize: 2000})
	rotate(t, l)
	rotate(t, l) // nothing in the first: it goes
	write(t, l, 1, 12, 300)
	if _, err := os.Stat(filepath.Join(dir, "bellwether.000001")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty file is left: %v", err)
	}
	files := l.Files()
	if len(files) != 3 || files[0].Name != "bellwether.000002" || files[1].Before.String() != set(t, "1-4").String() {
		t.Fatalf("%v", files)
	}
	for have, first := range map[string]string{"": "bellwether.000002", "1-3": "bellwether.000002", "1-4": "bellwether.000003", "1-12": "bellwether.000004"} {
		got := take(t, l, set(t, have))
		from := set(t, have).Count() + 1
		if got.starts[0] != first || !bytes.Equal(got.raw, joined(from, 12, 300)) {
			t.Errorf("behind %s: starts %v, %d bytes", have, got.starts, len(got.raw))
		}
	}
}

func TestReopen(t *testing.T) {
	c := Config{Dir: t.TempDir(), FileSize: 1500}
	for round := range uint64(4) {
		l := opened(t, c)
		if round > 0 {
			if err := appendAll(l, transaction(99, 1)); !errors.Is(err, ErrNeedRotate) {
				t.Errorf("append before rotate: %v", err)
			}
		}
		rotate(t, l)
		write(t, l, round*5+1, round*5+5, 200)
		if got := take(t, l, set(t, "")); !bytes.Equal(got.raw, joined(1, round*5+5, 200)) {
			t.Errorf("round %d: %d bytes", round, len(got.raw))
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAbort(t *testing.T) {
	dir := t.TempDir()
	l := opened(t, Config{Dir: dir})
	rotate(t, l)
	write(t, l, 1, 2, bufferSize)
	r, err := l.Read(set(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	before := drain(t, r)
	if err := appendAll(l, append(transaction(3, 10), transaction(4, 3*bufferSize)[:4]...)); err != nil {
		t.Fatal(err)
	}
	if err := l.Rotate(mysqlFormat); !errors.Is(err, ErrInside) {
		t.Errorf("rotate inside a transaction: %v", err)
	}
	if err := l.Abort(); err != nil {
		t.Fatal(err)
	}
	if got := l.Executed(); !got.Equal(set(t, "1-3")) {
		t.Errorf("executed is %s", got)
	}
	if err := appendAll(l, transaction(4, 10)); !errors.Is(err, ErrNeedRotate) {
		t.Errorf("append behind what was cut: %v", err)
	}
	rotate(t, l)
	write(t, l, 4, 5, 20)
	want := append(append(joined(1, 2, bufferSize), joined(3, 3, 10)...), joined(4, 5, 20)...)
	if got := append(before.raw, drain(t, r).raw...); !bytes.Equal(got, want) {
		t.Errorf("a reader saw %d bytes, want %d", len(got), len(want))
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := take(t, opened(t, Config{Dir: dir}), set(t, "")); !bytes.Equal(got.raw, want) {
		t.Errorf("there are %d bytes after a restart, want %d", len(got.raw), len(want))
	}
}

func TestAppendRefuses(t *testing.T) {
	l := opened(t, Config{Dir: t.TempDir()})
	for what, format := range map[string]event.Event{"a MariaDB": formatOf("10.11.19-MariaDB", 0), "an event": transaction(1, 1)[0]} {
		if err := l.Rotate(format); err == nil {
			t.Errorf("%s as a format is taken", what)
		}
	}
	plain := bytes.Clone(mysqlFormat)
	plain[len(plain)-5] = 0
	if err := l.Rotate(plain); !errors.Is(err, ErrNoChecksum) {
		t.Errorf("without checksums: %v", err)
	}
	rotate(t, l)
	write(t, l, 1, 3, 10)
	if err := appendAll(l, transaction(2, 10)); !errors.Is(err, ErrOrder) {
		t.Errorf("a second time: %v", err)
	}
	if err := l.Append(transaction(4, 1)[4], event.Mark{Part: event.End}); !errors.Is(err, ErrInside) {
		t.Errorf("an end without a beginning: %v", err)
	}
	damaged := transaction(4, 1)
	damaged[0][25] ^= 1
	if err := appendAll(l, damaged); !errors.Is(err, ErrChecksum) {
		t.Errorf("damaged: %v", err)
	}
	write(t, l, 4, 4, 10)
	if got := take(t, l, set(t, "")); !bytes.Equal(got.raw, joined(1, 4, 10)) {
		t.Errorf("%d bytes after refusals", len(got.raw))
	}
}

func TestLock(t *testing.T) {
	c := Config{Dir: t.TempDir(), Flavour: flavour}
	opened(t, c)
	if _, err := Open(c, nil); !errors.Is(err, ErrLocked) {
		t.Errorf("opened twice: %v", err)
	}
}
