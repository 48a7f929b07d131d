package failover

import (
	"testing"
	"time"
)

func TestLimited(t *testing.T) {
	now := time.Unix(1000, 0)
	ago := func(seconds ...int) (out []time.Time) {
		for _, s := range seconds {
			out = append(out, now.Add(-time.Duration(s)*time.Second))
		}
		return out
	}
	for _, c := range []struct {
		changes []time.Time
		want    time.Time
	}{
		{nil, time.Time{}},
		{ago(9, 6, 3, 1), time.Time{}},
		{ago(90, 9, 6, 3, 1), time.Time{}},
		{ago(90, 20, 9, 6, 3, 1), now.Add(-20 * time.Second)},
	} {
		if got := limited(c.changes, now, 30*time.Second); !got.Equal(c.want) {
			t.Errorf("%v: %v, want %v", c.changes, got, c.want)
		}
	}
}
