package admin

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// The bounds of the streams of events.
const (
	eventsKept   = 1000 // for those who come back
	readersMost  = 100
	readerBehind = 256 // events that a reader has not taken
)

// event is one thing that happened. It is a value.
type event struct {
	id   uint64
	kind string
	data []byte // JSON, one line
}

// text is the event as the stream has it.
func (e event) text() []byte {
	return fmt.Appendf(nil, "id: %d\nevent: %s\ndata: %s\n\n", e.id, e.kind, e.data)
}

// events hands out what happens to whoever reads. It is safe for concurrent use.
type events struct {
	mu      sync.Mutex
	next    uint64
	kept    []event // the oldest first
	readers map[*reader]struct{}
	closed  bool
}

// reader takes events. Its channel is closed where it does not keep up, or no
// more will come.
type reader struct {
	kinds []string // none: all
	queue chan event
}

// newEvents begins to count where no run before has been: with the time.
func newEvents(now time.Time) *events {
	return &events{next: uint64(now.UnixMilli()), readers: map[*reader]struct{}{}}
}

// publish tells everybody.
func (e *events) publish(kind string, document any) {
	data, err := json.Marshal(document)
	if err != nil {
		return // what is shown always can be
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	next := event{id: e.next, kind: kind, data: data}
	e.next++
	if len(e.kept) == eventsKept {
		e.kept = append(e.kept[:0], e.kept[1:]...)
	}
	e.kept = append(e.kept, next)
	for r := range e.readers {
		if !r.wants(kind) {
			continue
		}
		select {
		case r.queue <- next:
		default:
			e.drop(r)
		}
	}
}

func (r *reader) wants(kind string) bool { return len(r.kinds) == 0 || slices.Contains(r.kinds, kind) }

// enter adds a reader, and returns what it has to be told first: what it has
// missed since the event with this id, if that is still known. nil: there are
// too many, or no more events will come.
func (e *events) enter(kinds []string, since string) (*reader, []event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || len(e.readers) >= readersMost {
		return nil, nil
	}
	r := &reader{kinds: kinds, queue: make(chan event, readerBehind)}
	e.readers[r] = struct{}{}
	return r, e.missed(r, since)
}

func (e *events) missed(r *reader, since string) (out []event) {
	id, err := strconv.ParseUint(since, 10, 64)
	if err != nil || id >= e.next || len(e.kept) == 0 || id+1 < e.kept[0].id {
		return nil
	}
	for _, k := range e.kept {
		if k.id > id && r.wants(k.kind) {
			out = append(out, k)
		}
	}
	return out
}

// last is the id of the event that was published last.
func (e *events) last() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.next - 1
}

// watched says whether anybody reads.
func (e *events) watched() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.readers) > 0
}

// leave takes a reader away.
func (e *events) leave(r *reader) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.drop(r)
}

func (e *events) drop(r *reader) {
	if _, there := e.readers[r]; there {
		delete(e.readers, r)
		close(r.queue)
	}
}

// close ends every stream.
func (e *events) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	for r := range e.readers {
		e.drop(r)
	}
}
