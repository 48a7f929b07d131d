package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// The errors of drafts.
var (
	// ErrNoNode is returned for a name that the topology does not have.
	ErrNoNode = errors.New("no such node")
	// ErrIsMaster is returned when the master would be removed.
	ErrIsMaster = errors.New("the node is the master")
)

// RoleDraft is a topology in the making, for the one owner of roles. It belongs
// to the goroutine that runs the change, and only as long as that runs.
type RoleDraft struct{ next *Topology }

// Generation is the number that the topology will have once published.
func (d *RoleDraft) Generation() uint64 { return d.next.Generation }

// Resume continues the count of an earlier run of the program: the topology
// will have a generation higher than recorded.
func (d *RoleDraft) Resume(recorded uint64) {
	d.next.Generation = max(d.next.Generation, recorded+1)
}

// Nodes returns a copy of the nodes.
func (d *RoleDraft) Nodes() []Node { return slices.Clone(d.next.Nodes) }

// SetMaster makes one node the master, of this server identity, and every
// other node a slave.
func (d *RoleDraft) SetMaster(name, identity string) error {
	i := d.next.Find(name)
	if i < 0 {
		return fmt.Errorf("make %s the master: %w", name, ErrNoNode)
	}
	d.ClearMaster()
	d.next.Master, d.next.MasterIdentity = i, identity
	d.next.Nodes[i].Role = RoleMaster
	return nil
}

// ClearMaster leaves the cluster without a master: every node is a slave.
func (d *RoleDraft) ClearMaster() {
	d.next.Master, d.next.MasterIdentity = -1, ""
	for i := range d.next.Nodes {
		d.next.Nodes[i].Role = RoleSlave
	}
}

// Enlist makes slaves of the nodes that have no role yet.
func (d *RoleDraft) Enlist() {
	for i := range d.next.Nodes {
		if d.next.Nodes[i].Role == RoleUnknown {
			d.next.Nodes[i].Role = RoleSlave
		}
	}
}

// SetFenced says whether a node is a former master that must be made read-only
// before use.
func (d *RoleDraft) SetFenced(name string, fenced bool) error {
	i := d.next.Find(name)
	if i < 0 {
		return fmt.Errorf("fence %s: %w", name, ErrNoNode)
	}
	d.next.Nodes[i].Fenced = fenced
	return nil
}

// SetWrites says whether new writes may start, and for people why not.
func (d *RoleDraft) SetWrites(writes Writes, reason string) {
	d.next.Writes, d.next.WritesReason = writes, reason
}

// Condition is what the probes know of a node; its fields are those of Node.
type Condition struct {
	Health      Health
	Problem     string
	Late        bool
	Flavour     Flavour
	Version     string
	Identity    string
	ReadOnly    bool
	Replication Replication
	LagKnown    bool
	Lag         time.Duration
	LagGTIDs    uint64
	Applied     *GTIDSet
	Running     int
	Since       time.Time
	Asked, Seen time.Time
	Outcome     Outcome
	Failing     time.Time
	Settings    Settings
}

// ReportDraft is a topology in the making, for the one who observes. It belongs
// to the goroutine that runs the change, and only as long as that runs. It can
// touch neither roles nor writes nor the operator's wishes.
type ReportDraft struct{ next *Topology }

// Nodes returns a copy of the nodes.
func (d *ReportDraft) Nodes() []Node { return slices.Clone(d.next.Nodes) }

// SetCondition replaces what is known of a node. A node that was removed in the
// meantime is passed over, and so is one whose address is no longer addr: the
// observation is of another server.
func (d *ReportDraft) SetCondition(name, addr string, c Condition) {
	i := d.next.Find(name)
	if i < 0 || d.next.Nodes[i].Addr != addr {
		return
	}
	d.next.Nodes[i].setCondition(c)
}

// SetHeartbeat replaces what is known of the heartbeat on a node, under the same
// conditions as SetCondition.
func (d *ReportDraft) SetHeartbeat(name, addr string, h Heartbeat) {
	if i := d.next.Find(name); i >= 0 && d.next.Nodes[i].Addr == addr {
		d.next.Nodes[i].Heartbeat = h
	}
}

// SetHurt notes when a connection to a node was last lost, under the same
// conditions as SetCondition.
func (d *ReportDraft) SetHurt(name, addr string, at time.Time) {
	if i := d.next.Find(name); i >= 0 && d.next.Nodes[i].Addr == addr {
		d.next.Nodes[i].Hurt = at
	}
}

// Catalogue returns the present catalogue, which is immutable.
func (d *ReportDraft) Catalogue() *Catalogue { return d.next.Catalogue }

// SetCatalogue replaces the catalogue, which must never change afterwards.
func (d *ReportDraft) SetCatalogue(c *Catalogue) { d.next.Catalogue = c }

// ForgetCatalogue says that the schemas have changed: any name may be unsafe
// until a new catalogue is set.
func (d *ReportDraft) ForgetCatalogue() {
	forgotten := *d.next.Catalogue
	forgotten.Known = false
	d.next.Catalogue = &forgotten
}

// condition returns the fields that the probes own.
func (n *Node) condition() Condition {
	return Condition{
		Health: n.Health, Problem: n.Problem, Late: n.Late,
		Flavour: n.Flavour, Version: n.Version, Identity: n.Identity,
		ReadOnly: n.ReadOnly, Replication: n.Replication, Running: n.Running,
		LagKnown: n.LagKnown, Lag: n.Lag, LagGTIDs: n.LagGTIDs,
		Applied: n.Applied, Since: n.Since, Asked: n.Asked, Seen: n.Seen,
		Outcome: n.Outcome, Failing: n.Failing, Settings: n.Settings,
	}
}

// setCondition copies the fields that the probes own.
func (n *Node) setCondition(c Condition) {
	n.Health, n.Problem, n.Late = c.Health, c.Problem, c.Late
	n.Flavour, n.Version, n.Identity = c.Flavour, c.Version, c.Identity
	n.ReadOnly, n.Replication, n.Running = c.ReadOnly, c.Replication, c.Running
	n.LagKnown, n.Lag, n.LagGTIDs = c.LagKnown, c.Lag, c.LagGTIDs
	n.Applied, n.Since, n.Asked, n.Seen = c.Applied, c.Since, c.Asked, c.Seen
	n.Outcome, n.Failing, n.Settings = c.Outcome, c.Failing, c.Settings
	n.Former = n.Former && c.Replication <= ReplicationNone
}

// Registration is the operator's wish for one node.
type Registration struct {
	Name        string
	Addr        string // host:port
	Weight      int    // relative share of reads; 0 takes none
	Drain       bool
	Maintenance bool
	Touched     string // see Node
}

// RegisterDraft is a topology in the making, for the Registry. It belongs to
// the goroutine that runs the change, and only as long as that runs.
type RegisterDraft struct{ next *Topology }

// Nodes returns a copy of the nodes.
func (d *RegisterDraft) Nodes() []Node { return slices.Clone(d.next.Nodes) }

// Put adds a node, without a role, or changes it. A node whose address changes
// is another server: what was observed of it is forgotten.
func (d *RegisterDraft) Put(r Registration) {
	i := d.next.Find(r.Name)
	if i < 0 {
		i = len(d.next.Nodes)
		d.next.Nodes = append(d.next.Nodes, Node{Name: r.Name, Addr: r.Addr})
	}
	n := &d.next.Nodes[i]
	if n.Addr != r.Addr {
		n.setCondition(Condition{})
		n.Hurt, n.Heartbeat = time.Time{}, Heartbeat{}
	}
	n.Addr, n.Weight = r.Addr, r.Weight
	n.Drain, n.Maintenance, n.Touched = r.Drain, r.Maintenance, r.Touched
}

// Arrange orders the nodes as in names; the others keep their order behind.
func (d *RegisterDraft) Arrange(names []string) {
	master := d.next.MasterNode()
	var name string
	if master != nil {
		name = master.Name
	}
	place := func(n Node) int {
		if i := slices.Index(names, n.Name); i >= 0 {
			return i
		}
		return len(names)
	}
	slices.SortStableFunc(d.next.Nodes, func(a, b Node) int { return cmp.Compare(place(a), place(b)) })
	if master != nil {
		d.next.Master = d.next.Find(name)
	}
}

// Remove takes a node out. The master cannot be removed.
func (d *RegisterDraft) Remove(name string) error {
	i := d.next.Find(name)
	switch {
	case i < 0:
		return fmt.Errorf("remove %s: %w", name, ErrNoNode)
	case i == d.next.Master:
		return fmt.Errorf("remove %s: %w", name, ErrIsMaster)
	}
	d.next.Nodes = slices.Delete(d.next.Nodes, i, i+1)
	if d.next.Master > i {
		d.next.Master--
	}
	return nil
}
