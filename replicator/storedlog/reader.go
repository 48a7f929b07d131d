package storedlog

import (
	"context"
	"errors"
	"fmt"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
)

// Piece is a run of raw events of one file. It is valid until the next call.
type Piece struct {
	// File is our file's name, on each piece.
	File string
	// Start says that a file begins here, or that the reader begins in it:
	// Format and Before are set, Events is empty.
	Start  bool
	Format event.Event
	// Before is what came before the file.
	Before *cluster.GTIDSet
	// Offset of Events[0] in our file, as a plain binlog file counts it; of the
	// first event to come where Start is set.
	Offset int64
	// Events are whole raw events back to back, at most 256 KiB unless a single
	// one is larger. A transaction may go over several pieces.
	Events []byte
	// Last is the last transaction that ends in Events; zero where none does.
	Last cluster.GTID
}

// Reader gives a log's transactions in their order, and waits for new ones.
// One goroutine uses it.
type Reader struct {
	log  *Log
	have *cluster.GTIDSet // what to leave out

	segment  *segment // nil before the first file
	raw      file
	at       int64
	tracker  *event.Tracker
	skipping bool
	started  bool   // the segment's Start has been given
	buf      []byte // what whole holds
}

// Read returns a reader of everything that have lacks. It is a *PurgedError or
// an *AheadError where that cannot be had, or an error of the disk.
func (l *Log) Read(have *cluster.GTIDSet) (*Reader, error) {
	if have.Flavour() != l.config.Flavour {
		return nil, fmt.Errorf("read stored log of %s with a set of flavour %s", l.config.Flavour, have.Flavour())
	}
	s, err := l.startFor(have)
	if err != nil {
		return nil, err
	}
	r := &Reader{log: l, have: have}
	if s == nil {
		return r, nil
	}
	marks, err := l.marksOf(s)
	if err == nil {
		err = r.enter(s, lastWithin(marks, have).offset)
	}
	return r, err
}

// Next returns the next piece; where there is none yet it waits for one until
// ctx ends, and then returns ctx's error and may be called again. What is
// there already is returned also when ctx has ended. Other errors are final:
// ErrClosed, *PurgedError, the disk's.
func (r *Reader) Next(ctx context.Context) (Piece, error) {
	for {
		changed := r.log.Changed()
		p, ok, err := r.take()
		if ok || err != nil {
			return p, err
		}
		r.release()
		select {
		case <-changed:
		case <-ctx.Done():
			return Piece{}, context.Cause(ctx)
		}
	}
}

// Close ends the reader.
func (r *Reader) Close() error {
	if r.raw == nil {
		return nil
	}
	err := r.raw.Close()
	r.raw = nil
	return err
}

// take returns a piece if there is one now.
func (r *Reader) take() (Piece, bool, error) {
	for {
		limit, next, err := r.log.after(r.segment)
		switch {
		case err != nil:
			return Piece{}, false, err
		case r.segment != nil && !r.started:
			r.started = true
			s := r.segment
			return Piece{File: s.name, Start: true, Format: r.format(), Before: s.before, Offset: r.at}, true, nil
		case r.segment != nil && r.at < limit:
			p, err := r.run(limit)
			if err != nil || len(p.Events) > 0 {
				return p, err == nil, err
			}
		case next == nil:
			return Piece{}, false, nil
		default:
			if err := r.enter(next, next.start); err != nil {
				return Piece{}, false, err
			}
		}
	}
}

// format is the file's, as far as it goes for a slave that joins it here: one
// that was here before must keep its temporary tables.
func (r *Reader) format() event.Event {
	if r.at > r.segment.start {
		return event.WithoutCreated(r.segment.format)
	}
	return r.segment.format
}

// enter goes on in another file.
func (r *Reader) enter(s *segment, at int64) error {
	if err := r.Close(); err != nil {
		return err
	}
	format, err := event.ParseFormat(s.format)
	if err != nil {
		return err
	}
	f, err := r.log.openSegment(s)
	if err != nil {
		return r.log.whyNotOpen(s, err)
	}
	r.segment, r.raw, r.at, r.started, r.skipping = s, f, at, false, false
	r.tracker = event.NewTracker(format)
	return nil
}

// run reads one window, at most up to limit, and returns the first run of
// events in it that are wanted; it may be empty.
func (r *Reader) run(limit int64) (Piece, error) {
	if err := r.fill(limit); err != nil {
		return Piece{}, fmt.Errorf("read %s: %w", r.segment.name, err)
	}
	from, to, at := 0, 0, 0
	p := Piece{File: r.segment.name}
	for at < len(r.buf) {
		e, err := event.Next(r.buf[at:])
		if errors.Is(err, event.ErrShort) && at > 0 {
			break
		}
		var m event.Mark
		if err == nil {
			m, err = r.tracker.Next(e)
		}
		if err != nil {
			return Piece{}, fmt.Errorf("read %s at %d: %w", r.segment.name, r.at+int64(at), err)
		}
		at += len(e)
		switch {
		case !r.skips(m):
			to = at
			if m.Part == event.End {
				p.Last = m.GTID
			}
			continue
		case to == from:
			from, to = at, at
			continue
		}
		break
	}
	p.Offset, p.Events = r.at+int64(from), r.buf[from:to:to]
	r.at += int64(at)
	return p, nil
}

// skips says whether an event belongs to a transaction that the reader's side
// has.
func (r *Reader) skips(m event.Mark) bool {
	if m.Part == event.Begin {
		r.skipping = r.have.Contains(m.GTID)
	}
	return r.skipping
}

// fill reads a window, or one event that is longer than it.
func (r *Reader) fill(limit int64) error {
	w := walker{from: r.raw, at: r.at, end: limit, whole: r.buf[:cap(r.buf)]}
	err := w.fill()
	r.buf = w.buf
	return err
}

// release gives back what a long event needed, before a wait.
func (r *Reader) release() {
	if cap(r.buf) > keptWhileWaiting {
		r.buf = nil
	}
}

// keptWhileWaiting is the memory that a reader which has everything holds.
const keptWhileWaiting = 16 << 10
