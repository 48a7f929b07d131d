package storedlog

import (
	"fmt"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
)

// bufferSize is how much is collected before it is written to the file.
const bufferSize = 256 << 10

// writer is what the writing goroutine knows of the log's end. That goroutine
// alone uses it.
//
// Invariant: what is at end and set is a whole number of transactions; bytes
// behind end belong to the one that is open.
type writer struct {
	segment *segment
	number  uint64 // of the newest file
	file    file   // nil: a new file must begin
	buf     []byte // what was appended and not yet written
	written int64  // how far the file was written
	end     int64  // behind the last whole transaction appended
	synced  int64  // how far it is durable
	room    int64  // how far it may be longer than what was written; see makeRoom
	full    bool   // there is no room to be had for this file
	bulk    int64  // what the last Harden wrote
	untidy  bool   // Tidy has something to do
	set     *cluster.GTIDSet
	marker  marker
	inside  bool
	err     error // of the disk; final until Recover
	mark    file  // of the file "durable"; nil until the first Sync
}

func (w *writer) position() int64 { return w.written + int64(len(w.buf)) }

// ready says whether something can be appended.
func (w *writer) ready() error {
	if w.err == nil && w.file == nil {
		return ErrNeedRotate
	}
	return w.err
}

// put appends bytes; a long run goes past the buffer.
func (w *writer) put(b []byte) error {
	if len(w.buf)+len(b) > bufferSize {
		if err := w.flush(); err != nil {
			return err
		}
	}
	if len(b) < bufferSize {
		w.buf = append(w.buf, b...)
		return nil
	}
	return w.write(b)
}

func (w *writer) flush() error {
	err := w.write(w.buf)
	w.buf = w.buf[:0]
	return err
}

func (w *writer) write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	n, err := w.file.WriteAt(b, w.written)
	w.written += int64(n)
	return err
}

// drop leaves the file, and what was appended behind the last Sync.
func (w *writer) drop() error {
	f := w.file
	w.segment, w.file, w.buf, w.inside, w.room, w.full = nil, nil, nil, false, 0, false
	if f == nil {
		return nil
	}
	return f.Close()
}

// fail makes an error final, until Recover.
func (l *Log) fail(err error) error {
	if l.writer.err == nil {
		l.writer.err = err
	}
	return err
}

// Append writes e behind the log; it is neither durable nor visible yet. e is
// borrowed. Control events are left out. An error that wraps ErrChecksum,
// ErrOrder or ErrInside is the stream's, and Abort must follow; any other is
// the disk's.
func (l *Log) Append(e event.Event, m event.Mark) error {
	w := &l.writer
	if err := w.ready(); err != nil {
		return err
	}
	if m.Part == event.Control {
		return nil
	}
	if err := l.admit(e, m); err != nil {
		return fmt.Errorf("append %s event of %s: %w", e.Type(), m.GTID, err)
	}
	if m.Part == event.Begin {
		if err := l.begin(); err != nil {
			return err
		}
	}
	if err := w.put(e); err != nil {
		return l.fail(fmt.Errorf("append to %s: %w", w.segment.name, err))
	}
	if m.Part == event.End {
		w.inside, w.end, w.set = false, w.position(), w.set.With(m.GTID)
	}
	return nil
}

// admit says what is wrong with an event here.
func (l *Log) admit(e event.Event, m event.Mark) error {
	w := &l.writer
	switch {
	case w.inside == (m.Part == event.Begin):
		return ErrInside
	case !e.ChecksumOK():
		return ErrChecksum
	case m.GTID.Flavour != l.config.Flavour:
		return fmt.Errorf("it is one of %s: %w", m.GTID.Flavour, ErrOrder)
	case m.Part == event.Begin && w.set.Contains(m.GTID):
		return ErrOrder
	}
	return nil
}

// begin prepares for a transaction: in a new file where this one is long.
func (l *Log) begin() error {
	w := &l.writer
	if w.end >= l.size.Load() {
		if err := l.Sync(); err != nil {
			return err
		}
		if err := l.startFile(event.WithoutCreated(w.segment.format)); err != nil {
			return err
		}
	}
	w.inside = true
	w.marker.begin(w.end, w.set)
	return nil
}

// Sync is Harden and Tidy.
func (l *Log) Sync() error {
	if err := l.Harden(); err != nil {
		return err
	}
	return l.Tidy()
}

// Harden makes the whole transactions appended so far durable and then visible.
// After an error nothing of them is, and all writing fails with it until
// Recover. Tidy must follow, once the master has its answer: it has time.
func (l *Log) Harden() error {
	w := &l.writer
	if w.err != nil || w.file == nil || w.end == w.synced {
		return w.err
	}
	if err := w.flush(); err != nil {
		return l.fail(fmt.Errorf("write %s: %w", w.segment.name, err))
	}
	if err := w.file.syncData(); err != nil {
		return l.fail(fmt.Errorf("sync %s: %w", w.segment.name, err))
	}
	w.bulk, w.synced, w.untidy = w.end-w.synced, w.end, true
	l.publish(w.end, l.ripe(), w.set)
	return nil
}

// Tidy does what can wait behind Harden: it wakes the readers, remembers what is
// durable and makes room for what comes. Its errors are as those of Harden, but
// what was made durable stays so.
func (l *Log) Tidy() error {
	w := &l.writer
	if !w.untidy {
		return w.err
	}
	w.untidy = false
	l.wakeAll()
	if err := l.remember(w.segment.number, w.end); err != nil {
		return err
	}
	return l.makeRoom()
}

// ripe takes the marks that lie in what is durable.
func (l *Log) ripe() []mark {
	marks := l.writer.marker.marks
	if n := len(marks); l.writer.inside && n > 0 && marks[n-1].offset == l.writer.end {
		l.writer.marker.marks = append([]mark(nil), marks[n-1])
		return marks[:n-1]
	}
	l.writer.marker.marks = nil
	return marks
}

// Abort gives up the transaction that is open, because its master was lost:
// the log is cut back to the end of the last whole one, and what is whole
// becomes durable and visible, so that Executed says where to go on. Rotate
// must follow.
func (l *Log) Abort() error {
	w := &l.writer
	if w.err != nil || w.file == nil {
		return w.err
	}
	if err := l.Sync(); err != nil {
		return err
	}
	if err := l.cutRoom(); err != nil {
		return err
	}
	if err := w.drop(); err != nil {
		return l.fail(fmt.Errorf("abort: %w", err))
	}
	return nil
}
