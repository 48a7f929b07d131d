package storedlog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

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
	cuts uint64           // how many there were when it began

	segment  *segment // nil before the first file
	file     file
	walk     walker // through file
	tracker  *event.Tracker
	skipping bool
	started  bool  // the segment's Start has been given
	long     place // of the long event that is held; zero: none

	// passed counts what came before the place where it is, as GTIDSet.Count does, and on
	// MariaDB domains are the last of each domain.
	passed  uint64
	domains []cluster.GTID
}

// Read returns a reader of everything that have lacks. It is a *PurgedError or
// an *AheadError where that cannot be had, or an error of the disk.
func (l *Log) Read(have *cluster.GTIDSet) (*Reader, error) {
	if have.Flavour() != l.config.Flavour {
		return nil, fmt.Errorf("read stored log of %s with a set of flavour %s", l.config.Flavour, have.Flavour())
	}
	l.mu.Lock()
	cuts := l.cuts
	l.mu.Unlock()
	s, err := l.startFor(have)
	if err != nil {
		return nil, err
	}
	r := &Reader{log: l, have: have, cuts: cuts}
	if s == nil {
		return r, nil
	}
	marks, err := l.marksOf(s)
	if err == nil {
		err = r.enter(s, lastWithin(marks, have))
	}
	return r, err
}

// Next returns the next piece; where there is none yet it waits for one until
// ctx ends, and then returns ctx's error and may be called again. What is
// there already is returned also when ctx has ended. Other errors are final:
// ErrClosed, ErrCutBack, *PurgedError, the disk's.
func (r *Reader) Next(ctx context.Context) (Piece, error) {
	r.letGo()
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
	r.letGo()
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	return err
}

// take returns a piece if there is one now.
func (r *Reader) take() (Piece, bool, error) {
	for {
		limit, next, err := r.log.after(r.segment)
		switch {
		case err != nil:
			return Piece{}, false, err
		case r.log.cutSince(r.cuts):
			return Piece{}, false, ErrCutBack
		case r.segment != nil && !r.started:
			r.started = true
			s := r.segment
			return Piece{File: s.name, Start: true, Format: r.format(), Before: s.before, Offset: r.walk.at}, true, nil
		case r.segment != nil && r.walk.at < limit:
			p, err := r.run(limit)
			if err != nil || len(p.Events) > 0 {
				return p, err == nil, err
			}
			r.letGo()
		case next == nil:
			return Piece{}, false, nil
		default:
			if !r.goesOn(next) {
				return Piece{}, false, &PurgedError{}
			}
			if err := r.enter(next, mark{next.start, next.before}); err != nil {
				return Piece{}, false, err
			}
		}
	}
}

// format is the file's, as far as it goes for a slave that joins it here: one
// that was here before must keep its temporary tables.
func (r *Reader) format() event.Event {
	if r.walk.at > r.segment.start {
		return event.WithoutCreated(r.segment.format)
	}
	return r.segment.format
}

// goesOn says whether a file begins where the one before it has ended. One between them
// that somebody has removed would be passed over in silence.
func (r *Reader) goesOn(next *segment) bool {
	if r.segment == nil || r.log.seededSince(r.segment) {
		return true
	}
	if next.flavour() == cluster.FlavourMariaDB {
		return slices.Equal(r.domains, next.before.Domains())
	}
	return r.passed == next.before.Count()
}

// past takes note of a transaction that was read, wanted or not.
func (r *Reader) past(g cluster.GTID) {
	r.passed++
	if g.Flavour != cluster.FlavourMariaDB {
		return
	}
	i, there := slices.BinarySearchFunc(r.domains, g.Domain, func(d cluster.GTID, domain uint32) int { return cmp.Compare(d.Domain, domain) })
	if !there {
		r.domains = slices.Insert(r.domains, i, g)
	}
	r.domains[i] = g
}

// enter goes on at a place of another file.
func (r *Reader) enter(s *segment, at mark) error {
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
	r.segment, r.file, r.started, r.skipping = s, f, false, false
	r.walk = walker{from: f, at: at.offset, whole: r.walk.whole}
	r.passed, r.domains = at.before.Count(), at.before.Domains()
	r.tracker = event.NewTracker(format)
	return nil
}

// run returns the first run of events in one window, at most up to limit, that
// are wanted; it may be empty. An event longer than a window is a run of its
// own.
func (r *Reader) run(limit int64) (Piece, error) {
	r.walk.end = limit
	p, read, err := r.next(limit)
	if err != nil {
		return Piece{}, fmt.Errorf("read %s at %d: %w", r.segment.name, r.walk.at+int64(read), err)
	}
	p.File, p.Offset = r.segment.name, r.walk.at+p.Offset
	r.walk.pass(read)
	return p, nil
}

func (r *Reader) next(limit int64) (p Piece, read int, err error) {
	size, err := r.walk.peek()
	if err != nil {
		return p, 0, err
	}
	if size > window && r.walk.at+size <= limit {
		r.long = place{r.segment.number, r.walk.at}
		e, err := r.log.long.take(r.long, size, r.file)
		if err != nil {
			r.long = place{}
			return p, 0, err
		}
		return r.wanted(e)
	}
	if _, err := r.walk.ready(); err != nil {
		return p, 0, err
	}
	return r.wanted(r.walk.buf)
}

// wanted looks for the first run of events in buf that are wanted, whose offset
// in it stands in the piece, and says how much of buf it has read: up to the
// run's end, or a part of an event.
func (r *Reader) wanted(buf []byte) (p Piece, read int, err error) {
	from, to := 0, 0
	for read < len(buf) {
		e, err := event.Next(buf[read:])
		if errors.Is(err, event.ErrShort) && read > 0 {
			break
		}
		var m event.Mark
		if err == nil {
			m, err = r.tracker.Next(e)
		}
		if err != nil {
			return Piece{}, read, err
		}
		read += len(e)
		if m.Part == event.End {
			r.past(m.GTID)
		}
		if r.skips(m) {
			if to > from {
				break
			}
			from, to = read, read
			continue
		}
		to = read
		if m.Part == event.End {
			p.Last = m.GTID
		}
	}
	p.Offset, p.Events = int64(from), buf[from:to:to]
	return p, read, nil
}

// skips says whether an event belongs to a transaction that the reader's side
// has.
func (r *Reader) skips(m event.Mark) bool {
	if m.Part == event.Begin {
		r.skipping = r.have.Contains(m.GTID)
	}
	return r.skipping
}

// letGo gives back a long event.
func (r *Reader) letGo() {
	if r.long != (place{}) {
		r.log.long.release(r.long)
		r.long = place{}
	}
}

// release gives back a long buffer, before a wait.
func (r *Reader) release() {
	if cap(r.walk.whole) > keptWhileWaiting {
		r.walk.whole, r.walk.buf = nil, nil
	}
}

// keptWhileWaiting is the memory that a reader which has everything holds.
const keptWhileWaiting = 16 << 10
