package storedlog

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/bellwether-db/bellwether/cluster"
)

// load reads the headers of all files and recovers the last one.
func (l *Log) load() error {
	l.executed.Store(cluster.EmptyGTIDSet(l.config.Flavour))
	numbers, err := l.numbers()
	if err != nil {
		return err
	}
	number, offset, err := remembered(l.disk)
	if err != nil {
		return err
	}
	for i, n := range numbers {
		s, err := l.readHeader(n)
		last := i == len(numbers)-1
		if last && errors.Is(err, errHeader) && number < n {
			if err := l.dropUnborn(n, err); err != nil {
				return err
			}
			break
		}
		if err == nil {
			err = l.fits(s)
		}
		if err != nil {
			return err
		}
		l.segments = append(l.segments, s)
	}
	return l.loadTail(number, offset)
}

// numbers lists the log's files.
func (l *Log) numbers() (out []uint64, err error) {
	names, err := l.disk.list()
	for _, name := range names {
		if n, ok := numberOf(name); ok {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out, err
}

func (l *Log) readHeader(n uint64) (_ *segment, err error) {
	raw, err := l.disk.open(nameOf(n), toRead)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, raw.Close()) }()
	f, err := wrap(raw, l.config.Key)
	if err != nil {
		return nil, headerError(n, err)
	}
	return readSegment(f, n)
}

// dropUnborn removes the last file where a crash came before its header was
// durable; nothing can have been in it.
func (l *Log) dropUnborn(n uint64, why error) error {
	l.logger.Info("a file of the stored log that was being made is removed", "file", nameOf(n), "error", why)
	return errors.Join(l.disk.remove(nameOf(n)), l.disk.sync())
}

// fits says whether a file can stand behind those that were read before it.
func (l *Log) fits(s *segment) error {
	if s.flavour() != l.config.Flavour {
		return fmt.Errorf("%s is a log of %s, not %s", s.name, s.flavour(), l.config.Flavour)
	}
	if n := len(l.segments); n > 0 && !s.before.ContainsSet(l.segments[n-1].before) {
		return fmt.Errorf("%s begins behind %s, which lacks some of what %s begins behind", s.name, s.before, l.segments[n-1].name)
	}
	return nil
}

// loadTail recovers the last file, which was durable up to an offset if it
// has that number.
func (l *Log) loadTail(number uint64, offset int64) error {
	last := l.last()
	if last == nil || last.number < number {
		if number == 0 {
			return nil
		}
		return &CorruptError{File: l.path(nameOf(number)), Durable: offset, Err: errors.New("the file is missing")}
	}
	if last.number > number {
		offset = 0
	}
	found, err := l.recoverFile(last, last.visible, offset)
	if err != nil {
		return err
	}
	last.visible, last.marks, last.marked = found.end, found.marks, true
	l.executed.Store(found.after)
	l.writer.number = last.number
	return nil
}

func (l *Log) path(name string) string { return filepath.Join(l.config.Dir, name) }

// recoverFile reads a file anew from the disk, as far as limit, and cuts it
// back to the end of its last whole transaction, which is at durable or
// behind it.
func (l *Log) recoverFile(s *segment, limit, durable int64) (_ scanned, err error) {
	raw, err := l.disk.open(s.name, toWrite)
	if err != nil {
		return scanned{}, err
	}
	defer func() { err = errors.Join(err, raw.Close()) }()
	f, err := wrap(raw, l.config.Key)
	if err != nil {
		return scanned{}, headerError(s.number, err)
	}
	// What is dirty goes to the disk first; then it is read from there.
	if err := errors.Join(f.Sync(), f.forget()); err != nil {
		return scanned{}, fmt.Errorf("recover %s: %w", s.name, err)
	}
	found, err := scan(f, s, limit, unvisited)
	if err != nil {
		return found, err
	}
	if found.end < durable {
		return found, &CorruptError{File: l.path(s.name), Offset: found.end, Durable: durable, Err: found.torn}
	}
	return found, l.cut(f, s, found)
}

// cut removes what lies behind the last whole transaction.
func (l *Log) cut(f file, s *segment, found scanned) error {
	size, err := f.size()
	if err != nil || size == found.end {
		return err
	}
	used, err := written(f, found.end, size)
	if err = errors.Join(err, f.Truncate(found.end), f.Sync()); err != nil {
		return fmt.Errorf("cut %s back to %d: %w", s.name, found.end, err)
	}
	if !used {
		return nil
	}
	l.logger.Info("the stored log was cut back to the end of its last whole transaction",
		"file", s.name, "offset", found.end, "cut", size-found.end, "executed", found.after.String(), "error", found.torn)
	return nil
}

// Recover makes the log writable again after an error: the last file is read
// anew from the disk and cut back to what is visible, and whatever was appended
// behind that is gone. Rotate must follow. An error leaves the log as it was;
// it may be tried again.
func (l *Log) Recover() error {
	w := &l.writer
	if w.err == nil || errors.Is(w.err, ErrClosed) {
		return w.err
	}
	if err := w.drop(); err != nil {
		l.logger.Warn("a file of the stored log was not closed", "error", err)
	}
	if err := l.closeMark(); err != nil {
		l.logger.Warn("a file of the stored log was not closed", "error", err)
	}
	if err := l.recoverLast(); err != nil {
		return fmt.Errorf("recover stored log: %w", err)
	}
	w.err, w.set = nil, l.Executed()
	return nil
}

func (l *Log) recoverLast() error {
	if err := l.dropUnlisted(); err != nil {
		return err
	}
	last := l.last()
	if last == nil {
		return nil
	}
	l.mu.Lock()
	visible := last.visible
	l.mu.Unlock()
	_, err := l.recoverFile(last, visible, visible)
	return err
}

// dropUnlisted removes a file that was being made when the disk failed.
func (l *Log) dropUnlisted() error {
	return l.disk.remove(nameOf(l.writer.number + 1))
}
