package storedlog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// disk is the log's folder. Tests put faults between it and the log. It may be
// used by any number of goroutines.
type disk interface {
	// list returns the names in the folder.
	list() ([]string, error)
	// create makes a file that must not exist.
	create(name string) (file, error)
	// open opens a file, to write too where it says so.
	open(name string, mode mode) (file, error)
	// remove deletes a file; one that is not there is no error.
	remove(name string) error
	// modified says when a file was last written to.
	modified(name string) (time.Time, error)
	// sync makes durable which files there are.
	sync() error
}

// mode says what a file is opened for.
type mode int

const (
	toRead mode = iota
	toWrite
)

// file is one open file.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	// zero writes zeros from an offset up to another, also where what is written
	// comes to the disk encrypted.
	zero(from, to int64) error
	// Sync makes everything written so far durable.
	Sync() error
	// syncData is Sync without what only says when the file was written to. After
	// Truncate it is not enough.
	syncData() error
	// size is its length now.
	size() (int64, error)
	// forget drops what the kernel holds of it in memory, as far as it is
	// clean, so that what is read next comes from the disk.
	forget() error
}

// folder is the disk that the log is really on.
type folder string

// makeFolder makes a folder, and those above it that are missing, so that they
// are there after a crash too.
func makeFolder(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		return fmt.Errorf("%s is no folder", path)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	above := filepath.Dir(path)
	if err := makeFolder(above); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return folder(above).sync()
}

func (d folder) path(name string) string { return filepath.Join(string(d), name) }

func (d folder) list() ([]string, error) {
	entries, err := os.ReadDir(string(d))
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	return names, err
}

func (d folder) create(name string) (file, error) {
	f, err := os.OpenFile(d.path(name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	return plainFile{f}, err
}

func (d folder) open(name string, m mode) (file, error) {
	flag := os.O_RDONLY
	if m == toWrite {
		flag = os.O_RDWR
	}
	f, err := os.OpenFile(d.path(name), flag, 0)
	return plainFile{f}, err
}

func (d folder) remove(name string) error {
	if err := os.Remove(d.path(name)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (d folder) modified(name string) (time.Time, error) {
	info, err := os.Stat(d.path(name))
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}

func (d folder) sync() error {
	f, err := os.Open(string(d))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// plainFile is a file of the operating system.
type plainFile struct{ *os.File }

func (f plainFile) zero(from, to int64) error {
	_, err := f.WriteAt(make([]byte, max(0, to-from)), from)
	return err
}

func (f plainFile) size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// readWhole reads a small file: at most 64 MiB.
func readWhole(d disk, name string) (_ []byte, err error) {
	const most = 64 << 20
	f, err := d.open(name, toRead)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	n, err := f.size()
	if err != nil || n > most {
		return nil, fmt.Errorf("read %s of %d bytes: %w", name, n, err)
	}
	content := make([]byte, n)
	if _, err := f.ReadAt(content, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return content, nil
}
