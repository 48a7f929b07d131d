package cluster

import (
	"context"
	"sync"
)

// heart has the heartbeat written on whoever is the master. Its methods may be
// called by any number of goroutines; run by one, once.
type heart struct {
	monitor *Monitor

	mu       sync.Mutex
	current  *beater       // of the present master, nil without one
	underway int           // writes, of it and of former ones
	still    chan struct{} // closed when none is any more; nil while there is none
}

// place is where the heartbeat is written. It is comparable.
type place struct {
	name, addr, identity string
	epoch                uint64
	config               *Config
}

// placeOf returns where the heartbeat belongs: on the server that was recorded
// as the master, and nowhere while it is not known to be that one.
func placeOf(t *Topology, c *Config) (p place, ok bool) {
	m := t.MasterNode()
	if m == nil || c.HeartbeatInterval <= 0 || t.MasterIdentity == "" || m.Identity != t.MasterIdentity {
		return place{}, false
	}
	return place{m.Name, m.Addr, m.Identity, m.Epoch, c}, true
}

// due says whether a heartbeat may be written there now.
func (p place) due(t *Topology) bool {
	now, ok := placeOf(t, p.config)
	if !ok || now != p || t.Writes != WritesOpen {
		return false
	}
	m := t.MasterNode()
	return m.Health == HealthUp && !m.ReadOnly
}

// run follows the master until ctx ends.
func (h *heart) run(ctx context.Context) {
	var children sync.WaitGroup
	defer children.Wait()
	for {
		t := h.monitor.store.Load()
		h.follow(ctx, t, &children)
		select {
		case <-ctx.Done():
			return
		case <-t.Outdated():
		}
	}
}

// follow ends the writes on who is the master no longer, and begins those on who is.
func (h *heart) follow(ctx context.Context, t *Topology, children *sync.WaitGroup) {
	want, ok := placeOf(t, h.monitor.config.Load())
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.current != nil && (!ok || h.current.place != want) {
		h.current.stop()
		h.current = nil
	}
	if h.current != nil || !ok {
		return
	}
	b, err := newBeater(ctx, h, want)
	if err != nil {
		h.monitor.log.Error("heartbeat cannot be written", "node", want.name, "error", err)
		return
	}
	h.current = b
	children.Go(func() { b.run(ctx) })
}

// of returns the writer of the heartbeat on a node, nil without one.
func (h *heart) of(node string) *beater {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.current == nil || h.current.place.name != node {
		return nil
	}
	return h.current
}

// enter counts a write in, if one is due. It is counted before the topology is
// looked at: who has published that writes are held sees it, or it sees that.
func (h *heart) enter(p place) bool {
	h.mu.Lock()
	if h.underway++; h.still == nil {
		h.still = make(chan struct{})
	}
	h.mu.Unlock()
	if p.due(h.monitor.store.Load()) {
		return true
	}
	h.leave()
	return false
}

// leave counts a write out.
func (h *heart) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.underway--; h.underway == 0 {
		close(h.still)
		h.still = nil
	}
}

// Still returns once no heartbeat is being written, and then none is until writes
// are open: who changes the master asks for it once it has published that they
// are not. With ctx's error where one still is: it hangs, and must be counted with
// the writes whose end nobody knows.
func (m *Monitor) Still(ctx context.Context) error {
	m.heart.mu.Lock()
	still := m.heart.still
	m.heart.mu.Unlock()
	if still == nil {
		return nil
	}
	select {
	case <-still:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
