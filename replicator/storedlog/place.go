package storedlog

import (
	"errors"
	"fmt"

	"github.com/bellwether-db/bellwether/replicator/event"
)

// Place is where a whole transaction stands. It is a value; the zero value is
// nowhere.
type Place struct {
	File   uint64 // the file's number
	Offset int64  // of the first event, as a plain binlog file counts
	Size   int64  // of all its events
}

// Ended is where the last whole transaction that was appended ends. It is for the
// writer.
func (l *Log) Ended() (file uint64, end int64) { return l.writer.number, l.writer.end }

// At reads the events of a transaction, back to back, and the format that they
// have. It is ErrNotFound where they are not, or not any more, to be seen there.
func (l *Log) At(p Place) (events []byte, format event.Format, err error) {
	s := l.segmentOf(p)
	if s == nil {
		return nil, format, fmt.Errorf("read transaction at %s:%d: %w", nameOf(p.File), p.Offset, ErrNotFound)
	}
	if format, err = event.ParseFormat(s.format); err != nil {
		return nil, format, err
	}
	f, err := l.openSegment(s)
	if err != nil {
		return nil, format, l.whyNotOpen(s, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	events = make([]byte, p.Size)
	if _, err := f.ReadAt(events, p.Offset); err != nil {
		return nil, format, fmt.Errorf("read transaction at %s:%d: %w", s.name, p.Offset, err)
	}
	return events, format, nil
}

// segmentOf is the file that shows a place, nil where none does.
func (l *Log) segmentOf(p Place) *segment {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.segments {
		if s.number == p.File && p.Offset >= s.start && p.Offset+p.Size <= s.visible {
			return s
		}
	}
	return nil
}
