package cluster

import (
	"errors"
	"slices"
	"sync"
	"testing"
)

// three is a master with two slaves, all up.
func three() *Topology {
	node := func(name string, role Role) Node {
		return Node{Name: name, Addr: name + ":3306", Role: role, Weight: 1, Health: HealthUp}
	}
	return &Topology{
		Nodes:  []Node{node("db1", RoleMaster), node("db2", RoleSlave), node("db3", RoleSlave)},
		Master: 0, MasterIdentity: "id1", Writes: WritesOpen,
	}
}

func closed(t *Topology) bool {
	select {
	case <-t.Replaced():
		return true
	default:
		return false
	}
}

func TestStoreReportKeepsGeneration(t *testing.T) {
	store := NewStore(three())
	before := store.Load()
	after := store.Report(func(d *ReportDraft) {
		d.SetCondition("db2", "db2:3306", Condition{Health: HealthDown, Problem: "refused"})
		d.SetCondition("db3", "elsewhere:3306", Condition{Health: HealthDown})
		d.SetCondition("gone", "gone:3306", Condition{Health: HealthDown})
	})
	if store.Load() != after || after.Generation != before.Generation || after.Replaced() != before.Replaced() || closed(before) {
		t.Error("a report moved the generation or woke the holders")
	}
	if !slices.Equal(before.Readable, []int{1, 2}) || !slices.Equal(after.Readable, []int{2}) {
		t.Errorf("readable %v, then %v", before.Readable, after.Readable)
	}
	if before.Nodes[1].Health != HealthUp {
		t.Error("a report changed a published topology")
	}
}

// A statement that no node can run waits. It need not wait for the failover
// controller where a slave serves again, or the catalogue is known again.
func TestStoreWakesWhoeverMayGain(t *testing.T) {
	condition := func(health Health) func(d *ReportDraft) {
		return func(d *ReportDraft) { d.SetCondition("db2", "db2:3306", Condition{Health: health}) }
	}
	store := NewStore(three())
	for _, step := range []struct {
		what   string
		change func(*ReportDraft)
		wakes  bool
	}{
		{"a slave goes", condition(HealthDown), false},
		{"it stays away", condition(HealthDown), false},
		{"it comes back", condition(HealthUp), true},
		{"it stays", condition(HealthUp), false},
		{"the catalogue becomes known", func(d *ReportDraft) { d.SetCatalogue(&Catalogue{Known: true}) }, true},
		{"and changes", func(d *ReportDraft) { d.SetCatalogue(&Catalogue{Known: true, Version: 2}) }, false},
		{"is forgotten", (*ReportDraft).ForgetCatalogue, false},
	} {
		before := store.Load()
		after := store.Report(step.change)
		if closed(before) != step.wakes || closed(after) {
			t.Errorf("%s: woken %t, want %t; the new one is closed: %t", step.what, closed(before), step.wakes, closed(after))
		}
	}
}

func TestStoreAdvance(t *testing.T) {
	store := NewStore(three())
	before := store.Load()
	after, err := store.Advance(0, func(d *RoleDraft) error {
		d.SetWrites(WritesHeld, "switchover")
		return errors.Join(d.SetMaster("db2", "id2"), d.SetFenced("db1", true))
	})
	if err != nil || after.Generation != 1 || !closed(before) || closed(after) {
		t.Fatalf("generation %d, %v", after.Generation, err)
	}
	if after.MasterNode().Name != "db2" || after.MasterIdentity != "id2" || after.Nodes[0].Role != RoleSlave || after.Writes != WritesHeld {
		t.Errorf("advanced to %+v", after)
	}
	if !slices.Equal(after.Readable, []int{2}) || before.Master != 0 {
		t.Errorf("readable %v, former master %d", after.Readable, before.Master)
	}
}

func TestStoreAdvanceRefuses(t *testing.T) {
	store := NewStore(three())
	before := store.Load()
	if _, err := store.Advance(7, func(*RoleDraft) error { return nil }); !errors.Is(err, ErrGenerationMoved) {
		t.Errorf("another generation: %v", err)
	}
	if _, err := store.Advance(0, func(d *RoleDraft) error { return d.SetMaster("db9", "") }); !errors.Is(err, ErrNoNode) {
		t.Errorf("unknown master: %v", err)
	}
	if store.Load() != before || closed(before) {
		t.Error("a refused change was published")
	}
}

func TestStoreAdvanceOnce(t *testing.T) {
	store := NewStore(three())
	var wins sync.Map
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			if _, err := store.Advance(0, func(d *RoleDraft) error { d.SetWrites(WritesHeld, ""); return nil }); err == nil {
				wins.Store(i, true)
			}
			store.Report(func(d *ReportDraft) { d.SetCondition("db2", "db2:3306", Condition{Health: HealthUp}) })
		})
	}
	group.Wait()
	count := 0
	wins.Range(func(any, any) bool { count++; return true })
	if count != 1 || store.Load().Generation != 1 {
		t.Errorf("%d callers advanced to %d", count, store.Load().Generation)
	}
}

func TestRoleDraftResume(t *testing.T) {
	store := NewStore(three())
	after, err := store.Advance(0, func(d *RoleDraft) error { d.Resume(41); return nil })
	if err != nil || after.Generation != 42 {
		t.Errorf("generation %d, %v", after.Generation, err)
	}
}

func TestStoreRegister(t *testing.T) {
	store := NewStore(three())
	after, err := store.Register(func(d *RegisterDraft) error {
		d.Put(Registration{Name: "db3", Addr: "other:3306", Weight: 2})
		d.Put(Registration{Name: "db4", Addr: "db4:3306", Weight: 1, Drain: true})
		return d.Remove("db2")
	})
	if err != nil || after.Generation != 0 || len(after.Nodes) != 3 {
		t.Fatalf("registered %+v, %v", after.Nodes, err)
	}
	if n := after.Nodes[1]; n.Name != "db3" || n.Health != HealthUnknown || n.Role != RoleSlave || n.Weight != 2 {
		t.Errorf("moved node %+v", n)
	}
	if n := after.Nodes[2]; n.Name != "db4" || n.Role != RoleUnknown || !n.Drain {
		t.Errorf("new node %+v", n)
	}
	if _, err := store.Register(func(d *RegisterDraft) error { return d.Remove("db1") }); !errors.Is(err, ErrIsMaster) {
		t.Errorf("removed the master: %v", err)
	}
}

func TestReadable(t *testing.T) {
	good := Node{Role: RoleSlave, Health: HealthUp, Weight: 1}
	spoil := map[string]func(*Node){
		"master": func(n *Node) { n.Role = RoleMaster }, "unknown": func(n *Node) { n.Role = RoleUnknown },
		"down": func(n *Node) { n.Health = HealthDown }, "late": func(n *Node) { n.Late = true },
		"drain": func(n *Node) { n.Drain = true }, "maintenance": func(n *Node) { n.Maintenance = true },
		"touched": func(n *Node) { n.Touched = "a change by hand" }, "fenced": func(n *Node) { n.Fenced = true },
		"weight": func(n *Node) { n.Weight = 0 }, "former": func(n *Node) { n.Former = true },
	}
	if !good.Readable() {
		t.Error("a good slave is not readable")
	}
	for name, change := range spoil {
		bad := good
		if change(&bad); bad.Readable() {
			t.Errorf("%s: readable", name)
		}
	}
}

func TestLoadDoesNotAllocate(t *testing.T) {
	store := NewStore(three())
	if n := testing.AllocsPerRun(100, func() { _ = store.Load().MasterNode() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
