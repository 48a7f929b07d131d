package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/bellwether-db/bellwether/admin"
	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/config"
)

// roster is which nodes there are, for those who change it while the house runs.
// It is safe for concurrent use, once the house is built.
type roster struct {
	*house
	file *configuration
}

var _ admin.Fleet = roster{}

// Add implements admin.Fleet.
func (r roster) Add(n admin.NewNode) error {
	keys := []config.Key{{Name: "name", Value: n.Name}, {Name: "address", Value: strconv.Quote(n.Address)}}
	if n.Weight != nil {
		keys = append(keys, config.Key{Name: "weight", Value: strconv.Itoa(*n.Weight)})
	}
	for _, k := range []struct {
		name string
		on   bool
	}{{"drain", n.Drain}, {"maintenance", n.Maintenance}} {
		if k.on {
			keys = append(keys, config.Key{Name: k.name, Value: "true"})
		}
	}
	for _, k := range []config.Key{{Name: "datacentre", Value: n.DataCentre}, {Name: "rest", Value: n.REST}} {
		if k.Value != "" {
			keys = append(keys, config.Key{Name: k.Name, Value: strconv.Quote(k.Value)})
		}
	}
	return r.file.edit(func(path string, now []byte) ([]byte, error) { return config.WithNode(path, now, keys) })
}

// Change implements admin.Fleet.
func (r roster) Change(name string, c admin.NodeChange) error {
	if c.Weight != nil {
		err := r.file.edit(func(path string, now []byte) ([]byte, error) { return config.WithWeight(path, now, name, *c.Weight) })
		if err != nil {
			return err
		}
	}
	if c.Drain == nil && c.Maintenance == nil {
		return nil
	}
	if err := r.set(name, c); errors.Is(err, cluster.ErrNoNode) {
		return fmt.Errorf("%w: %w", admin.ErrUnknown, err)
	} else if err != nil {
		return fmt.Errorf("%w: %w", admin.ErrRefused, err)
	}
	r.log.Info("node set by an operator", "node", name, "drain", c.Drain, "maintenance", c.Maintenance)
	return nil
}

// set has a node used as somebody wants it. Who says something of its maintenance
// has the last word: a copy that put it there does not end that any more.
func (r roster) set(name string, c admin.NodeChange) error {
	if c.Maintenance == nil {
		return r.registry.Set(name, c.Drain, nil)
	}
	return r.copying.change(func(nodes []string) ([]string, error) {
		return without(nodes, name), r.registry.Set(name, c.Drain, c.Maintenance)
	})
}

// Remove implements admin.Fleet.
func (r roster) Remove(name string) error {
	return r.file.edit(func(path string, now []byte) ([]byte, error) { return config.WithoutNode(path, now, name) })
}

// Load implements admin.Fleet.
func (r roster) Load(name string) admin.NodeLoad {
	total, leased := r.pools.Counts(name)
	load := admin.NodeLoad{Idle: max(total-leased, 0), Busy: leased}
	if stats := r.pools.Stats(name); stats != nil {
		load.Outstanding = int(stats.Outstanding.Load())
	}
	return load
}

// flow is how the stream of writes does, for admin. It is safe for concurrent
// use.
type flow struct{ *house }

var _ admin.Stream = flow{}

// Feed implements admin.Stream.
func (f flow) Feed() string { return f.replicator.Status().Feed.String() }

// Position implements admin.Stream.
func (f flow) Position() string {
	if stored := f.replicator.Status().Stored; stored != nil {
		return stored.String()
	}
	return ""
}
