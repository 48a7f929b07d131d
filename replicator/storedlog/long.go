package storedlog

import (
	"fmt"
	"sync"

	"github.com/bellwether-db/bellwether/replicator/event"
)

// longEvents lets the readers that are at the same long event share its bytes:
// every slave gets a row of 40 MB at the same time, and one copy of it is
// enough. It may be used by any number of goroutines; its zero value is ready.
type longEvents struct {
	mu   sync.Mutex
	held map[place]*longEvent
}

// place is where an event is: the number of a file, and an offset.
type place struct {
	number uint64
	at     int64
}

// longEvent is an event that readers hold. Its bytes do not change.
type longEvent struct {
	readers int // guarded by longEvents.mu
	once    sync.Once
	bytes   []byte
	err     error
}

// take returns the event at a place, whose length is size; the first of those
// who hold it reads it. It is to be released.
func (l *longEvents) take(p place, size int64, from file) (event.Event, error) {
	l.mu.Lock()
	if l.held == nil {
		l.held = map[place]*longEvent{}
	}
	e := l.held[p]
	if e == nil {
		e = &longEvent{}
		l.held[p] = e
	}
	e.readers++
	l.mu.Unlock()
	e.once.Do(func() { e.bytes, e.err = readLong(from, p.at, size) })
	if e.err != nil {
		l.release(p)
	}
	return e.bytes, e.err
}

// release gives back what take returned.
func (l *longEvents) release(p place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.held[p]
	if e.readers--; e.readers == 0 {
		delete(l.held, p)
	}
}

func readLong(from file, at, size int64) ([]byte, error) {
	out := make([]byte, size)
	if n, err := from.ReadAt(out, at); int64(n) < size {
		return nil, fmt.Errorf("read %d bytes at %d: %w", size, at, err)
	}
	return out, nil
}
