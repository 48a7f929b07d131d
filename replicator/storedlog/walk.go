package storedlog

import (
	"errors"
	"fmt"
	"io"

	"github.com/bellwether-db/bellwether/replicator/event"
)

// window is how much of a file is read at once; a longer event makes it grow
// for as long as it is needed.
const window = 256 << 10

// headerWindow is enough for the header of nearly every file.
const headerWindow = 1 << 10

// walker reads the events of a file one after another. One goroutine uses it.
type walker struct {
	from io.ReaderAt
	// at is where the next event begins, end where the file's events end.
	at, end int64
	first   int64  // how much to read at first; 0: a window
	buf     []byte // what was read and not yet returned; begins at at
	whole   []byte // what buf is a part of
}

// next returns the next event, borrowed until the call after: io.EOF at the
// end, event.ErrShort where an event goes past it.
func (w *walker) next() (event.Event, error) {
	if w.at == w.end && len(w.buf) == 0 {
		return nil, io.EOF
	}
	e, err := w.ready()
	if err != nil {
		return nil, fmt.Errorf("event at %d: %w", w.at, err)
	}
	w.pass(len(e))
	return e, nil
}

// ready returns the next event without passing it; it is read if need be, a
// long one whole. A length that the file has no room for costs nothing.
func (w *walker) ready() (event.Event, error) {
	if _, err := w.peek(); err != nil {
		return nil, err
	}
	e, err := event.Next(w.buf)
	if errors.Is(err, event.ErrShort) && w.at+int64(len(w.buf)) < w.end {
		if err := w.fill(); err != nil {
			return nil, err
		}
		e, err = event.Next(w.buf)
	}
	if size := w.size(); errors.Is(err, event.ErrShort) && w.at+size <= w.end && size > 0 {
		if err := w.read(size); err != nil {
			return nil, err
		}
		return event.Next(w.buf)
	}
	return e, err
}

// peek returns the length of the next event as its header says it, 0 where
// there is no whole header.
func (w *walker) peek() (int64, error) {
	if len(w.buf) < event.HeaderSize && w.at+int64(len(w.buf)) < w.end {
		if err := w.fill(); err != nil {
			return 0, err
		}
	}
	return w.size(), nil
}

func (w *walker) size() int64 {
	if len(w.buf) < event.HeaderSize {
		return 0
	}
	return int64(event.Event(w.buf).Size())
}

// pass goes on behind n bytes.
func (w *walker) pass(n int) {
	w.buf = w.buf[min(n, len(w.buf)):]
	w.at += int64(n)
}

// fill reads a window from at on.
func (w *walker) fill() error {
	need := int64(window)
	if w.first > 0 {
		need, w.first = w.first, 0
	}
	return w.read(min(max(need, int64(len(w.buf))), w.end-w.at))
}

// read has n bytes from at on in the buffer; those that are there already are
// not read again. The buffer is a new one where the old one is too short, or
// longer than there is need for.
func (w *walker) read(n int64) error {
	kept := w.buf
	if have := int64(cap(w.whole)); have < n || have > window && n <= window {
		w.whole = make([]byte, n)
	}
	w.buf = w.whole[:n]
	had := copy(w.buf, kept)
	got, err := w.from.ReadAt(w.buf[had:], w.at+int64(had))
	w.buf = w.buf[:had+got]
	if err != nil && (int64(had+got) < n || !errors.Is(err, io.EOF)) {
		return fmt.Errorf("read %d bytes at %d: %w", n, w.at, err)
	}
	return nil
}
