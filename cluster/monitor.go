package cluster

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Monitor keeps health, lag, positions and the catalogue of the published
// topology fresh. Its methods may be called by any number of goroutines; Run
// by one, once.
type Monitor struct {
	store   *Store
	log     *slog.Logger
	metrics *Metrics
	config  atomic.Pointer[Config]
	trail   trail
	schemas *schemas
	open    func(addr string, c Config) (prober, error)

	visible visibility
	heart   *heart
	hurt    chan struct{} // somebody was

	mu       sync.Mutex
	watchers map[string]*watcher // by node name
}

// NewMonitor returns a monitor of the store's nodes. The nodes of c do not
// matter to it: it watches those of the topology. Metrics may be nil.
func NewMonitor(store *Store, c Config, log *slog.Logger, metrics *Metrics) *Monitor {
	m := &Monitor{store: store, log: log, metrics: metrics, watchers: map[string]*watcher{}, open: openProber, hurt: make(chan struct{}, 1)}
	m.schemas, m.heart = newSchemas(m), &heart{monitor: m}
	m.config.Store(&c)
	metrics.of(store)
	return m
}

func openProber(addr string, c Config) (prober, error) {
	db, err := OpenNode(addr, c)
	if err != nil {
		return nil, err
	}
	return newNodeProber(db, c.ProbeTimeout), nil
}

// Apply takes over another configuration, from the next probe on. The list of
// nodes is the Registry's business.
func (m *Monitor) Apply(c Config) {
	m.config.Store(&c)
	m.schemas.changing()()
}

// alignInterval is how soon a node that was added is watched, and one that was
// removed is not.
const alignInterval = 100 * time.Millisecond

// Run probes until the context ends, and returns once everything that it
// started has.
func (m *Monitor) Run(ctx context.Context) error {
	var children sync.WaitGroup
	defer m.visible.close()
	defer children.Wait()
	children.Go(func() { m.schemas.run(ctx) })
	children.Go(func() { m.tellHurt(ctx) })
	children.Go(func() { m.heart.run(ctx) })
	tick := time.NewTicker(alignInterval)
	defer tick.Stop()
	for {
		m.align(ctx, &children)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// align starts a watcher for each node of the topology, and ends those of nodes
// that are gone or are reached in another way now.
func (m *Monitor) align(ctx context.Context, children *sync.WaitGroup) {
	nodes, config := m.store.Load().Nodes, m.config.Load()
	m.mu.Lock()
	defer m.mu.Unlock()
	want := make(map[string]bool, len(nodes))
	for i := range nodes {
		n := &nodes[i]
		want[n.Name] = true
		if w := m.watchers[n.Name]; w != nil && w.fits(n.Addr, config) {
			continue
		}
		m.start(ctx, n, config, children)
	}
	for name, w := range m.watchers {
		if !want[name] {
			w.cancel()
			delete(m.watchers, name)
			children.Go(func() { <-w.done; m.metrics.forget(name) })
		}
	}
}

// start replaces the watcher of a node.
func (m *Monitor) start(ctx context.Context, n *Node, config *Config, children *sync.WaitGroup) {
	if old := m.watchers[n.Name]; old != nil {
		old.cancel()
	}
	probe, err := m.open(n.Addr, *config)
	if err != nil {
		m.log.Error("node cannot be watched", "node", n.Name, "error", err)
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	w := &watcher{
		monitor: m, name: n.Name, addr: n.Addr, config: config, probe: probe, cancel: cancel,
		wake: make(chan struct{}, 1), done: make(chan struct{}), log: m.log.With("node", n.Name),
	}
	m.watchers[n.Name] = w
	children.Go(func() { w.run(ctx) })
}

// Observe is the door for hints: somebody failed to reach a node, or was hurt
// by it. The next probe of the node comes at once, and Node.Hurt says when it
// was. It never blocks. A connection that was closed on this side hurt nobody.
func (m *Monitor) Observe(node string, err error) {
	if errors.Is(err, net.ErrClosed) {
		return
	}
	w := m.watcher(node)
	if w == nil {
		return
	}
	w.hurt.Store(time.Now().UnixNano())
	select {
	case m.hurt <- struct{}{}:
	default:
	}
	w.sooner(err)
}

func (m *Monitor) watcher(node string) *watcher {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.watchers[node]
}

// hurtInterval is between two reports of who was hurt: a thousand clients lose
// their connections at once.
const hurtInterval = 20 * time.Millisecond

// tellHurt publishes when connections were lost, beside the probes, of which one
// may be waiting for its answer just then.
func (m *Monitor) tellHurt(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.hurt:
		}
		m.store.Report(func(d *ReportDraft) {
			m.mu.Lock()
			defer m.mu.Unlock()
			for _, w := range m.watchers {
				if at := w.hurt.Load(); at != 0 {
					d.SetHurt(w.name, w.addr, time.Unix(0, at))
				}
			}
		})
		rest := time.NewTimer(hurtInterval)
		select {
		case <-ctx.Done():
		case <-rest.C:
		}
		rest.Stop()
	}
}
