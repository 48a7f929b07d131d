package storedlog

import (
	"errors"
	"fmt"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
)

// ErrCutBack ends a reader of before CutBack: what it has given may not be in the
// log any more. A new one says whether its side has more than there is.
var ErrCutBack = errors.New("the stored log has been cut back")

// CutBack forgets for good what is stored from the first transaction on that is
// not in has: for when a server becomes the master that lacks the end of the log,
// and nobody else will ever be fed with it. What has holds behind that place
// comes again from that server. It returns what is left, and is for the writer,
// between two masters: Rotate must follow. Every reader ends with ErrCutBack.
//
// It is a *PurgedError where has lacks what came before the log, and an
// *AheadError where a position of a MariaDB is of another history. An error of
// the disk leaves a sound log, which may be shorter already than Executed says;
// it may be tried again. So does a crash.
func (l *Log) CutBack(has *cluster.GTIDSet) (*cluster.GTIDSet, error) {
	err := l.Recover()
	if err == nil {
		err = l.Abort()
	}
	if err != nil {
		return nil, err
	}
	l.shrink.Lock()
	defer l.shrink.Unlock()
	c, err := l.cutFor(has)
	if err == nil && c.keep == nil {
		return l.Executed(), nil
	}
	if err == nil {
		err = l.cutTo(c)
	}
	if err != nil {
		return nil, fmt.Errorf("cut back stored log to %s: %w", has, err)
	}
	l.logger.Warn("the end of the stored log was given up", "file", c.keep.name, "offset", c.keep.visible, "files", len(c.drop), "executed", c.after.String())
	return c.after, nil
}

// cutPlace is where a log ends that is cut back. It is a value.
type cutPlace struct {
	keep  *segment // the last file that stays, as it will be; nil: there is nothing to cut
	after *cluster.GTIDSet
	drop  []*segment // the files behind it
}

// cutFor finds where the first transaction begins that is not in has.
func (l *Log) cutFor(has *cluster.GTIDSet) (c cutPlace, err error) {
	l.mu.Lock()
	segments, executed, oldest := l.segments, l.executed.Load(), l.oldest()
	l.mu.Unlock()
	if !has.ContainsSet(oldest) {
		return c, &PurgedError{Missing: oldest.Subtract(has)}
	}
	for _, g := range has.Domains() {
		if !executed.Contains(g) {
			continue
		}
		if ok, err := l.holds(segments, executed, g); err != nil {
			return c, err
		} else if !ok {
			return c, &AheadError{Extra: cluster.EmptyGTIDSet(cluster.FlavourMariaDB).With(g)}
		}
	}
	if has.ContainsSet(executed) || len(segments) == 0 {
		return c, nil
	}
	i := lastSegment(segments, has)
	c.drop = segments[i+1:]
	c.keep, c.after, err = l.firstPart(segments[i], has)
	return c, err
}

// firstPart is a file up to where the first transaction begins that is not in has,
// and what is executed there.
func (l *Log) firstPart(s *segment, has *cluster.GTIDSet) (*segment, *cluster.GTIDSet, error) {
	marks, err := l.marksOf(s)
	if err != nil {
		return nil, nil, err
	}
	f, err := l.openSegment(s)
	if err != nil {
		return nil, nil, err
	}
	l.mu.Lock()
	end := s.visible
	l.mu.Unlock()
	found, err := scan(f, s, end, func(_ int64, _ event.Event, m event.Mark) error {
		if m.Part == event.Begin && !has.Contains(m.GTID) {
			return errStop
		}
		return nil
	})
	switch {
	case errors.Is(err, errStop):
		err = nil
	case err == nil && found.torn != nil:
		err = &CorruptError{File: l.path(s.name), Offset: found.end, Durable: end, Err: found.torn}
	}
	first := &segment{number: s.number, name: s.name, format: s.format, before: s.before, start: s.start, visible: found.end, marked: true}
	for _, m := range marks[1:] {
		if m.offset < found.end {
			first.marks = append(first.marks, m)
		}
	}
	return first, found.after, errors.Join(err, f.Close())
}

// cutTo takes the files from the last one on, so that the log is whole whenever
// that stops. The mark goes first: it must never name what is not there. Once
// the files behind the last are gone nothing is written before that is cut.
func (l *Log) cutTo(c cutPlace) error {
	l.endReaders()
	if err := errors.Join(l.closeMark(), l.disk.remove(markName), l.disk.sync()); err != nil {
		return err
	}
	for i := range c.drop {
		if err := errors.Join(l.delete(c.drop[len(c.drop)-1-i]), l.disk.sync()); err != nil {
			return err
		}
	}
	if err := l.disk.remove(c.keep.name + indexSuffix); err != nil {
		return err
	}
	l.showCut(c)
	if _, err := l.recoverFile(c.keep, c.keep.visible, c.keep.visible); err != nil {
		return l.fail(err)
	}
	return l.remember(c.keep.number, c.keep.visible)
}

// endReaders ends the readers there are, before what they read goes.
func (l *Log) endReaders() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cuts++
	l.wake()
}

// showCut has everybody see what is left.
func (l *Log) showCut(c cutPlace) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.segments) - len(c.drop) - 1
	l.segments = append(l.segments[:n:n], c.keep)
	l.writer.set = c.after
	l.executed.Store(c.after)
	l.cuts++ // for who began meanwhile
	l.wake()
}

// cutSince says that the log was cut back since there were so many cuts.
func (l *Log) cutSince(cuts uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cuts != cuts
}
