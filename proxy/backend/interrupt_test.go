package backend

import (
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// A master that misses a probe keeps its connections; one that stays away, or its
// predecessor, does not count for another.
func TestDownMasterLasts(t *testing.T) {
	begun := time.Now()
	var d downMaster
	for i, step := range []struct {
		health cluster.Health
		epoch  uint64
		after  time.Duration
		want   bool
	}{
		{cluster.HealthDown, 1, 0, false},
		{cluster.HealthDown, 1, masterPatience - 1, false},
		{cluster.HealthUp, 1, masterPatience, false},
		{cluster.HealthDown, 1, masterPatience, false},
		{cluster.HealthDown, 1, 2 * masterPatience, true},
		{cluster.HealthDown, 2, 2 * masterPatience, false},
		{cluster.HealthDown, 2, 3 * masterPatience, true},
	} {
		if got := d.lasts(&cluster.Node{Health: step.health, Epoch: step.epoch}, begun.Add(step.after)); got != step.want {
			t.Errorf("step %d: %t, want %t", i+1, got, step.want)
		}
	}
}
