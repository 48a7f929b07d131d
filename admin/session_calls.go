package admin

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
)

// The most sessions and digests that an answer has, unless it is asked for more.
const (
	sessionsShown = 1000
	digestsShown  = 50
)

// clients routes what is known of clients and their statements.
func (s *Server) clients(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/sessions", s.guarded(RoleRead, with(s.parts.Sessions, s.sessions)))
	mux.HandleFunc("DELETE /v1/sessions/{id}", s.guarded(RoleOperate, with(s.parts.Sessions, s.killSession)))
	mux.HandleFunc("GET /v1/digests", s.guarded(RoleRead, with(s.parts.Digests, s.digests)))
	mux.HandleFunc("DELETE /v1/digests", s.guarded(RoleOperate, with(s.parts.Digests, s.resetDigests)))
	mux.HandleFunc("GET /v1/traffic", s.guarded(RoleRead, with(s.parts.Traffic, s.showTraffic)))
	mux.HandleFunc("POST /v1/explain", s.guarded(RoleRead, with(s.parts.Explainer, s.explain)))
}

// SessionsView is GET /v1/sessions. It is a value.
type SessionsView struct {
	Sessions []Session `json:"sessions"`
	Total    int       `json:"total"` // those that the answer has no room for, too
}

// sessions is GET /v1/sessions.
func (s *Server) sessions(c *call) *problem {
	q, p := c.query("user", "node", "pinned", "limit")
	if p != nil {
		return p
	}
	limit, pinned := q.count("limit", sessionsShown), q.flag("pinned")
	if q.wrong != nil {
		return q.wrong
	}
	all := s.parts.Sessions.Sessions()
	all = slices.DeleteFunc(all, func(v Session) bool {
		switch {
		case q.Get("user") != "" && v.User != q.Get("user"), pinned && len(v.Pins) == 0:
			return true
		}
		return q.Get("node") != "" && (v.Node == nil || *v.Node != q.Get("node"))
	})
	slices.SortFunc(all, func(a, b Session) int { return cmp.Compare(a.ID, b.ID) })
	for i := range all {
		all[i].Pins = notNil(all[i].Pins)
	}
	return c.show(SessionsView{notNil(all[:min(limit, len(all))]), len(all)}, "")
}

// killSession is DELETE /v1/sessions/{id}.
func (s *Server) killSession(c *call) *problem {
	q, p := c.query("query")
	if p != nil {
		return p
	}
	only := q.flag("query")
	if q.wrong != nil {
		return q.wrong
	}
	id, err := strconv.ParseUint(c.PathValue("id"), 10, 32)
	c.done = entry{Call: "kill session", Table: c.PathValue("id")}
	if only {
		c.done.Call = "kill statement"
	}
	if err != nil || !s.parts.Sessions.KillSession(uint32(id), only) {
		return &problem{Type: kindUnknown, Title: "no such session", Status: http.StatusNotFound, Detail: "there is no session " + c.PathValue("id")}
	}
	return c.nothing()
}

// digestOrders are how digests may be asked for.
var digestOrders = map[string]func(d Digest) float64{
	"total":  func(d Digest) float64 { return d.TotalMS },
	"count":  func(d Digest) float64 { return float64(d.Count) },
	"errors": func(d Digest) float64 { return float64(d.Errors) },
	"max":    func(d Digest) float64 { return d.MaxMS },
}

// digests is GET /v1/digests: the greatest first.
func (s *Server) digests(c *call) *problem {
	q, p := c.query("order", "limit")
	if p != nil {
		return p
	}
	limit, by := q.count("limit", digestsShown), digestOrders[cmp.Or(q.Get("order"), "total")]
	switch {
	case q.wrong != nil:
		return q.wrong
	case by == nil:
		return badParameter("order: %q is not one of total, count, errors, max", q.Get("order"))
	}
	report := s.parts.Digests.Digests()
	slices.SortStableFunc(report.Digests, func(a, b Digest) int { return cmp.Compare(by(b), by(a)) })
	report.Digests = notNil(report.Digests[:min(limit, len(report.Digests))])
	return c.show(report, "")
}

// resetDigests is DELETE /v1/digests.
func (s *Server) resetDigests(c *call) *problem {
	if p := c.parse(&struct{}{}); p != nil {
		return p
	}
	c.done = entry{Call: "reset digests"}
	s.parts.Digests.ResetDigests()
	return c.nothing()
}

// explain is POST /v1/explain.
func (s *Server) explain(c *call) *problem {
	var q Question
	if p := c.parse(&q); p != nil {
		return p
	}
	if q.Statement == "" {
		return badParameter("statement: is missing")
	}
	e, err := s.parts.Explainer.Explain(q)
	if err != nil {
		return badParameter("%v", err)
	}
	e.Why, e.Pins = notNil(e.Why), notNil(e.Pins)
	return c.show(e, "")
}

// notNil is a list that is shown as one, whatever is in it.
func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
