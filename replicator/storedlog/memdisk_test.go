package storedlog

import (
	"bytes"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"sync"
	"time"
)

// blockSize is what the disk of a test writes at once.
const blockSize = 64

// memDisk is a disk in memory that can fail and crash as real ones do. Names
// and bytes are durable only after the sync of the folder and of the file; a
// sync that fails forgets what was dirty and calls it clean (fsyncgate).
type memDisk struct {
	mu      sync.Mutex
	files   map[string]*memFile
	durable map[string]*memFile
	// fault is asked before every operation that changes something, or reads
	// from the disk; nil never fails.
	fault func(op string) error
}

// memFile is a file of a memDisk, whose mutex guards it.
type memFile struct {
	disk    *memDisk
	now     []byte
	durable []byte
	dirty   map[int]bool // blocks of now
}

func newMemDisk() *memDisk {
	return &memDisk{files: map[string]*memFile{}, durable: map[string]*memFile{}}
}

// begin locks the disk and asks for a fault.
func (d *memDisk) begin(op string) (unlock func(), err error) {
	d.mu.Lock()
	if d.fault != nil {
		err = d.fault(op)
	}
	return d.mu.Unlock, err
}

func (d *memDisk) list() ([]string, error) {
	unlock, err := d.begin("list")
	defer unlock()
	var names []string
	for name := range d.files {
		names = append(names, name)
	}
	return names, err
}

func (d *memDisk) create(name string) (file, error) {
	unlock, err := d.begin("create")
	defer unlock()
	if err == nil && d.files[name] != nil {
		err = fs.ErrExist
	}
	if err != nil {
		return nil, err
	}
	d.files[name] = &memFile{disk: d, dirty: map[int]bool{}}
	return d.files[name], nil
}

func (d *memDisk) open(name string, _ mode) (file, error) {
	unlock, err := d.begin("open")
	defer unlock()
	if err == nil && d.files[name] == nil {
		err = fs.ErrNotExist
	}
	return d.files[name], err
}

func (d *memDisk) remove(name string) error {
	unlock, err := d.begin("remove")
	defer unlock()
	if err == nil {
		delete(d.files, name)
	}
	return err
}

func (d *memDisk) modified(string) (time.Time, error) { return time.Unix(0, 0), nil }

func (d *memDisk) sync() error {
	unlock, err := d.begin("sync folder")
	defer unlock()
	if err == nil {
		d.durable = maps.Clone(d.files)
	}
	return err
}

// crash is what a machine finds after it lost its power: what is durable, and
// any part of the rest.
func (d *memDisk) crash(r *rand.Rand) *memDisk {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := newMemDisk()
	for name, f := range d.durable {
		if d.files[name] == f || r.IntN(2) == 0 {
			out.files[name] = f.crash(out, r)
		}
	}
	for name, f := range d.files {
		if d.durable[name] != f && r.IntN(2) == 0 {
			out.files[name] = f.crash(out, r)
		}
	}
	out.durable = maps.Clone(out.files)
	return out
}

func (f *memFile) crash(d *memDisk, r *rand.Rand) *memFile {
	size := len(f.durable)
	if len(f.now) > size {
		size += r.IntN(len(f.now) - size + 1)
	}
	content := make([]byte, size)
	copy(content, f.durable)
	for block := range f.dirty {
		if from := block * blockSize; from < size && r.IntN(2) == 0 {
			copy(content[from:min(size, from+blockSize)], f.now[min(from, len(f.now)):])
		}
	}
	return &memFile{disk: d, now: content, durable: bytes.Clone(content), dirty: map[int]bool{}}
}

func (f *memFile) ReadAt(b []byte, off int64) (int, error) {
	unlock, err := f.disk.begin("read")
	defer unlock()
	if err != nil {
		return 0, err
	}
	if off >= int64(len(f.now)) {
		return 0, io.EOF
	}
	n := copy(b, f.now[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt writes half of b where it fails.
func (f *memFile) WriteAt(b []byte, off int64) (int, error) {
	unlock, err := f.disk.begin("write")
	defer unlock()
	if err != nil {
		b = b[:len(b)/2]
	}
	end := int(off) + len(b)
	if end > len(f.now) {
		f.now = append(f.now, make([]byte, end-len(f.now))...)
	}
	copy(f.now[off:], b)
	for block := int(off) / blockSize; block*blockSize < end; block++ {
		f.dirty[block] = true
	}
	return len(b), err
}

func (f *memFile) Truncate(size int64) error {
	unlock, err := f.disk.begin("truncate")
	defer unlock()
	if err == nil {
		f.now = f.now[:size:size]
	}
	return err
}

func (f *memFile) Sync() error {
	unlock, err := f.disk.begin("sync")
	defer unlock()
	if err == nil {
		content := make([]byte, len(f.now))
		copy(content, f.durable)
		for block := range f.dirty {
			if from := block * blockSize; from < len(content) {
				copy(content[from:min(len(content), from+blockSize)], f.now[from:])
			}
		}
		f.durable = content
	}
	clear(f.dirty)
	return err
}

func (f *memFile) syncData() error { return f.Sync() }

func (f *memFile) zero(from, to int64) error {
	_, err := f.WriteAt(make([]byte, to-from), from)
	return err
}

func (f *memFile) forget() error {
	unlock, err := f.disk.begin("forget")
	defer unlock()
	for block := range (len(f.now) + blockSize - 1) / blockSize {
		if from, to := block*blockSize, min(len(f.now), (block+1)*blockSize); !f.dirty[block] {
			clear(f.now[from:to])
			copy(f.now[from:to], f.durable[min(from, len(f.durable)):])
		}
	}
	return err
}

func (f *memFile) size() (int64, error) {
	unlock, err := f.disk.begin("size")
	defer unlock()
	return int64(len(f.now)), err
}

func (f *memFile) Close() error { return nil }
