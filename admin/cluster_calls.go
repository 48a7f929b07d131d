package admin

import (
	"net/http"

	"github.com/bellwether-db/bellwether/admin/operation"
	"github.com/bellwether-db/bellwether/cluster"
)

// ping is /ping.
func (s *Server) ping(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, map[string]string{"status": "ok"})
}

// isMaster is /is-master: whether a write would be served now. The answer is
// the document's, byte for byte.
func (s *Server) isMaster(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	answer := `{"isMaster":true}`
	if s.stopping.Load() || notReady(s.parts.Topologies.Load()) != "" {
		answer = `{"isMaster":false}`
	}
	// A client that has gone needs no answer.
	_, _ = w.Write([]byte(answer))
}

// shownNode is a node as /nodes lists it.
type shownNode struct {
	Name        string   `json:"name"`
	Address     string   `json:"address"`
	Role        string   `json:"role"`
	IsMaster    bool     `json:"isMaster"`
	Health      string   `json:"health"`
	Problem     string   `json:"problem,omitempty"`
	ServesReads bool     `json:"servesReads"`
	Weight      int      `json:"weight"`
	Drain       bool     `json:"drain,omitempty"`
	Maintenance bool     `json:"maintenance,omitempty"`
	Touched     string   `json:"touched,omitempty"` // what was changed there by hand
	ReadOnly    bool     `json:"readOnly"`
	Replication string   `json:"replication"`
	LagSeconds  *float64 `json:"lagSeconds"` // null: not known
	Version     string   `json:"version,omitempty"`
}

// nodes is /nodes.
func (s *Server) nodes(c *call) *problem {
	t := s.parts.Topologies.Load()
	shown := make([]shownNode, len(t.Nodes))
	for i := range t.Nodes {
		shown[i] = showNode(&t.Nodes[i], i == t.Master)
	}
	for _, i := range t.Readable {
		shown[i].ServesReads = true
	}
	writeJSON(c.w, shown)
	return nil
}

func showNode(n *cluster.Node, master bool) shownNode {
	shown := shownNode{
		Name: n.Name, Address: n.Addr, Role: n.Role.String(), IsMaster: master, Health: n.Health.String(), Problem: n.Problem, Weight: n.Weight,
		Drain: n.Drain, Maintenance: n.Maintenance, Touched: n.Touched, ReadOnly: n.ReadOnly, Replication: n.Replication.String(), Version: n.Version,
	}
	if n.LagKnown {
		seconds := n.Lag.Seconds()
		shown.LagSeconds = &seconds
	}
	return shown
}

// sync is /sync.
func (s *Server) sync(c *call) *problem {
	var in struct {
		Node string `json:"node"`
	}
	if p := c.parse(&in); p != nil {
		return p
	}
	if s.parts.Operator == nil {
		return &problem{Type: kindUnavailable, Title: "not here", Status: http.StatusNotImplemented,
			Detail: "this Bellwether does not copy nodes by itself", Remedy: "run: bellwether sync [NODE] --config FILE"}
	}
	record, p := s.begin(c, operation.Request{Kind: "sync", Node: in.Node})
	if p != nil {
		return p
	}
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(http.StatusAccepted)
	writeJSON(c.w, map[string]string{"status": "accepted", "detail": record.Says, "operation": record.ID})
	return nil
}
