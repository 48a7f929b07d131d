package admin

import (
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// ClusterView is GET /v1/cluster. It is a value.
type ClusterView struct {
	Version       string    `json:"version"`
	Started       time.Time `json:"started"`
	UptimeSeconds int64     `json:"uptime_seconds"`
	Family        *string   `json:"family"` // nil: no node was reached yet
	Generation    uint64    `json:"generation"`
	Master        *string   `json:"master"` // nil: there is none
	Writes        string    `json:"writes"`
	WritesReason  string    `json:"writes_reason"`
	Ready         bool      `json:"ready"`
	NotReady      string    `json:"not_ready"`
	Degraded      string    `json:"degraded"`
	Feed          *string   `json:"feed"` // nil: not known
	Consistency   string    `json:"consistency"`
	Position      string    `json:"position"`
	Clients       *int      `json:"clients"` // nil: not known
	Held          *int      `json:"held_statements"`
	Nodes         int       `json:"nodes"`
	Problems      int       `json:"problems"`
}

// cluster is the whole as it is now.
func (s *Server) cluster() ClusterView {
	t := s.parts.Topologies.Load()
	v := ClusterView{
		Version: s.parts.Version, Started: s.started, UptimeSeconds: int64(time.Since(s.started).Seconds()), Family: family(t),
		Generation: t.Generation, Writes: writes(t.Writes), WritesReason: t.WritesReason, Consistency: s.settings().Consistency,
		Nodes: len(t.Nodes), Problems: len(s.problemsNow()),
	}
	if master := t.MasterNode(); master != nil {
		v.Master = &master.Name
	}
	v.NotReady, v.Degraded = s.readiness(t)
	v.Ready = v.NotReady == ""
	if s.parts.Stream != nil {
		feed := s.parts.Stream.Feed()
		v.Feed, v.Position = &feed, s.parts.Stream.Position()
	}
	if s.parts.Traffic != nil {
		counted := s.parts.Traffic.Counters()
		v.Clients, v.Held = &counted.Clients, &counted.Held
	}
	return v
}

// steady is the view without what changes all the time.
func (v ClusterView) steady() ClusterView {
	v.UptimeSeconds, v.Clients, v.Held, v.Position = 0, nil, nil, ""
	return v
}

// family is that of the master, or of the first node that was reached.
func family(t *cluster.Topology) *string {
	nodes := t.Nodes
	if master := t.MasterNode(); master != nil {
		nodes = append([]cluster.Node{*master}, nodes...)
	}
	for i := range nodes {
		if nodes[i].Flavour != cluster.FlavourUnknown {
			name := nodes[i].Flavour.String()
			return &name
		}
	}
	return nil
}

// writes is what /v1 calls the gate of writes.
func writes(w cluster.Writes) string {
	switch w {
	case cluster.WritesOpen, cluster.WritesHeld:
		return w.String()
	}
	return "closed"
}

// NodeView is a node in /v1/nodes. It is a value.
type NodeView struct {
	Name        string   `json:"name"`
	Address     string   `json:"address"`
	Role        string   `json:"role"`
	IsMaster    bool     `json:"is_master"`
	Health      string   `json:"health"`
	Problem     string   `json:"problem"`
	Weight      int      `json:"weight"`
	ServesReads bool     `json:"serves_reads"`
	Drain       bool     `json:"drain"`
	Maintenance bool     `json:"maintenance"`
	Fenced      bool     `json:"fenced"`
	Touched     string   `json:"touched"`
	ReadOnly    bool     `json:"read_only"`
	Replication string   `json:"replication"`
	LagSeconds  *float64 `json:"lag_seconds"` // nil: not known
	Applied     string   `json:"applied"`
	Identity    string   `json:"identity"`
	Version     string   `json:"version"`
	Epoch       uint64   `json:"epoch"`
	Connections struct {
		Idle int `json:"idle"`
		Busy int `json:"busy"`
	} `json:"connections"`
	Outstanding int    `json:"outstanding"`
	REST        string `json:"rest"`
}

// NodesView is GET /v1/nodes. It is a value.
type NodesView struct {
	Nodes []NodeView `json:"nodes"`
}

// nodesNow are the nodes as they are now.
func (s *Server) nodesNow() NodesView {
	t := s.parts.Topologies.Load()
	view := NodesView{Nodes: make([]NodeView, len(t.Nodes))}
	for i := range t.Nodes {
		view.Nodes[i] = s.node(t, i)
	}
	return view
}

// node is the node at an index.
func (s *Server) node(t *cluster.Topology, i int) NodeView {
	n := &t.Nodes[i]
	v := NodeView{
		Name: n.Name, Address: n.Addr, Role: n.Role.String(), IsMaster: i == t.Master, Health: n.Health.String(), Problem: n.Problem,
		Weight: n.Weight, ServesReads: n.Readable(), Drain: n.Drain, Maintenance: n.Maintenance, Fenced: n.Fenced, Touched: n.Touched,
		ReadOnly: n.ReadOnly, Replication: n.Replication.String(), Identity: n.Identity, Version: n.Version, Epoch: n.Epoch, REST: s.NodeAddr(n.Name),
	}
	if n.LagKnown {
		seconds := n.Lag.Seconds()
		v.LagSeconds = &seconds
	}
	if n.Applied != nil {
		v.Applied = n.Applied.String()
	}
	if s.parts.Fleet != nil {
		load := s.parts.Fleet.Load(n.Name)
		v.Connections.Idle, v.Connections.Busy, v.Outstanding = load.Idle, load.Busy, load.Outstanding
	}
	return v
}

// steady is the view without what changes all the time.
func (v NodesView) steady() NodesView {
	nodes := make([]NodeView, len(v.Nodes))
	for i, n := range v.Nodes {
		n.LagSeconds, n.Applied, n.Outstanding, n.Connections = nil, "", 0, NodeView{}.Connections
		nodes[i] = n
	}
	return NodesView{nodes}
}

// settable is what can be changed of a node, and what it is: the part of it that
// If-Match looks at.
func (v NodeView) settable() any {
	return []any{v.Name, v.Address, v.Role, v.Weight, v.Drain, v.Maintenance}
}
