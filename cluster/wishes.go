package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/bellwether-db/bellwether/internal/durable"
)

// wish is what an operator said of a node while Bellwether ran. It is a value.
type wish struct {
	Drain       bool `json:"drain"`
	Maintenance bool `json:"maintenance"`
	// What the configuration said then: where it says something else later, that
	// is the newer wish.
	ConfiguredDrain       bool `json:"configured_drain"`
	ConfiguredMaintenance bool `json:"configured_maintenance"`
}

// Keep has the registry keep operators' wishes in a file, and takes over those
// that are there, but for those that the configuration has overruled since. Call
// it once, behind the first Apply.
func (r *Registry) Keep(path string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.path, r.wishes = path, map[string]wish{}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(text, &r.wishes)
	}
	if err != nil {
		return fmt.Errorf("read the nodes' wishes: %w", err)
	}
	left := maps.Clone(r.wishes)
	for name, w := range r.wishes {
		c := r.before(name)
		if c.Name == "" || c.Drain != w.ConfiguredDrain || c.Maintenance != w.ConfiguredMaintenance {
			delete(left, name)
			continue
		}
		if err := r.put(name, w); err != nil {
			return err
		}
	}
	if err := r.keepWishes(left); err != nil {
		return fmt.Errorf("keep the nodes' wishes: %w", err)
	}
	return nil
}

// Set changes how a node is used, nil leaves that as it is, and keeps it over a
// restart. ErrNoNode where there is none of that name.
func (r *Registry) Set(name string, drain, maintenance *bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.store.Load()
	i := t.Find(name)
	if i < 0 {
		return fmt.Errorf("set node %q: %w", name, ErrNoNode)
	}
	c := r.before(name)
	w := wish{Drain: t.Nodes[i].Drain, Maintenance: t.Nodes[i].Maintenance, ConfiguredDrain: c.Drain, ConfiguredMaintenance: c.Maintenance}
	if drain != nil {
		w.Drain = *drain
	}
	if maintenance != nil {
		w.Maintenance = *maintenance
	}
	if err := r.keepWish(name, w); err != nil {
		return err
	}
	return r.put(name, w)
}

// EndMaintenance takes a node out of maintenance in a registry's file, while no
// Bellwether runs on it, whose configuration this is.
func EndMaintenance(path string, c Config, name string) error {
	r := NewRegistry(NewStore(&Topology{}))
	if _, err := r.Apply(c); err != nil {
		return err
	}
	if err := r.Keep(path); err != nil {
		return err
	}
	off := false
	return r.Set(name, nil, &off)
}

// put has the topology say so.
func (r *Registry) put(name string, w wish) error {
	_, err := r.store.Register(func(d *RegisterDraft) error {
		nodes := d.Nodes()
		at := slices.IndexFunc(nodes, func(n Node) bool { return n.Name == name })
		if at < 0 {
			return fmt.Errorf("set node %q: %w", name, ErrNoNode)
		}
		now := registrationOf(nodes[at])
		now.Drain, now.Maintenance = w.Drain, w.Maintenance
		d.Put(now)
		return nil
	})
	return err
}

// keepWish writes the wishes, with this one.
func (r *Registry) keepWish(name string, w wish) error {
	next := map[string]wish{}
	maps.Copy(next, r.wishes)
	next[name] = w
	if err := r.keepWishes(next); err != nil {
		return fmt.Errorf("keep node %s: %w", name, err)
	}
	return nil
}

// keepWishes writes what the wishes are from now on, unless that is what they are.
func (r *Registry) keepWishes(next map[string]wish) error {
	if r.path == "" || maps.Equal(next, r.wishes) {
		return nil
	}
	if err := durable.WriteJSON(r.path, next); err != nil {
		return err
	}
	r.wishes = next
	return nil
}

// outlived are the wishes behind a change of the configuration: wherever a node is
// used otherwise than it says. What it has overruled must not come back at a
// restart, by which time it may say again what it said before.
func outlived(nodes []Node, configured []NodeConfig) map[string]wish {
	wishes := map[string]wish{}
	for _, n := range nodes {
		i := slices.IndexFunc(configured, func(c NodeConfig) bool { return c.Name == n.Name })
		if i < 0 {
			continue
		}
		if c := configured[i]; n.Drain != c.Drain || n.Maintenance != c.Maintenance {
			wishes[n.Name] = wish{Drain: n.Drain, Maintenance: n.Maintenance, ConfiguredDrain: c.Drain, ConfiguredMaintenance: c.Maintenance}
		}
	}
	return wishes
}
