package storedlog

import (
	"fmt"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
)

// scanned is what a scan found in a file. It is a value.
type scanned struct {
	end          int64 // of the last whole transaction
	after        *cluster.GTIDSet
	marks        []mark
	transactions int
	// torn is what is wrong behind end; nil where the file ends there.
	torn error
}

// visit is told each event of a scan that is part of a transaction, where it
// begins and what it is. The event is borrowed.
type visit func(at int64, e event.Event, m event.Mark) error

// scan reads a file's transactions up to limit and checks every byte. Its
// error is one of reading, or visit's; what is wrong with the bytes stands in
// the result.
func scan(f file, s *segment, limit int64, visit visit) (scanned, error) {
	out := scanned{end: s.start, after: s.before}
	format, err := event.ParseFormat(s.format)
	if err != nil {
		return out, err
	}
	tracker, marks := event.NewTracker(format), marker{last: s.start}
	w := &walker{from: f, at: s.start, end: limit}
	for w.at < limit {
		at := w.at
		e, m, err := nextSound(w, tracker)
		if torn(err) {
			out.torn = err
			break
		}
		if err == nil {
			err = visit(at, e, m)
		}
		if err != nil {
			return out, fmt.Errorf("scan %s: %w", s.name, err)
		}
		out.take(at, w.at, m, &marks)
	}
	out.marks = marks.marks
	if out.torn == nil && tracker.Inside() {
		out.torn = fmt.Errorf("the last transaction has no end: %w", event.ErrShort)
	}
	return out, nil
}

// nextSound is the next event with a right checksum and a place in the stream.
func nextSound(w *walker, tracker *event.Tracker) (event.Event, event.Mark, error) {
	e, err := w.next()
	if err != nil {
		return nil, event.Mark{}, err
	}
	if !e.ChecksumOK() {
		return nil, event.Mark{}, fmt.Errorf("%s event: %w", e.Type(), ErrChecksum)
	}
	m, err := tracker.Next(e)
	return e, m, err
}

// take counts one event that lies between two offsets.
func (s *scanned) take(from, to int64, m event.Mark, marks *marker) {
	switch m.Part {
	case event.Begin:
		marks.begin(from, s.after)
	case event.End:
		s.end, s.after = to, s.after.With(m.GTID)
		s.transactions++
	}
}

// unvisited is for a scan that needs no events.
func unvisited(int64, event.Event, event.Mark) error { return nil }
