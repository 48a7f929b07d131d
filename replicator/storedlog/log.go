package storedlog

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/bellwether-db/bellwether/cluster"
)

// Log is a stored log. Rotate, Append, Sync, Abort, Recover, Seed, CutBack and
// Close are for one goroutine, the writer; everything else is for any number of
// them.
type Log struct {
	config Config
	disk   disk
	logger *slog.Logger
	lock   *os.File // nil in tests
	writer writer
	long   longEvents
	size   atomic.Int64 // at which a new file begins
	step   int64        // how much room is made at once

	executed atomic.Pointer[cluster.GTIDSet] // changed under mu only

	mu       sync.Mutex    // guards what follows
	segments []*segment    // the oldest first; replaced, never changed in place
	changed  chan struct{} // closed when something becomes visible
	trimmed  uint64        // the highest number of a file that Trim deleted
	cuts     uint64        // grows with each CutBack
	seeded   uint64        // the highest number of a file from before the last Seed
	closed   bool

	shrink sync.Mutex // held by what takes files away: Trim, Seed, CutBack; guards the bounds in config
}

// Open opens the log in c.Dir, or begins a new one there. It recovers: what a
// crash left of a transaction at the end of the last file is cut off, and
// logger is told what. Rotate must come before the first Append. It is a
// *CorruptError where what was durable is damaged.
func Open(c Config, logger *slog.Logger) (*Log, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := makeFolder(filepath.Clean(c.Dir)); err != nil {
		return nil, fmt.Errorf("open stored log: %w", err)
	}
	held, err := lock(filepath.Join(c.Dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", c.Dir, err)
	}
	l, err := open(c, folder(c.Dir), logger)
	if err != nil {
		return nil, errors.Join(err, held.Close())
	}
	l.lock = held
	return l, nil
}

// open opens the log on a disk.
func open(c Config, d disk, logger *slog.Logger) (*Log, error) {
	l := &Log{config: c, disk: d, logger: logger, changed: make(chan struct{}), step: roomStep}
	l.size.Store(c.FileSize)
	if err := l.load(); err != nil {
		return nil, fmt.Errorf("open stored log in %s: %w", c.Dir, err)
	}
	l.writer.set = l.Executed()
	return l, nil
}

// Close ends the log; it syncs nothing. Readers end with ErrClosed.
func (l *Log) Close() error {
	l.mu.Lock()
	already := l.closed
	if l.closed = true; !already {
		close(l.changed)
	}
	l.mu.Unlock()
	if already {
		return nil
	}
	l.writer.err = ErrClosed
	return errors.Join(l.writer.closeRoom(), l.writer.drop(), l.closeMark(), l.unlock())
}

func (l *Log) unlock() error {
	if l.lock == nil {
		return nil
	}
	return l.lock.Close()
}

// Executed is what is durable and visible, what came before the oldest file
// included; the empty set, never nil, for a new log. It takes no lock. It is what
// counts from the moment that Harden returns: Changed is closed later.
func (l *Log) Executed() *cluster.GTIDSet { return l.executed.Load() }

// Oldest is what came before the oldest file: a slave must have it already.
func (l *Log) Oldest() *cluster.GTIDSet {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.oldest()
}

func (l *Log) oldest() *cluster.GTIDSet {
	if len(l.segments) == 0 {
		return l.executed.Load()
	}
	return l.segments[0].before
}

// Changed is closed when something was made visible, when a new file begins, or
// when the log closes. What became visible is in Executed before that, and the
// master and a client may have been told of it: that nothing was closed yet does
// not say that nothing has changed.
func (l *Log) Changed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

// File is one of the log's files. It is a value.
type File struct {
	Name string
	// Size is how much may be read of it, as a plain binlog file counts.
	Size int64
	// Before is what came before it.
	Before *cluster.GTIDSet
}

// Files are the log's files, the oldest first.
func (l *Log) Files() []File {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]File, len(l.segments))
	for i, s := range l.segments {
		out[i] = File{s.name, s.visible, s.before}
	}
	return out
}

// Seed has a log without a single transaction begin behind set, such as what
// the master has executed at the time. Rotate must follow. It is ErrNotEmpty
// on a log that holds transactions.
func (l *Log) Seed(set *cluster.GTIDSet) error {
	if l.writer.err != nil {
		return l.writer.err
	}
	if set.Flavour() != l.config.Flavour {
		return fmt.Errorf("seed stored log with a set of flavour %s, not %s", set.Flavour(), l.config.Flavour)
	}
	if l.writer.inside || !l.writer.set.Equal(l.Oldest()) {
		return fmt.Errorf("seed stored log: %w", ErrNotEmpty)
	}
	return l.seed(set)
}

// Restart forgets everything that is stored and has the log begin behind set,
// which contains all that: for when nobody needs it any more.
func (l *Log) Restart(set *cluster.GTIDSet) error {
	switch {
	case l.writer.err != nil:
		return l.writer.err
	case l.writer.inside || !set.ContainsSet(l.writer.set):
		return fmt.Errorf("restart stored log at %s: %w", set, ErrNotEmpty)
	}
	return l.seed(set)
}

func (l *Log) seed(set *cluster.GTIDSet) error {
	l.shrink.Lock()
	defer l.shrink.Unlock()
	// The mark goes first: it must never name a file that is not there.
	if err := errors.Join(l.writer.drop(), l.closeMark(), l.disk.remove(markName), l.disk.sync()); err != nil {
		return l.fail(fmt.Errorf("seed stored log: %w", err))
	}
	l.mu.Lock()
	old := l.segments
	l.segments, l.writer.set, l.seeded = nil, set, l.writer.number
	l.executed.Store(set)
	l.mu.Unlock()
	for _, s := range old {
		if err := l.delete(s); err != nil {
			return l.fail(fmt.Errorf("seed stored log: %w", err))
		}
	}
	return nil
}

// delete removes a file and its index.
func (l *Log) delete(s *segment) error {
	return errors.Join(l.disk.remove(s.name), l.disk.remove(s.name+indexSuffix))
}

// publish shows what is durable; the readers are woken later. Executed is what the
// writer has at end.
func (l *Log) publish(end int64, marks []mark, executed *cluster.GTIDSet) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.segments[len(l.segments)-1]
	s.visible, s.marks = end, append(s.marks, marks...)
	l.executed.Store(executed)
}

func (l *Log) wakeAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wake()
}

// replace shows a new list of files. What is durable does not change.
func (l *Log) replace(change func([]*segment) []*segment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.segments = change(slices.Clone(l.segments))
	l.wake()
}

func (l *Log) wake() {
	if !l.closed {
		close(l.changed)
		l.changed = make(chan struct{})
	}
}

// last is the newest file, nil where there is none.
func (l *Log) last() *segment {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.segments) == 0 {
		return nil
	}
	return l.segments[len(l.segments)-1]
}
