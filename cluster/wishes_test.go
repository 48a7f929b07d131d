package cluster

import (
	"errors"
	"path/filepath"
	"testing"
)

// A wish outlives a restart, until the configuration says something new.
func TestWishesAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nodes.json")
	c := Config{Nodes: []NodeConfig{{Name: "a", Addr: "a:1", Master: true}, {Name: "b", Addr: "b:1", Weight: 1}}}
	begin := func() (*Registry, *Store) {
		s := NewStore(&Topology{})
		r := NewRegistry(s)
		if _, err := r.Apply(c); err != nil {
			t.Fatal(err)
		}
		if err := r.Keep(path); err != nil {
			t.Fatal(err)
		}
		return r, s
	}
	r, s := begin()
	yes, no := true, false
	if err := r.Set("b", &yes, nil); err != nil || !s.Load().Nodes[1].Drain {
		t.Fatalf("drain %t, %v", s.Load().Nodes[1].Drain, err)
	}
	if err := r.Set("z", &yes, nil); !errors.Is(err, ErrNoNode) {
		t.Errorf("a node that is not there: %v", err)
	}
	r, s = begin()
	if n := s.Load().Nodes[1]; !n.Drain || n.Maintenance {
		t.Errorf("after a restart: %+v", n)
	}
	if err := r.Set("b", &no, &yes); err != nil {
		t.Fatal(err)
	}
	if _, s = begin(); s.Load().Nodes[1].Drain || !s.Load().Nodes[1].Maintenance {
		t.Errorf("after another one: %+v", s.Load().Nodes[1])
	}
	c.Nodes[1].Drain = true
	if _, s = begin(); !s.Load().Nodes[1].Drain || s.Load().Nodes[1].Maintenance {
		t.Errorf("the configuration has changed: %+v", s.Load().Nodes[1])
	}
}
