package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
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
	for name, w := range r.wishes {
		c := r.before(name)
		if c.Name == "" || c.Drain != w.ConfiguredDrain || c.Maintenance != w.ConfiguredMaintenance {
			delete(r.wishes, name)
			continue
		}
		if err := r.put(name, w); err != nil {
			return err
		}
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

// keepWish writes the wishes, with this one, whole or not at all.
func (r *Registry) keepWish(name string, w wish) error {
	if r.path == "" {
		return nil
	}
	r.wishes[name] = w
	text, err := json.MarshalIndent(r.wishes, "", "  ")
	if err != nil {
		return fmt.Errorf("keep node %s: %w", name, err)
	}
	f, err := os.CreateTemp(filepath.Dir(r.path), filepath.Base(r.path)+".*.new")
	if err != nil {
		return fmt.Errorf("keep node %s: %w", name, err)
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), r.path)
	}
	if err != nil {
		return fmt.Errorf("keep node %s: %w", name, errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}
