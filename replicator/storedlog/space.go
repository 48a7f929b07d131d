package storedlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/bellwether-db/bellwether/replicator/event"
)

// Behind the last transaction the file that is written has room: zeros that are
// durable already. To make durable what is written over them takes no more than
// its bytes; where the file has to grow for it the file system's journal comes on
// top, which costs as much again and has to wait for whatever else is in it.
const (
	// roomStep is how much room is made at once.
	roomStep = 256 << 10
	// mostBulk is the most that one Harden wrote for which it is worth while.
	mostBulk = 64 << 10
)

// makeRoom makes room where there is little left, except behind much that came at
// once: then more such will come, and it would be written twice. Nowhere to be had,
// it is done without.
func (l *Log) makeRoom() error {
	w := &l.writer
	from, to := max(w.written, w.room), w.position()+l.step
	if w.full || w.bulk > mostBulk || from > to-l.step/2 {
		return nil
	}
	w.room = to
	if err := w.file.zero(from, to); err != nil {
		w.full = true
		return nil
	}
	if err := w.file.syncData(); err != nil {
		return l.fail(fmt.Errorf("make room in %s: %w", w.segment.name, err))
	}
	return nil
}

// cutRoom ends the file behind its last whole transaction: it must, before another
// one begins.
func (l *Log) cutRoom() error {
	w := &l.writer
	if w.file == nil || max(w.position(), w.room) <= w.end {
		return nil
	}
	if err := errors.Join(w.file.Truncate(w.end), w.file.Sync()); err != nil {
		return l.fail(fmt.Errorf("cut %s back to %d: %w", w.segment.name, w.end, err))
	}
	w.room = 0
	return nil
}

// closeRoom is cutRoom for the end of the writer: what was appended and not synced
// stays as it is.
func (w *writer) closeRoom() error {
	if w.file == nil || w.room <= w.written {
		return nil
	}
	return w.file.Truncate(w.written)
}

// written reports whether anything but room is in a part of a file.
func written(f file, from, to int64) (bool, error) {
	end, err := endOfUse(f, from, to)
	return end > from, err
}

// sizeInUse is the length of a file without its room.
func sizeInUse(f file, s *segment) (int64, error) {
	end, err := endOfUse(f, max(s.start, s.visible-2*roomStep), s.visible)
	if s.visible-end < event.HeaderSize {
		end = s.visible
	}
	return end, err
}

// endOfUse is the end of what is not room in a part of a file. The last bytes of
// what was written may be zeros, too: those are missing.
func endOfUse(f file, from, to int64) (end int64, err error) {
	shift := int64(0)
	if s, sealed := f.(*sealedFile); sealed {
		f, shift = s.file, sealedHeader
	}
	end, buf := from, make([]byte, 64<<10)
	for from < to && err == nil {
		var n int
		n, err = f.ReadAt(buf[:min(int64(len(buf)), to-from)], from+shift)
		if used := len(bytes.TrimRight(buf[:n], "\x00")); used > 0 {
			end = from + int64(used)
		}
		from += int64(n)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return end, err
}
