package proxy

import (
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
)

// A client that comes while no node can be reached is held like a statement,
// and let in as soon as one can.
func TestLoginIsHeld(t *testing.T) {
	for what, version := range map[string]string{"not asked yet": "", "gone": "9.7.0"} {
		t.Run(what, func(t *testing.T) {
			h := newHouse(t, func(c *Config, _ *backend.Config) { c.HoldTimeout = time.Minute }, (&node{name: "node1"}).handler())
			addr := h.store.Load().Nodes[0].Addr
			becomes := func(health cluster.Health, version string) {
				h.store.Report(func(d *cluster.ReportDraft) {
					d.SetCondition("node1", addr, cluster.Condition{Health: health, Flavour: cluster.FlavourMySQL, Version: version})
				})
			}
			becomes(cluster.HealthDown, version)
			in := make(chan *client)
			go func() {
				defer close(in)
				in <- h.client(t)
			}()
			for h.server.metrics.holds.Load() == 0 && t.Context().Err() == nil {
				time.Sleep(time.Millisecond)
			}
			select {
			case <-in:
				t.Fatal("let in while no node could be reached")
			default:
			}
			becomes(cluster.HealthUp, "9.7.0")
			if got := (<-in).query("SELECT name"); got != "node1" {
				t.Errorf("got %q", got)
			}
		})
	}
}
