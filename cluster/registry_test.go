package cluster

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func nodesOf(text string) (c Config) {
	for part := range strings.FieldsSeq(text) {
		fields := strings.Split(part, "/")
		n := NodeConfig{Name: fields[0], Addr: fields[0] + ":3306", Weight: 1}
		for _, option := range fields[1:] {
			switch option {
			case "drain":
				n.Drain = true
			case "maintenance":
				n.Maintenance = true
			case "heavy":
				n.Weight = 5
			default:
				n.Addr = option
			}
		}
		c.Nodes = append(c.Nodes, n)
	}
	return c
}

func TestRegistryApply(t *testing.T) {
	store := NewStore(&Topology{})
	registry := NewRegistry(store)
	steps := []struct{ nodes, want string }{
		{"a b", "node a added at a:3306; node b added at b:3306"},
		{"a b", ""},
		{"a b/drain", "node b drain on"},
		{"b/heavy c a", "node b weight from 1 to 5; node b drain off; node c added at c:3306"},
		{"b/heavy/x:1 c/maintenance a", "node b moved from b:3306 to x:1; node c maintenance on"},
		{"a", "node b removed; node c removed"},
	}
	for _, step := range steps {
		changes, err := registry.Apply(nodesOf(step.nodes))
		if err != nil || strings.Join(changes, "; ") != step.want {
			t.Errorf("%s: %q, %v", step.nodes, changes, err)
		}
	}
}

func TestRegistryRefuses(t *testing.T) {
	store := NewStore(&Topology{})
	registry := NewRegistry(store)
	if _, err := registry.Apply(nodesOf("a b")); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Advance(0, func(d *RoleDraft) error { return d.SetMaster("a", "id") }); err != nil {
		t.Fatal(err)
	}
	before := store.Load()
	if _, err := registry.Apply(Config{}); err == nil {
		t.Error("an empty list was accepted")
	}
	if _, err := registry.Apply(nodesOf("c b/drain")); !errors.Is(err, ErrIsMaster) {
		t.Errorf("the master was removed: %v", err)
	}
	if store.Load() != before {
		t.Error("a refused change was published in part")
	}
}

func TestRegistryKeepsOrderAndMaster(t *testing.T) {
	store := NewStore(&Topology{})
	registry := NewRegistry(store)
	if _, err := registry.Apply(nodesOf("a b c")); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Advance(0, func(d *RoleDraft) error { return d.SetMaster("b", "id") }); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.Apply(nodesOf("c b d a")); err != nil {
		t.Fatal(err)
	}
	after := store.Load()
	var names []string
	for _, n := range after.Nodes {
		names = append(names, n.Name)
	}
	if !slices.Equal(names, []string{"c", "b", "d", "a"}) || after.MasterNode().Name != "b" || after.MasterNode().Role != RoleMaster {
		t.Errorf("nodes %v, master %v", names, after.Master)
	}
}

func TestRegistryKeepsWhatTheFileDoesNotChange(t *testing.T) {
	store := NewStore(&Topology{})
	registry := NewRegistry(store)
	if _, err := registry.Apply(nodesOf("a b")); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Register(func(d *RegisterDraft) error {
		d.Put(Registration{Name: "b", Addr: "b:3306", Weight: 1, Drain: true}) // an operator's wish
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.Apply(nodesOf("a b/heavy")); err != nil {
		t.Fatal(err)
	}
	if n := store.Load().Nodes[1]; !n.Drain || n.Weight != 5 {
		t.Errorf("node %+v", n)
	}
}

func TestConfigValidate(t *testing.T) {
	good := func() Config {
		c := Default()
		c.Nodes, c.Operator = nodesOf("a b").Nodes, Account{User: "op"}
		return c
	}
	if err := good().Validate(); err != nil {
		t.Error(err)
	}
	tests := map[string]func(*Config){
		"the list is empty":         func(c *Config) { c.Nodes = nil },
		"number 1 has no name":      func(c *Config) { c.Nodes[0].Name = "" },
		"node a: the name":          func(c *Config) { c.Nodes[1].Name = "a" },
		"is that of a, too":         func(c *Config) { c.Nodes[1].Addr = "a:3306" },
		`"a" is not of the form`:    func(c *Config) { c.Nodes[0].Addr = "a" },
		`":3306" is not`:            func(c *Config) { c.Nodes[0].Addr = ":3306" },
		`"a:0" is not`:              func(c *Config) { c.Nodes[0].Addr = "a:0" },
		`"a:70000" is not`:          func(c *Config) { c.Nodes[0].Addr = "a:70000" },
		"weight -1":                 func(c *Config) { c.Nodes[0].Weight = -1 },
		"each named the master":     func(c *Config) { c.Nodes[0].Master, c.Nodes[1].Master = true, true },
		"operator account: no user": func(c *Config) { c.Operator.User = "" },
		"max_lag":                   func(c *Config) { c.MaxLag = 0 },
		"probe_interval":            func(c *Config) { c.ProbeInterval = 0 },
		"an empty name":             func(c *Config) { c.SafeFunctions = []string{""} },
	}
	for want, spoil := range tests {
		c := good()
		if spoil(&c); c.Validate() == nil || !strings.Contains(c.Validate().Error(), want) {
			t.Errorf("want %q, got %v", want, c.Validate())
		}
	}
}
