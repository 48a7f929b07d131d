package admin

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// Incident is the record of something that was done about a failure, or by
// order. It is a value.
type Incident struct {
	ID      string
	Running bool
	// Shown is all of it, as JSON shows it.
	Shown any
}

// MarshalJSON writes what is shown.
func (i Incident) MarshalJSON() ([]byte, error) { return json.Marshal(i.Shown) }

// Problem is one thing that is the matter now. It is a value.
type Problem struct {
	Kind        string   `json:"kind"`
	Node        string   `json:"node"` // "" for the cluster
	Priority    string   `json:"priority"`
	Description string   `json:"description"`
	Asks        string   `json:"asks"` // what ends it, "none" where Bellwether cannot
	Evidence    []string `json:"evidence"`
}

// ProblemsView is GET /v1/problems. It is a value.
type ProblemsView struct {
	Problems []Problem `json:"problems"`
}

// steady is the view without what changes all the time.
func (v ProblemsView) steady() any {
	keys := make([][2]string, len(v.Problems))
	for i, p := range v.Problems {
		keys[i] = [2]string{p.Kind, p.Node}
	}
	return keys
}

// historical routes what was the matter, and is.
func (s *Server) historical(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/incidents", s.guarded(RoleRead, with(s.parts.History, s.incidents)))
	mux.HandleFunc("GET /v1/incidents/{id}", s.guarded(RoleRead, with(s.parts.History, s.incident)))
	mux.HandleFunc("GET /v1/problems", s.guarded(RoleRead, with(s.parts.History, s.problems)))
	mux.HandleFunc("GET /v1/audit", s.guarded(RoleOperate, s.showAudit))
}

// incidents is GET /v1/incidents.
func (s *Server) incidents(c *call) *problem {
	if _, p := c.query(); p != nil {
		return p
	}
	return c.show(struct {
		Incidents []Incident `json:"incidents"`
	}{notNil(s.parts.History.Incidents())}, "")
}

// incident is GET /v1/incidents/{id}.
func (s *Server) incident(c *call) *problem {
	for _, i := range s.parts.History.Incidents() {
		if i.ID == c.PathValue("id") {
			return c.show(i, "")
		}
	}
	return &problem{Type: kindUnknown, Title: "no such incident", Status: http.StatusNotFound, Detail: "there is no incident " + c.PathValue("id")}
}

// problems is GET /v1/problems.
func (s *Server) problems(c *call) *problem {
	if _, p := c.query(); p != nil {
		return p
	}
	return c.show(ProblemsView{s.problemsNow()}, "")
}

func (s *Server) problemsNow() []Problem {
	if s.parts.History == nil {
		return []Problem{}
	}
	all := notNil(s.parts.History.Problems())
	for i := range all {
		all[i].Evidence = notNil(all[i].Evidence)
	}
	return all
}

// auditShown is how many lines of the audit are shown at most.
const auditShown = 1000

// showAudit is GET /v1/audit.
func (s *Server) showAudit(c *call) *problem {
	q, p := c.query("limit")
	if p != nil {
		return p
	}
	limit := min(q.count("limit", 100), auditShown)
	if q.wrong != nil {
		return q.wrong
	}
	entries, err := s.audit.latest(limit)
	if err != nil {
		return &problem{Type: kindInternal, Title: "audit not read", Status: http.StatusInternalServerError, Detail: err.Error()}
	}
	return c.show(struct {
		Entries []entry `json:"entries"`
	}{notNil(entries)}, "")
}

// line is what the audit says of a caller's change that goes on behind the
// answer.
func (s *Server) line(who caller, call string) *entry {
	return &entry{Time: time.Now().UTC(), Caller: who.name, Role: who.role.String(), From: who.from, Call: call}
}

// noteEnd writes down that such a change has ended.
func (s *Server) noteEnd(e *entry) {
	e.Millis = time.Since(e.Time).Milliseconds()
	s.note(e)
}

// readiness says why writes cannot be served, "" where they can, and why they
// are less durable than promised.
func (s *Server) readiness(t *cluster.Topology) (notYet, degraded string) {
	if s.stopping.Load() {
		return "Bellwether is shutting down", ""
	}
	weak, waits := s.unprotected()
	if notYet = notReady(t); notYet == "" && waits {
		return weak, ""
	}
	return notYet, weak
}
