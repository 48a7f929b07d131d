package proxy

import (
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// A slave that was waited for in vain is left to scouts, one at a time and less and
// less often, until one has arrived or a probe has found it near.
func TestLaggards(t *testing.T) {
	const wait = 100 * time.Millisecond
	start := time.Now()
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	node := func(lag time.Duration, seen int) *cluster.Node {
		return &cluster.Node{Name: "a", Lag: lag, Seen: at(seen)}
	}
	var l laggards
	hopes := func(n *cluster.Node, want prospect) {
		t.Helper()
		if got := l.prospect(n, wait); got != want {
			t.Errorf("prospect is %v, want %v", got, want)
		}
	}
	scouts := func(ms int, want bool) {
		t.Helper()
		if got := l.scout("a", wait, at(ms)); got != want {
			t.Errorf("a scout at %d ms: %t", ms, got)
		}
	}
	hopes(node(0, 0), prospectGood)
	hopes(node(wait+1, 0), prospectDoubtful)
	hopes(node(scoutsWithin*wait+1, 0), prospectNone)

	l.ended("a", false, at(0), at(100))
	l.ended("a", false, at(50), at(150)) // began before the first one had ended
	hopes(node(0, 50), prospectDoubtful)
	hopes(node(0, 120), prospectGood)
	scouts(101, false)
	scouts(102, true)
	scouts(103, false)
	l.ended("a", false, at(102), at(202))
	scouts(204, false) // after 4 ms
	scouts(206, true)
	l.ended("a", true, at(206), at(230))
	hopes(node(0, 50), prospectGood)
	hopes(node(wait+1, 229), prospectGood) // what the probe saw is over
	hopes(node(wait+1, 231), prospectDoubtful)
	scouts(231, true)
}

// What a slave was found to have holds for every session, until the next probe, a
// restart or another generation.
func TestReached(t *testing.T) {
	start := time.Now()
	n := &cluster.Node{Name: "a", Since: start, Asked: start}
	var r reached
	if r.of(n, 1) != nil {
		t.Error("something is known of a node that nobody has asked")
	}
	r.note(n, 1, gtids(t, uuid+":1-5"), start.Add(2))
	r.note(n, 1, gtids(t, uuid+":3-9"), start.Add(1))
	if got := r.of(n, 1); !got.Equal(gtids(t, uuid+":1-9")) {
		t.Errorf("it has %s", got)
	}
	probed, restarted := *n, *n
	probed.Asked = start.Add(2)
	restarted.Since = start.Add(1)
	for what, got := range map[string]*cluster.GTIDSet{"probed": r.of(&probed, 1), "restarted": r.of(&restarted, 1), "of another generation": r.of(n, 2)} {
		if got != nil {
			t.Errorf("%s it has %s", what, got)
		}
	}
	r.note(&restarted, 1, gtids(t, uuid+":1-3"), start.Add(5))
	if got := r.of(&restarted, 1); !got.Equal(gtids(t, uuid+":1-3")) {
		t.Errorf("after a restart it has %s", got)
	}
}
