package cluster

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// roles are the nodes that a scrape shows as masters.
func roles(t *testing.T, g prometheus.Gatherer) (masters string) {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "bellwether_node_role" {
			continue
		}
		for _, m := range f.GetMetric() { // labels come by name: node, role
			if l := m.GetLabel(); m.GetGauge().GetValue() == 1 && l[1].GetValue() == "master" {
				masters += l[0].GetValue() + " "
			}
		}
	}
	return strings.TrimSpace(masters)
}

// A scrape shows who is the master at that moment, not when the probes last looked.
func TestMetricsShowTheRolesOfTheMoment(t *testing.T) {
	registry, store := prometheus.NewRegistry(), NewStore(&Topology{Master: -1})
	if _, err := NewRegistry(store).Apply(Config{Nodes: []NodeConfig{{Name: "node1", Addr: "a:1", Weight: 1}, {Name: "node2", Addr: "b:1", Weight: 1}}}); err != nil {
		t.Fatal(err)
	}
	NewMonitor(store, Default(), slog.New(slog.DiscardHandler), NewMetrics(registry))
	for _, name := range []string{"node1", "node2"} {
		_, err := store.Advance(store.Load().Generation, func(d *RoleDraft) error { d.ClearMaster(); return d.SetMaster(name, name) })
		if err != nil {
			t.Fatal(err)
		}
		if got := roles(t, registry); got != name {
			t.Errorf("masters shown: %q, want %s", got, name)
		}
	}
}
