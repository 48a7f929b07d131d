package admin

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/bellwether-db/bellwether/admin/operation"
)

// operable routes the calls that change roles, or take their time.
func (s *Server) operable(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/operations", s.guarded(RoleRead, s.listOperations))
	mux.HandleFunc("POST /v1/operations", s.guarded(RoleOperate, with(s.parts.Operator, s.operate)))
	mux.HandleFunc("GET /v1/operations/{id}", s.guarded(RoleRead, s.showOperation))
	mux.HandleFunc("DELETE /v1/operations/{id}", s.guarded(RoleOperate, s.cancelOperation))
}

// listOperations is GET /v1/operations.
func (s *Server) listOperations(c *call) *problem {
	if _, p := c.query(); p != nil {
		return p
	}
	all, _ := s.operations.Records()
	return c.show(struct {
		Operations []operation.Record `json:"operations"`
	}{notNil(all)}, "")
}

// showOperation is GET /v1/operations/{id}.
func (s *Server) showOperation(c *call) *problem {
	record, err := s.operations.Record(c.PathValue("id"))
	if err != nil {
		return &problem{Type: kindUnknown, Title: "no such operation", Status: http.StatusNotFound, Detail: err.Error(), Remedy: "the last 100 are remembered"}
	}
	return c.show(record, "")
}

// fits refuses a kind that is not there, and what the kind does not take: who
// asks for a switchover with a "node" means that node, and is not to get another.
func fits(asked operation.Request) *problem {
	takes := map[string]string{"switchover": "to, reason, force", "failover": "to, reason, force", "sync": "node, reason", "verify": "node, options, reason", "reload": "reason"}
	takenHere, known := takes[asked.Kind]
	if !known {
		return badParameter("kind: %q is not one of switchover, failover, sync, verify, reload", asked.Kind)
	}
	o := asked.Options
	for _, part := range []struct {
		name  string
		given bool
	}{{"to", asked.To != ""}, {"node", asked.Node != ""}, {"force", asked.Force}, {"options", o != operation.Options{}}} {
		if part.given && !slices.Contains(strings.Split(takenHere, ", "), part.name) {
			return badParameter("%s: a %s takes only %s", part.name, asked.Kind, takenHere)
		}
	}
	if min(o.ChunkMS, o.LockMS, o.PatienceSeconds) < 0 {
		return badParameter("options: none of them can be below 0, which is the usual")
	}
	return nil
}

// operate is POST /v1/operations.
func (s *Server) operate(c *call) *problem {
	var asked operation.Request
	if p := c.parse(&asked); p != nil {
		return p
	}
	if p := fits(asked); p != nil {
		return p
	}
	if asked.DryRun {
		plan, err := s.parts.Operator.Plan(c.Context(), asked)
		if err != nil {
			return refusal("planning the "+asked.Kind, err)
		}
		return c.show(plan, "")
	}
	record, p := s.begin(c, asked)
	if p != nil {
		return p
	}
	return c.show(record, "")
}

// begin starts an operation; the answer has still to be written.
func (s *Server) begin(c *call, asked operation.Request) (operation.Record, *problem) {
	c.done = entry{Call: asked.Kind, Node: asked.To + asked.Node, Status: http.StatusAccepted} // one of the two is empty
	job, err := s.parts.Operator.Prepare(c.Context(), asked)
	if err != nil {
		return operation.Record{}, refusal(asked.Kind, err)
	}
	record, err := s.operations.Start(c.Context(), asked, c.who.name, s.noted(c.who, asked, job))
	if err != nil {
		return operation.Record{}, refusal(asked.Kind, err)
	}
	c.done.Outcome = "accepted as " + record.ID
	c.w.Header().Set("Location", "/v1/operations/"+record.ID)
	return record, nil
}

// noted has the audit told how a job ended.
func (s *Server) noted(who caller, asked operation.Request, job operation.Job) operation.Job {
	do := job.Do
	job.Do = func(ctx context.Context, tell *operation.Teller) (operation.Outcome, error) {
		line := s.line(who, asked.Kind+" ended")
		line.Node = asked.To + asked.Node
		outcome, err := do(ctx, tell)
		if line.Outcome, line.Status = outcome.Says, http.StatusOK; err != nil {
			line.Outcome, line.Status = err.Error(), refusal(asked.Kind, err).Status
		}
		s.noteEnd(line)
		return outcome, err
	}
	return job
}

// cancelOperation is DELETE /v1/operations/{id}.
func (s *Server) cancelOperation(c *call) *problem {
	if p := c.parse(&struct{}{}); p != nil {
		return p
	}
	c.done = entry{Call: "cancel operation", Table: c.PathValue("id"), Status: http.StatusAccepted}
	record, err := s.operations.Cancel(c.PathValue("id"))
	if err != nil {
		return refusal("cancelling", err)
	}
	return c.show(record, "")
}

// refusal is the problem of what was not carried out, or not to its end.
func refusal(what string, err error) *problem {
	switch {
	case errors.Is(err, ErrStale):
		return &problem{Type: kindStale, Title: "changed meanwhile", Status: http.StatusPreconditionFailed, Detail: err.Error(), Remedy: "read it again, and decide anew"}
	case errors.Is(err, ErrUnknown), errors.Is(err, operation.ErrUnknown):
		return &problem{Type: kindUnknown, Title: "not there", Status: http.StatusNotFound, Detail: err.Error()}
	case errors.Is(err, ErrRefused):
		return &problem{Type: kindConflict, Title: what + " refused, nothing has changed", Status: http.StatusConflict,
			Detail: strings.TrimPrefix(err.Error(), ErrRefused.Error()+": ")}
	}
	return &problem{Type: kindOutcome, Title: what + " not done", Status: http.StatusServiceUnavailable, Detail: err.Error(), Remedy: "see /v1/incidents and /v1/problems"}
}
