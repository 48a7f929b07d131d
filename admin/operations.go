package admin

import (
	"context"
	"errors"
	"net/http"
)

// Operation is a change of who is master that somebody asks for. It is a value.
type Operation struct {
	// Kind is "switchover" or "failover".
	Kind string `json:"kind"`
	// To is the node that is to be the master, "" for the best one.
	To string `json:"to"`
	// Reason is for the record.
	Reason string `json:"reason"`
	// Force passes over policy and speed, never over acknowledged writes.
	Force bool `json:"force"`
	// DryRun has it planned, and not carried out.
	DryRun bool `json:"dry_run"`
}

// NodeWish is how a node is to be used; nil leaves it as it is. It is a value.
type NodeWish struct {
	Node        string `json:"node"`
	Drain       *bool  `json:"drain"`
	Maintenance *bool  `json:"maintenance"`
}

// Operations changes roles, and remembers what was done. Any goroutine calls it.
// What it returns is shown as JSON.
type Operations interface {
	// Operate carries out an operation and returns its incident, or its plan.
	Operate(ctx context.Context, o Operation) (any, error)
	// Incidents returns the history, the oldest first; Problems what is the matter
	// now, the gravest first.
	Incidents() any
	Problems() any
	// SetNode changes how a node is used; it is kept over a restart.
	SetNode(w NodeWish) error
}

// operable routes the calls that change roles, or tell of such changes.
func (s *Server) operable(mux *http.ServeMux) {
	if s.parts.Operations == nil {
		return
	}
	mux.HandleFunc("POST /v1/operations", s.guarded(RoleOperate, s.operate))
	mux.HandleFunc("POST /v1/nodes", s.guarded(RoleOperate, s.setNode))
	mux.HandleFunc("GET /v1/incidents", s.guarded(RoleRead, func(c *call) *problem {
		writeJSON(c.w, s.parts.Operations.Incidents())
		return nil
	}))
	mux.HandleFunc("GET /v1/problems", s.guarded(RoleRead, func(c *call) *problem {
		writeJSON(c.w, s.parts.Operations.Problems())
		return nil
	}))
}

// operate is POST /v1/operations.
func (s *Server) operate(c *call) *problem {
	var o Operation
	if p := c.parse(&o); p != nil {
		return p
	}
	if o.Kind != "switchover" && o.Kind != "failover" {
		return &problem{Type: kindRefused, Title: "no such operation", Status: http.StatusBadRequest, Detail: "kind is neither switchover nor failover: " + o.Kind}
	}
	if !o.DryRun {
		c.done = entry{Call: o.Kind, Table: o.To}
	}
	result, err := s.parts.Operations.Operate(c.Context(), o)
	if err != nil {
		return refusal(o.Kind, err)
	}
	writeJSON(c.w, result)
	return nil
}

// setNode is POST /v1/nodes.
func (s *Server) setNode(c *call) *problem {
	var w NodeWish
	if p := c.parse(&w); p != nil {
		return p
	}
	c.done = entry{Call: "node", Table: w.Node}
	if err := s.parts.Operations.SetNode(w); err != nil {
		return refusal("node", err)
	}
	writeJSON(c.w, map[string]string{"status": "ok"})
	return nil
}

// refusal is the problem of an operation that was not carried out, or not to its
// end.
func refusal(what string, err error) *problem {
	if errors.Is(err, ErrRefused) {
		return &problem{Type: kindConflict, Title: what + " refused, nothing has changed", Status: http.StatusConflict, Detail: err.Error()}
	}
	return &problem{Type: kindOutcome, Title: what + " not done", Status: http.StatusServiceUnavailable, Detail: err.Error(), Remedy: "see /v1/incidents and /v1/problems"}
}
