package cluster

import (
	"slices"
	"testing"
)

// advance is one change by the owner of roles that must succeed.
func advance(t *testing.T, store *Store, change func(*RoleDraft) error) *Topology {
	t.Helper()
	after, err := store.Advance(store.Load().Generation, change)
	if err != nil {
		t.Fatal(err)
	}
	return after
}

// TestEpochFollowsTheRole: an epoch begins with a role, and with nothing else.
func TestEpochFollowsTheRole(t *testing.T) {
	none := func(d *RoleDraft) error { d.ClearMaster(); return nil }
	master := func(name, identity string) func(*RoleDraft) error {
		return func(d *RoleDraft) error { d.ClearMaster(); return d.SetMaster(name, identity) }
	}
	store := NewStore(three())
	for _, step := range []struct {
		what   string
		change func(*RoleDraft) error
		want   [3]uint64
	}{
		{"the same master again", master("db1", "id1"), [3]uint64{}},
		{"writes are held", func(d *RoleDraft) error { d.SetWrites(WritesHeld, "failover"); return nil }, [3]uint64{}},
		{"no master", none, [3]uint64{3, 0, 0}},
		{"still none", none, [3]uint64{3, 0, 0}},
		{"another one", master("db2", "id2"), [3]uint64{3, 5, 0}},
		{"a switchover at once, after a long run before", func(d *RoleDraft) error { d.Resume(40); return d.SetMaster("db1", "id1") }, [3]uint64{41, 41, 0}},
		{"another server at the master's address", master("db1", "id9"), [3]uint64{42, 41, 0}},
	} {
		after := advance(t, store, step.change)
		if got := [3]uint64{after.Nodes[0].Epoch, after.Nodes[1].Epoch, after.Nodes[2].Epoch}; got != step.want {
			t.Errorf("%s: epochs %v, want %v", step.what, got, step.want)
		}
	}
}

// TestFormerMasterServesNoReads: what it has may be its own, until it follows another.
func TestFormerMasterServesNoReads(t *testing.T) {
	first := three()
	for i := range first.Nodes {
		n := &first.Nodes[i]
		n.Health, n.Weight, n.Late = HealthUp, 1, false
	}
	store := NewStore(first)
	none := func(d *RoleDraft) error { d.ClearMaster(); return nil }
	if after := advance(t, store, none); slices.Contains(after.Readable, 0) || len(after.Readable) != 2 {
		t.Errorf("without a master nodes %v serve reads", after.Readable)
	}
	next := func(d *RoleDraft) error { return d.SetMaster("db2", "id2") }
	if after := advance(t, store, next); !slices.Equal(after.Readable, []int{2}) {
		t.Errorf("with the next master nodes %v serve reads", after.Readable)
	}
	after := store.Report(func(d *ReportDraft) {
		n := d.Nodes()[0]
		c := n.condition()
		c.Replication = ReplicationRunning
		d.SetCondition(n.Name, n.Addr, c)
	})
	if !slices.Equal(after.Readable, []int{0, 2}) {
		t.Errorf("once it follows the next master nodes %v serve reads", after.Readable)
	}
}

// TestFirstRoleBeginsNoEpoch: there is nothing older that it could end.
func TestFirstRoleBeginsNoEpoch(t *testing.T) {
	first := three()
	for i := range first.Nodes {
		first.Nodes[i].Role = RoleUnknown
	}
	first.Master, first.MasterIdentity = -1, ""
	after := advance(t, NewStore(first), func(d *RoleDraft) error { return d.SetMaster("db1", "id1") })
	if after.Nodes[0].Epoch != 0 || after.Nodes[1].Epoch != 0 || after.Nodes[0].Role != RoleMaster {
		t.Errorf("nodes %+v", after.Nodes)
	}
}
