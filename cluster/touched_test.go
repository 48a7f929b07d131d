package cluster

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// touching is a registry of a master and two slaves that keeps marks in a file.
func touching(t *testing.T, path, nodes string) (*Registry, *Store) {
	t.Helper()
	store := NewStore(&Topology{})
	registry := NewRegistry(store)
	if _, err := registry.Apply(nodesOf(nodes)); err != nil {
		t.Fatal(err)
	}
	if err := registry.KeepTouched(path); err != nil {
		t.Fatal(err)
	}
	return registry, store
}

func crown(t *testing.T, store *Store, name string) {
	t.Helper()
	if _, err := store.Advance(store.Load().Generation, func(d *RoleDraft) error { return d.SetMaster(name, "id") }); err != nil {
		t.Fatal(err)
	}
}

// A mark is on disk before anything is done, outlives restarts and the node's
// leaving the configuration, and no reads go there.
func TestTouchIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "touched.json")
	registry, store := touching(t, path, "a b c")
	if _, err := registry.Touch("b", "x"); !errors.Is(err, ErrUndecided) {
		t.Errorf("without a master: %v", err)
	}
	crown(t, store, "a")
	for name, want := range map[string]error{"a": ErrIsMaster, "z": ErrNoNode} {
		if _, err := registry.Touch(name, "x"); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	done, err := registry.Touch("b", "insert into shop.item")
	if err != nil {
		t.Fatal(err)
	}
	done()
	n := store.Load().Nodes[1]
	n.Role, n.Health, n.Weight = RoleSlave, HealthUp, 1
	if !strings.HasSuffix(n.Touched, ": insert into shop.item") || n.Readable() {
		t.Errorf("%q, readable %t", n.Touched, n.Readable())
	}
	if _, err := registry.Touch("b", "update shop.item"); err != nil {
		t.Fatal(err)
	}
	if said := store.Load().Nodes[1].Touched; !strings.Contains(said, "2 times since") || !strings.HasSuffix(said, ": update shop.item") {
		t.Error(said)
	}
	_, store = touching(t, path, "a b c")
	if store.Load().Nodes[1].Touched == "" || store.Load().Nodes[2].Touched != "" {
		t.Errorf("after a restart: %+v", store.Load().Nodes)
	}
	registry, store = touching(t, path, "a c")
	if _, err := registry.Apply(nodesOf("a c b")); err != nil || store.Load().Nodes[2].Touched == "" {
		t.Errorf("back in the configuration: %+v, %v", store.Load().Nodes, err)
	}
}

// A comparison clears the mark only of what was done before it began.
func TestExamine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "touched.json")
	registry, store := touching(t, path, "a b")
	crown(t, store, "a")
	if clear, err := registry.Examine("b")(); !clear || err != nil {
		t.Errorf("there is nothing to clear: %t, %v", clear, err)
	}
	begin := func() func() {
		done, err := registry.Touch("b", "x")
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	done := begin()
	within := registry.Examine("b")
	done()
	if clear, err := within(); clear || err != nil {
		t.Errorf("it had not ended: %t, %v", clear, err)
	}
	before := registry.Examine("b")
	begin()()
	if clear, err := before(); clear || err != nil || store.Load().Nodes[1].Touched == "" {
		t.Errorf("it was touched anew: %t, %v", clear, err)
	}
	if clear, err := registry.Examine("b")(); !clear || err != nil || store.Load().Nodes[1].Touched != "" {
		t.Errorf("it is equal: %t, %v", clear, err)
	}
	if _, store = touching(t, path, "a b"); store.Load().Nodes[1].Touched != "" {
		t.Error("the mark is back after a restart")
	}
}

// A copy that is made while no Bellwether runs takes the mark along.
func TestUntouch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "touched.json")
	if err := Untouch(path, "b"); err != nil {
		t.Errorf("without a file: %v", err)
	}
	registry, store := touching(t, path, "a b c")
	crown(t, store, "a")
	for _, name := range []string{"b", "c"} {
		if _, err := registry.Touch(name, "x"); err != nil {
			t.Fatal(err)
		}
	}
	if err := Untouch(path, "b"); err != nil {
		t.Fatal(err)
	}
	_, store = touching(t, path, "a b c")
	if nodes := store.Load().Nodes; nodes[1].Touched != "" || nodes[2].Touched == "" {
		t.Errorf("%q and %q", nodes[1].Touched, nodes[2].Touched)
	}
}

// What cannot be kept is not done, and a file that cannot be read is no file
// without marks.
func TestTouchNeedsItsFile(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "state")
	path := filepath.Join(folder, "touched.json")
	registry, store := touching(t, path, "a b")
	crown(t, store, "a")
	if _, err := registry.Touch("b", "x"); err == nil || store.Load().Nodes[1].Touched != "" {
		t.Errorf("%v, %q", err, store.Load().Nodes[1].Touched)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := registry.KeepTouched(path); err == nil {
		t.Error("a broken file was taken for none")
	}
}
