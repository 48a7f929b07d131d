package storedlog

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/replicator/event"
)

// A start inside a long file reads the file's index, or its marks in memory,
// and from there on, never the whole file.
func TestStartInsideLongFile(t *testing.T) {
	dir := t.TempDir()
	l := opened(t, Config{Dir: dir})
	rotate(t, l)
	const size, last = 64 << 10, 200
	write(t, l, 1, last, size)
	read := func(have string) int {
		t.Helper()
		d := &countingDisk{disk: folder(dir)}
		l.disk = d
		got := take(t, l, set(t, have))
		if !bytes.Equal(got.raw, joined(set(t, have).Count()+1, last, size)) {
			t.Errorf("behind %s: %d bytes", have, len(got.raw))
		}
		return d.read - len(got.raw)
	}
	if extra := read("1-150"); extra > 2<<20 {
		t.Errorf("%d bytes more than wanted are read of the file being written", extra)
	}
	const long = 4 << 20 // one transaction, and no mark behind it
	alone := opened(t, Config{Dir: t.TempDir()})
	rotate(t, alone)
	write(t, alone, 1, 1, long)
	d := &countingDisk{disk: folder(alone.config.Dir)}
	alone.disk = d
	if got := take(t, alone, set(t, "")); len(got.raw) < long || d.read > len(got.raw)+window {
		t.Errorf("%d bytes are read of %d", d.read, len(got.raw))
	}
	rotate(t, l)
	if extra := read("1-150"); extra > 2<<20 {
		t.Errorf("%d bytes more than wanted are read of a file with an index", extra)
	}
	index := filepath.Join(dir, "bellwether.000001.index")
	raw, err := os.ReadFile(index)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(index, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if extra := read("1-150"); extra < 8<<20 {
		t.Errorf("a damaged index is believed: %d bytes more than wanted are read", extra)
	}
}

// countingDisk counts what is read.
type countingDisk struct {
	disk
	read, opened int
}

func (d *countingDisk) open(name string, m mode) (file, error) {
	f, err := d.disk.open(name, m)
	d.opened++
	return countingFile{f, d}, err
}

type countingFile struct {
	file
	disk *countingDisk
}

func (f countingFile) ReadAt(b []byte, off int64) (int, error) {
	n, err := f.file.ReadAt(b, off)
	f.disk.read += n
	return n, err
}

// A log of 100 GB, of which the disk holds next to nothing: each file has a
// small transaction and one with a row that is a hole. It opens and serves, from
// its end and from its middle, in less than a second.
func TestHundredGigabytes(t *testing.T) {
	const files, size = 400, 100
	dir := t.TempDir()
	for n := range uint64(files) {
		sparse(t, dir, n, n < files-1)
	}
	began := time.Now()
	l := opened(t, Config{Dir: dir})
	d := &countingDisk{disk: folder(dir)}
	l.disk = d
	if got := take(t, l, set(t, "1-798")); !bytes.Equal(got.raw, joined(799, 799, size)) {
		t.Errorf("at the end: %d bytes", len(got.raw))
	}
	r, err := l.Read(set(t, "1-400"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for range 2 {
		p, err := r.Next(done())
		if err != nil || p.File != "bellwether.000201" || !p.Start && p.Last.Number != 401 {
			t.Errorf("in the middle: %+v, %v", p, err)
		}
	}
	took := time.Since(began)
	t.Logf("serving after %s, %d files and %d bytes read", took, d.opened, d.read)
	if took > time.Second || d.read > 4*window {
		t.Errorf("it took %s and %d bytes", took, d.read)
	}
}

// sparse makes the file that begins behind 2n transactions and holds one, and
// another of 256 MiB if it is long.
func sparse(t *testing.T, dir string, n uint64, long bool) {
	const fileSize, size = 256 << 20, 100
	s := &segment{number: n + 1, name: nameOf(n + 1), format: mysqlFormat, before: set(t, "")}
	if n > 0 {
		s.before = set(t, fmt.Sprintf("1-%d", 2*n))
	}
	content := append(s.header(1), joined(2*n+1, 2*n+1, size)...)
	name := filepath.Join(dir, s.name)
	if long {
		events := transaction(2*n+2, size)
		binary.LittleEndian.PutUint32(events[3][9:], uint32(fileSize-len(content)-len(bytes.Join(asBytes(events[:3]), nil))))
		content = append(content, bytes.Join(asBytes(events[:4]), nil)...)
		if err := saveIndex(folder(dir), nil, s, fileSize, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if long {
		if err := os.Truncate(name, fileSize); err != nil {
			t.Fatal(err)
		}
	}
}

func asBytes(events []event.Event) (out [][]byte) {
	for _, e := range events {
		out = append(out, e)
	}
	return out
}
