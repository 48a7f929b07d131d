package storedlog

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
)

// startFor finds the file where a reader begins that has have: the last one
// that begins within it; nil where there is no file yet.
func (l *Log) startFor(have *cluster.GTIDSet) (*segment, error) {
	l.mu.Lock()
	segments, executed, oldest, closed := l.segments, l.executed.Load(), l.oldest(), l.closed
	l.mu.Unlock()
	switch {
	case closed:
		return nil, ErrClosed
	case !executed.ContainsSet(have):
		return nil, &AheadError{Extra: have.Subtract(executed)}
	case !have.ContainsSet(oldest):
		return nil, &PurgedError{Missing: oldest.Subtract(have)}
	}
	for _, g := range have.Domains() {
		if ok, err := l.holds(segments, executed, g); err != nil {
			return nil, err
		} else if !ok {
			return nil, &AheadError{Extra: cluster.EmptyGTIDSet(cluster.FlavourMariaDB).With(g)}
		}
	}
	if len(segments) == 0 {
		return nil, nil
	}
	return segments[lastSegment(segments, have)], nil
}

// lastSegment is the index of the last file that begins within have; the
// first one must.
func lastSegment(segments []*segment, have *cluster.GTIDSet) int {
	i, _ := slices.BinarySearchFunc(segments, have, func(s *segment, have *cluster.GTIDSet) int {
		if have.ContainsSet(s.before) {
			return -1
		}
		return 1
	})
	return max(0, i-1)
}

// holds says whether a MariaDB GTID, which is not behind the log's end, names a
// transaction of this log: a position is compared by its sequence number
// alone, and a former master may have given the same number to another
// transaction.
func (l *Log) holds(segments []*segment, executed *cluster.GTIDSet, g cluster.GTID) (bool, error) {
	if slices.Contains(executed.Domains(), g) {
		return true, nil
	}
	for i, s := range slices.Backward(segments) {
		if !s.before.Contains(g) {
			return l.holdsIn(segments[i], g)
		}
		if slices.Contains(s.before.Domains(), g) {
			return true, nil
		}
	}
	return false, nil
}

// holdsIn looks for a MariaDB GTID in the file where its number must be.
func (l *Log) holdsIn(s *segment, g cluster.GTID) (found bool, err error) {
	marks, err := l.marksOf(s)
	if err != nil {
		return false, err
	}
	f, err := l.openSegment(s)
	if err != nil {
		return false, l.whyNotOpen(s, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	limit, _, err := l.after(s)
	if err != nil {
		return false, err
	}
	w := &walker{from: f, at: startBehind(marks, g), end: limit}
	for w.at < w.end {
		e, err := w.next()
		if err != nil {
			return false, fmt.Errorf("look for %s in %s: %w", g, s.name, err)
		}
		if e.Type() != event.MariaGTID {
			continue
		}
		if m, err := event.NewTracker(event.Format{MariaDB: true, Checksum: true}).Next(e); err != nil {
			return false, err
		} else if m.GTID.Domain == g.Domain && m.GTID.Number >= g.Number {
			return m.GTID == g, nil
		}
	}
	return false, nil
}

// startBehind is the offset of the last mark that comes before g.
func startBehind(marks []mark, g cluster.GTID) int64 {
	at := marks[0].offset
	for _, m := range marks {
		if m.before.Contains(g) {
			break
		}
		at = m.offset
	}
	return at
}

// marksOf returns a file's marks, the first transaction's included: from
// memory, from its index, or by reading the file.
func (l *Log) marksOf(s *segment) ([]mark, error) {
	first := []mark{{s.start, s.before}}
	l.mu.Lock()
	marks, marked, size := s.marks, s.marked, s.visible
	l.mu.Unlock()
	if marked || size-s.start < markDistance {
		return append(first, marks...), nil
	}
	if marks, err := loadIndex(l.disk, l.config.Key, s, size); err == nil {
		return append(first, marks...), nil
	}
	f, err := l.openSegment(s)
	if err != nil {
		return nil, l.whyNotOpen(s, err)
	}
	found, err := scan(f, s, size, unvisited)
	return append(first, found.marks...), errors.Join(err, f.Close())
}

func (l *Log) openSegment(s *segment) (file, error) {
	raw, err := l.disk.open(s.name, toRead)
	if err != nil {
		return nil, err
	}
	f, err := wrap(raw, l.config.Key)
	if err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return f, nil
}

// whyNotOpen tells a file that Trim deleted from one that is missing.
func (l *Log) whyNotOpen(s *segment, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if errors.Is(err, fs.ErrNotExist) && s.number <= l.trimmed {
		return &PurgedError{}
	}
	return fmt.Errorf("open %s: %w", s.name, err)
}

// seededSince says whether the log was begun anew since a file of it was made.
func (l *Log) seededSince(s *segment) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return s.number <= l.seeded
}

// after says how much of a file may be read, and which file is behind it; that
// one is nil while the file may still grow. A nil s stands before the first.
func (l *Log) after(s *segment) (limit int64, next *segment, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, nil, ErrClosed
	}
	number := uint64(0)
	if s != nil {
		number, limit = s.number, s.visible
	}
	i, _ := slices.BinarySearchFunc(l.segments, number+1, func(s *segment, n uint64) int {
		return int(int64(s.number) - int64(n))
	})
	if i == len(l.segments) {
		return limit, nil, nil
	}
	if s != nil && l.trimmed > s.number {
		return limit, nil, &PurgedError{} // a file behind s has been deleted
	}
	return limit, l.segments[i], nil
}
