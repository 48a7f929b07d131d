package upstream

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
)

// memory is a Sink that keeps GTIDs, in their order, and what a test wants to
// find in the events. It fails when its contract is broken. Its fields are set
// before it is used; the methods of a Sink are for one goroutine, the others
// for any.
type memory struct {
	delay time.Duration // of each Sync
	sync  func() error  // called in Sync, if not nil
	write func() error  // called in Append, if not nil

	mu       sync.Mutex
	executed *cluster.GTIDSet
	order    []cluster.GTID // durable
	pending  []cluster.GTID // whole, not durable
	open     cluster.GTID   // begun
	files    int
	syncs    int
	aborts   int
	largest  int
	refused  bool // a transaction came twice; Abort must follow
	ready    bool // a format has come since the last Abort
	texts    [][]byte
}

var _ Sink = (*memory)(nil)

func newMemory(f cluster.Flavour) *memory { return &memory{executed: cluster.EmptyGTIDSet(f)} }

var errSinkMisused = errors.New("sink misused")

func (m *memory) Executed() *cluster.GTIDSet {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.executed
}

func (m *memory) Rotate(format event.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if format.Type() != event.FormatDescription || !m.open.IsZero() {
		return fmt.Errorf("rotate with %s inside %q: %w", format.Type(), m.open, errSinkMisused)
	}
	m.files++
	m.ready = true
	return nil
}

func (m *memory) Append(e event.Event, mark event.Mark) error {
	if m.write != nil {
		if err := m.write(); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.largest = max(m.largest, len(e))
	inside := !m.open.IsZero()
	switch {
	case !m.ready:
		return fmt.Errorf("append before a format: %w", errSinkMisused)
	case mark.Part == event.Control:
		return nil
	case mark.Part == event.Begin && inside, mark.Part != event.Begin && !inside:
		return fmt.Errorf("append %s of %s while %q is open: %w", mark.Part, mark.GTID, m.open, errSinkMisused)
	case mark.Part == event.Begin && (m.executed.Contains(mark.GTID) || slices.Contains(m.pending, mark.GTID)):
		m.refused = true
		return fmt.Errorf("%s: %w", mark.GTID, storedlog.ErrOrder)
	case mark.Part == event.Begin:
		m.open = mark.GTID
	case mark.Part == event.End:
		m.open = cluster.GTID{}
		m.pending = append(m.pending, mark.GTID)
	}
	if len(e) < 4<<10 {
		m.texts = append(m.texts, bytes.Clone(e))
	}
	return nil
}

func (m *memory) Tidy() error { return nil }

func (m *memory) Harden() error {
	time.Sleep(m.delay)
	if m.sync != nil {
		if err := m.sync(); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, g := range m.pending {
		if m.executed.Contains(g) {
			return fmt.Errorf("%s came twice: %w", g, errSinkMisused)
		}
		m.executed = m.executed.With(g)
	}
	m.order = append(m.order, m.pending...)
	m.pending = nil
	m.syncs++
	return nil
}

func (m *memory) Abort() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.open.IsZero() && !m.refused {
		return fmt.Errorf("abort outside a transaction: %w", errSinkMisused)
	}
	m.open, m.ready, m.refused = cluster.GTID{}, false, false
	m.aborts++
	return nil
}

// durable is a copy of what is durable, in its order.
func (m *memory) durable() []cluster.GTID {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.order)
}

// seen says whether an event held the text.
func (m *memory) seen(text string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(m.texts, func(b []byte) bool { return bytes.Contains(b, []byte(text)) })
}

// counts are the numbers of what happened.
func (m *memory) counts() (files, syncs, aborts, largest int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.files, m.syncs, m.aborts, m.largest
}
