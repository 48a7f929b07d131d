package replicator

import (
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
	"github.com/bellwether-db/bellwether/replicator/downstream"
)

// A stream has its node's name, and a slave that came again its last stream.
func TestStreamsOf(t *testing.T) {
	begun := time.Unix(1000, 0)
	at := func(id uint32, uuid string, after time.Duration) downstream.SlaveInfo {
		return downstream.SlaveInfo{ServerID: id, UUID: uuid, Since: begun.Add(after), Registered: true}
	}
	tool := at(0, "", 0)
	tool.Registered = false
	s := Status{
		Slaves: []control.SlaveReport{
			{Node: control.Node{Name: "of MySQL", Identity: "u1"}}, {Node: control.Node{Name: "of MariaDB", Identity: "12@1700000000"}},
		},
		Departed:   []downstream.SlaveInfo{at(11, "u1", 0), at(99, "u9", 0)},
		Downstream: []downstream.SlaveInfo{at(11, "u1", time.Second), at(12, "", 0), tool, at(1, "", 0)},
	}
	got := map[string]uint32{}
	for name, info := range streamsOf(s) {
		got[name] = info.ServerID
	}
	want := map[string]uint32{"of MySQL": 11, "of MariaDB": 12, "server id 99": 99, "server id 1": 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if last := streamsOf(s)["of MySQL"]; !last.Since.Equal(begun.Add(time.Second)) {
		t.Errorf("of two streams the one since %v", last.Since)
	}
}

// What is collected is in order before anything runs.
func TestMetricsOfNothing(t *testing.T) {
	c := Default()
	c.Feed, c.Dir = FeedRelay, t.TempDir()
	r := New(c, cluster.NewStore(&cluster.Topology{}), slog.New(slog.NewTextHandler(io.Discard, nil)))
	registry := prometheus.NewRegistry()
	registry.MustRegister(NewMetrics(r))
	if _, err := registry.Gather(); err != nil {
		t.Error(err)
	}
}
