package replicator

import (
	"errors"
	"log/slog"
	"syscall"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
	"github.com/bellwether-db/bellwether/replicator/upstream"
)

// A disk that failed is found mended also where the master is dead, which would
// be the next to bring something: otherwise nobody would ever be promoted. The
// stream counts as broken only from then on.
func TestMendedDiskIsSeenWithoutAMaster(t *testing.T) {
	store := cluster.NewStore(&cluster.Topology{
		Nodes: []cluster.Node{{Name: "node1", Addr: "127.0.0.1:1", Role: cluster.RoleMaster}}, Master: 0, MasterIdentity: "one",
	})
	r := New(Config{Feed: FeedRelay}, store, slog.New(slog.DiscardHandler))
	stored, err := storedlog.Open(storedlog.Config{Dir: t.TempDir(), Flavour: cluster.FlavourMySQL}, r.log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stored.Close() })
	relay := newRelay(r, identity{}, stored, nil)
	r.relay.Store(relay)
	from, ok := r.sourceOf(store.Load())
	if !ok {
		t.Fatal("no master")
	}
	relay.begun.Store(&reading{upstream.New(r.upstreamOf(relay.id, from), relay.sink, r.log), time.Now().Add(-time.Hour)})
	_ = relay.sink.on(func() error { return syscall.ENOSPC })
	if v := r.View(); v.Failing == "" {
		t.Fatalf("a disk that failed: %+v", v)
	}
	if end, whole := r.End(); end != nil || whole || r.Stored() == nil {
		t.Errorf("before the slaves are known: end %v, whole %t, stored %v", end, whole, r.Stored())
	}
	before := time.Now()
	relay.pauseAfter(t.Context(), from, errors.Join(&upstream.Refusal{Reason: upstream.ReasonSink}))
	if v := r.View(); v.Failing != "" || v.Since.Before(before) {
		t.Errorf("with room again: failing %q, since %v, want none, after %v", v.Failing, v.Since, before)
	}
}
