package storedlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
)

// Rotate begins a new file for a new connection to a master, or a new format
// (the master began a new file): it is called for every format description of
// the stream, and before the first Append. What was appended becomes durable
// and visible. It owns a copy of format, a whole FORMAT_DESCRIPTION event. It
// is ErrInside in a transaction and ErrNoChecksum for a stream without
// checksums.
func (l *Log) Rotate(format event.Event) error {
	if l.writer.err != nil {
		return l.writer.err
	}
	f, err := event.ParseFormat(format)
	switch {
	case err != nil:
		return fmt.Errorf("rotate stored log: %w", err)
	case l.writer.inside:
		return fmt.Errorf("rotate stored log: %w", ErrInside)
	case !f.Checksum:
		return fmt.Errorf("rotate stored log: %w", ErrNoChecksum)
	case f.MariaDB != (l.config.Flavour == cluster.FlavourMariaDB):
		return fmt.Errorf("rotate stored log of %s: the format is that of %s", l.config.Flavour, f.Version)
	}
	if err := l.Sync(); err != nil {
		return err
	}
	return l.startFile(l.own(format, f))
}

// own is a copy of a format that is not in use and says when its server
// started only if no file of the log says so already: slaves drop their
// temporary tables where they read it.
func (l *Log) own(format event.Event, f event.Format) event.Event {
	if l.started() == f.Created {
		format = event.WithoutCreated(format)
	}
	format = slices.Clone(format)
	flags := format.Flags() &^ event.FlagInUse // no part of the checksum
	binary.LittleEndian.PutUint16(format[17:], flags)
	return format
}

// started is when the server last started, as the newest file that says so
// has it; one without transactions goes when another begins.
func (l *Log) started() uint32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range slices.Backward(l.segments) {
		if f, err := event.ParseFormat(s.format); err == nil && f.Created != 0 && !s.empty() {
			return f.Created
		}
	}
	return 0
}

// startFile makes a file durable that begins behind what the writer has, and
// goes on in it. Everything before it is durable and visible already.
func (l *Log) startFile(format event.Event) error {
	if err := l.cutRoom(); err != nil {
		return err
	}
	old, number := l.last(), l.writer.number+1
	s := &segment{number: number, name: nameOf(number), format: format, before: l.writer.set, marked: true}
	f, err := l.makeFile(s)
	if err != nil {
		return l.fail(fmt.Errorf("begin %s: %w", s.name, errors.Join(err, l.disk.remove(s.name))))
	}
	if err := l.writer.drop(); err != nil {
		return l.fail(fmt.Errorf("begin %s: close the file before it: %w", s.name, errors.Join(err, f.Close())))
	}
	w := &l.writer
	w.segment, w.number, w.file, w.marker = s, number, f, marker{last: s.start}
	w.written, w.end, w.synced = s.start, s.start, s.start
	l.replace(func(all []*segment) []*segment {
		if old != nil && old.empty() {
			all = all[:len(all)-1]
		}
		return append(all, s)
	})
	l.leave(old)
	return nil
}

// makeFile writes a file's header and makes it durable, its name too.
func (l *Log) makeFile(s *segment) (file, error) {
	raw, err := l.disk.create(s.name)
	if err != nil {
		return nil, err
	}
	header := s.header(l.config.ServerID)
	s.start, s.visible = int64(len(header)), int64(len(header))
	f, err := wrapNew(raw, l.config.Key)
	if err == nil {
		_, err = f.WriteAt(header, 0)
	}
	if err == nil {
		err = errors.Join(f.Sync(), l.disk.sync())
	}
	if err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return f, nil
}

// leave is done with a file that is no longer written: it gets an index, or
// goes where it holds no transaction. That costs nothing but time if it fails.
func (l *Log) leave(old *segment) {
	if old == nil {
		return
	}
	l.mu.Lock()
	marks, size := old.marks, old.visible
	l.mu.Unlock()
	var err error
	if old.empty() {
		err = l.delete(old)
	} else if err = saveIndex(l.disk, l.config.Key, old, size, marks); err == nil {
		l.mu.Lock()
		old.marks, old.marked = nil, false
		l.mu.Unlock()
	}
	if err != nil {
		l.logger.Warn("a file of the stored log was not tidied up", "file", old.name, "error", err)
	}
}
