package cluster

import (
	"fmt"
	"slices"
	"sync"
)

// Registry owns which nodes there are and how they may be used: weight, drain,
// maintenance, touched by hand. It is safe for concurrent use.
//
// The configuration is its first content, and each reload is a change to it:
// only what the file says differently than before is changed, so that an
// operator's drain survives an unrelated reload.
type Registry struct {
	store *Store

	mu      sync.Mutex
	applied []NodeConfig // the last configuration that was applied
	path    string       // where wishes are kept, "" for nowhere
	wishes  map[string]wish
	touched touches
}

// NewRegistry returns a registry that knows of no node yet.
func NewRegistry(store *Store) *Registry { return &Registry{store: store} }

// Apply takes over a configuration, whole or not at all, and returns one
// sentence for each thing that changed. It refuses an empty list of nodes, and
// to remove the master.
func (r *Registry) Apply(c Config) (changes []string, err error) {
	if err := c.validateNodes(); err != nil {
		return nil, fmt.Errorf("apply nodes: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, err = r.store.Register(func(d *RegisterDraft) error {
		changes = r.change(d, c.Nodes)
		if err := r.prune(d, c.Nodes, &changes); err != nil {
			return err
		}
		return r.keepWishes(outlived(d.Nodes(), c.Nodes))
	})
	if err != nil {
		return nil, fmt.Errorf("apply nodes: %w", err)
	}
	r.applied = slices.Clone(c.Nodes)
	return changes, nil
}

// change adds new nodes and applies what differs from the configuration before.
func (r *Registry) change(d *RegisterDraft, nodes []NodeConfig) (changes []string) {
	present := d.Nodes()
	names := make([]string, len(nodes))
	for i, want := range nodes {
		names[i] = want.Name
		at := slices.IndexFunc(present, func(n Node) bool { return n.Name == want.Name })
		if at < 0 {
			d.Put(Registration{Name: want.Name, Addr: want.Addr, Weight: want.Weight, Drain: want.Drain, Maintenance: want.Maintenance, Touched: r.touched.says(want.Name)})
			changes = append(changes, fmt.Sprintf("node %s added at %s", want.Name, want.Addr))
			continue
		}
		now := registrationOf(present[at])
		if said := now.follow(r.before(want.Name), want); len(said) > 0 {
			d.Put(now)
			changes = append(changes, said...)
		}
	}
	d.Arrange(names)
	return changes
}

// prune removes the nodes that the configuration no longer has.
func (r *Registry) prune(d *RegisterDraft, nodes []NodeConfig, changes *[]string) error {
	for _, n := range d.Nodes() {
		if slices.ContainsFunc(nodes, func(c NodeConfig) bool { return c.Name == n.Name }) {
			continue
		}
		if err := d.Remove(n.Name); err != nil {
			return err
		}
		*changes = append(*changes, fmt.Sprintf("node %s removed", n.Name))
	}
	return nil
}

// before returns what the configuration said of a node when last applied.
func (r *Registry) before(name string) NodeConfig {
	for _, n := range r.applied {
		if n.Name == name {
			return n
		}
	}
	return NodeConfig{}
}

func registrationOf(n Node) Registration {
	return Registration{Name: n.Name, Addr: n.Addr, Weight: n.Weight, Drain: n.Drain, Maintenance: n.Maintenance, Touched: n.Touched}
}

// follow changes what the configuration says differently than before.
func (r *Registration) follow(before, want NodeConfig) (changes []string) {
	if want.Addr != before.Addr && want.Addr != r.Addr {
		changes = append(changes, fmt.Sprintf("node %s moved from %s to %s", r.Name, r.Addr, want.Addr))
		r.Addr = want.Addr
	}
	if want.Weight != before.Weight && want.Weight != r.Weight {
		changes = append(changes, fmt.Sprintf("node %s weight from %d to %d", r.Name, r.Weight, want.Weight))
		r.Weight = want.Weight
	}
	if want.Drain != before.Drain && want.Drain != r.Drain {
		changes = append(changes, fmt.Sprintf("node %s drain %s", r.Name, onOff(want.Drain)))
		r.Drain = want.Drain
	}
	if want.Maintenance != before.Maintenance && want.Maintenance != r.Maintenance {
		changes = append(changes, fmt.Sprintf("node %s maintenance %s", r.Name, onOff(want.Maintenance)))
		r.Maintenance = want.Maintenance
	}
	return changes
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
