package admin

import (
	"net/http"
	"net/url"

	"github.com/bellwether-db/bellwether/cluster"
)

// fleet routes /v1/cluster and /v1/nodes.
func (s *Server) fleet(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/cluster", s.guarded(RoleRead, s.showCluster))
	mux.HandleFunc("GET /v1/nodes", s.guarded(RoleRead, s.showNodes))
	mux.HandleFunc("GET /v1/nodes/{name}", s.guarded(RoleRead, s.showNode))
	mux.HandleFunc("POST /v1/nodes", s.guarded(RoleOperate, with(s.parts.Fleet, s.addNode)))
	mux.HandleFunc("PATCH /v1/nodes/{name}", s.guarded(RoleOperate, with(s.parts.Fleet, s.changeNode)))
	mux.HandleFunc("DELETE /v1/nodes/{name}", s.guarded(RoleOperate, with(s.parts.Fleet, s.removeNode)))
}

// with is a call that needs a part of the house, which says so where it is not
// there.
func with[Part comparable](part Part, serve func(*call) *problem) func(*call) *problem {
	var none Part
	if part != none {
		return serve
	}
	return func(*call) *problem {
		return &problem{Type: kindUnavailable, Title: "not here", Status: http.StatusNotImplemented, Detail: "this Bellwether has no such part"}
	}
}

// showCluster is GET /v1/cluster.
func (s *Server) showCluster(c *call) *problem {
	if _, p := c.query(); p != nil {
		return p
	}
	return c.show(s.cluster(), "")
}

// showNodes is GET /v1/nodes.
func (s *Server) showNodes(c *call) *problem {
	if _, p := c.query(); p != nil {
		return p
	}
	return c.show(s.nodesNow(), "")
}

// showNode is GET /v1/nodes/{name}, and the answer of the calls that change one.
func (s *Server) showNode(c *call) *problem {
	v, p := s.nodeNamed(c.PathValue("name"))
	if p != nil {
		return p
	}
	return c.show(v, tagOfValue(v.settable()))
}

func (s *Server) nodeNamed(name string) (NodeView, *problem) {
	t := s.parts.Topologies.Load()
	if i := t.Find(name); i >= 0 {
		return s.node(t, i), nil
	}
	return NodeView{}, &problem{Type: kindUnknown, Title: "no such node", Status: http.StatusNotFound, Detail: "there is no node " + name}
}

// weighed refuses a weight that no node can have.
func weighed(weight *int) *problem {
	if weight != nil && (*weight < 0 || *weight > cluster.MostWeight) {
		return badParameter("weight: %d is not between 0 (no reads) and %d", *weight, cluster.MostWeight)
	}
	return nil
}

// addNode is POST /v1/nodes.
func (s *Server) addNode(c *call) *problem {
	var n NewNode
	if p := c.parse(&n); p != nil {
		return p
	}
	if n.Name == "" || n.Address == "" {
		return badParameter("name and address are both needed")
	}
	if err := cluster.CheckAddr(n.Address); err != nil {
		return badParameter("%v", err)
	}
	if p := weighed(n.Weight); p != nil {
		return p
	}
	c.done = entry{Call: "add node", Node: n.Name, Status: http.StatusCreated}
	if err := s.parts.Fleet.Add(n); err != nil {
		return refusal("adding the node", err)
	}
	c.w.Header().Set("Location", "/v1/nodes/"+url.PathEscape(n.Name))
	c.SetPathValue("name", n.Name)
	return s.showNode(c)
}

// changeNode is PATCH /v1/nodes/{name}.
func (s *Server) changeNode(c *call) *problem {
	var change NodeChange
	if p := c.parse(&change); p != nil {
		return p
	}
	if p := weighed(change.Weight); p != nil {
		return p
	}
	name := c.PathValue("name")
	v, p := s.nodeNamed(name)
	if p == nil {
		p = c.match(tagOfValue(v.settable()))
	}
	if p != nil {
		return p
	}
	c.done = entry{Call: "change node", Node: name, Outcome: "done: " + change.String()}
	if err := s.parts.Fleet.Change(name, change); err != nil {
		return refusal("changing the node", err)
	}
	return s.showNode(c)
}

// removeNode is DELETE /v1/nodes/{name}.
func (s *Server) removeNode(c *call) *problem {
	if p := c.parse(&struct{}{}); p != nil {
		return p
	}
	name := c.PathValue("name")
	v, p := s.nodeNamed(name)
	if p == nil {
		p = c.match(tagOfValue(v.settable()))
	}
	if p != nil {
		return p
	}
	if v.IsMaster {
		return &problem{Type: kindConflict, Title: "it is the master", Status: http.StatusConflict, Detail: name + " is the master",
			Remedy: "make another node the master first: POST /v1/operations with the kind switchover"}
	}
	c.done = entry{Call: "remove node", Node: name, Status: http.StatusNoContent}
	if err := s.parts.Fleet.Remove(name); err != nil {
		return refusal("removing the node", err)
	}
	return c.nothing()
}

// nothing is the answer of a call that was carried out and has nothing to show.
func (c *call) nothing() *problem {
	c.done.Status = http.StatusNoContent
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
