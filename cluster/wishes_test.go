package cluster

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// started is a registry as it is behind a start.
func started(t *testing.T, c Config, path string) (*Registry, *Store) {
	t.Helper()
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

// A wish outlives a restart, until the configuration says something new.
func TestWishesAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nodes.json")
	c := Config{Nodes: []NodeConfig{{Name: "a", Addr: "a:1", Master: true}, {Name: "b", Addr: "b:1", Weight: 1}}}
	begin := func() (*Registry, *Store) { return started(t, c, path) }
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

// A wish that the configuration has overruled, and one for a node that was taken
// out, do not come back at a restart, though the file says again what it said.
func TestOverruledWishesAreGone(t *testing.T) {
	maintained := Config{Nodes: []NodeConfig{{Name: "a", Addr: "a:1", Master: true}, {Name: "b", Addr: "b:1", Weight: 1, Maintenance: true}}}
	alone := Config{Nodes: maintained.Nodes[:1]}
	for name, c := range map[string]struct {
		between Config
		restart bool // while that is what it says
	}{
		"said otherwise":                     {maintained, false},
		"said otherwise, known at a restart": {maintained, true},
		"taken out":                          {alone, false},
		"taken out, known at a restart":      {alone, true},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "nodes.json")
			plain := Config{Nodes: []NodeConfig{maintained.Nodes[0], {Name: "b", Addr: "b:1", Weight: 1}}}
			r, s := started(t, plain, path)
			yes := true
			if err := r.Set("b", nil, &yes); err != nil {
				t.Fatal(err)
			}
			if c.restart {
				r, s = started(t, c.between, path)
			} else if _, err := r.Apply(c.between); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Apply(plain); err != nil {
				t.Fatal(err)
			}
			if i := s.Load().Find("b"); s.Load().Nodes[i].Maintenance {
				t.Error("it is in maintenance while Bellwether runs")
			}
			if _, s = started(t, plain, path); s.Load().Nodes[1].Maintenance {
				t.Error("it is in maintenance after a restart")
			}
		})
	}
}

// What a reload leaves as an operator wants it is so after a restart, too.
func TestWishOutlivesAReload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nodes.json")
	c := Config{Nodes: []NodeConfig{{Name: "a", Addr: "a:1", Master: true}, {Name: "b", Addr: "b:1", Weight: 1}}}
	r, s := started(t, c, path)
	yes := true
	if err := r.Set("b", nil, &yes); err != nil {
		t.Fatal(err)
	}
	c.Nodes[1].Drain = true
	if _, err := r.Apply(c); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"after the reload", "after a restart"} {
		if n := s.Load().Nodes[1]; !n.Drain || !n.Maintenance {
			t.Errorf("%s: drain %t, maintenance %t", when, n.Drain, n.Maintenance)
		}
		_, s = started(t, c, path)
	}
}

// A wish that could not be written is not kept by the next one.
func TestRefusedWishIsForgotten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	c := Config{Nodes: []NodeConfig{{Name: "a", Addr: "a:1", Master: true}, {Name: "b", Addr: "b:1", Weight: 1}, {Name: "c", Addr: "c:1", Weight: 1}}}
	path := filepath.Join(dir, "nodes.json")
	r, s := started(t, c, path)
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	yes := true
	if err := r.Set("b", nil, &yes); err == nil || s.Load().Nodes[1].Maintenance {
		t.Errorf("%v, %+v", err, s.Load().Nodes[1])
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := r.Set("c", nil, &yes); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); err != nil || strings.Contains(string(text), `"b"`) {
		t.Errorf("%v, %s", err, text)
	}
}
