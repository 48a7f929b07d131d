package admin

import (
	"fmt"
	"net/http"

	"github.com/bellwether-db/bellwether/cluster"
)

const index = `Bellwether %s

/metrics  what Prometheus reads
/healthz  200 while the process answers
/readyz   200 while writes can be served, else 503 and why
/reload   POST, with the token of state_dir: read the configuration again
/v1/operations  POST: {"kind": "switchover", "to": "node2", "dry_run": true}
/v1/nodes       POST: {"node": "node2", "drain": true, "maintenance": false}
/v1/incidents /v1/problems

/ping /nodes /is-master /createdb /dropdb /alterdb /createtable /altertable
/insert /select /search /update /delete /sync   the REST calls: docs/rest.md
`

func (s *Server) index(w http.ResponseWriter, _ *http.Request) {
	writeText(w, fmt.Sprintf(index, s.parts.Version))
}

// alive answers as long as the process does.
func (s *Server) alive(w http.ResponseWriter, _ *http.Request) { writeText(w, "ok\n") }

// ready answers 200 while a write would be served, and says there, too, if it
// would be less durable than promised.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	reason := "Bellwether is shutting down"
	if !s.stopping.Load() {
		reason = notReady(s.parts.Topologies.Load())
	}
	weak, waits := s.unprotected()
	if reason == "" && waits {
		reason = weak
	}
	switch {
	case reason != "":
		problem{Title: "not ready", Status: http.StatusServiceUnavailable, Detail: reason, Instance: r.URL.Path}.write(w)
	case weak != "":
		writeText(w, "ok, but degraded: "+weak+"\n")
	default:
		writeText(w, "ok\n")
	}
}

// unprotected says why writes are less durable than promised, and whether they
// wait for that; "" where they are not, or nothing is promised.
func (s *Server) unprotected() (reason string, waits bool) {
	if s.parts.Durability == nil {
		return "", false
	}
	return s.parts.Durability.Unprotected()
}

// notReady says why a write cannot be served, or "" if it can.
func notReady(t *cluster.Topology) string {
	master := t.MasterNode()
	switch {
	case master == nil && t.WritesReason != "":
		return "there is no master: " + t.WritesReason
	case master == nil:
		return "there is no master"
	case master.Health == cluster.HealthUnknown:
		return fmt.Sprintf("the master %s has not been reached yet", master.Name)
	case master.Health != cluster.HealthUp && master.Problem != "":
		return fmt.Sprintf("the master %s is down: %s", master.Name, master.Problem)
	case master.Health != cluster.HealthUp:
		return fmt.Sprintf("the master %s is down", master.Name)
	case t.MasterIdentity != "" && master.Identity != t.MasterIdentity:
		return fmt.Sprintf("the server at %s is not the recorded master %s: it says it is %q, not %q",
			master.Addr, master.Name, master.Identity, t.MasterIdentity)
	case t.Writes != cluster.WritesOpen && t.WritesReason != "":
		return fmt.Sprintf("writes are %s: %s", t.Writes, t.WritesReason)
	case t.Writes != cluster.WritesOpen:
		return fmt.Sprintf("writes are %s", t.Writes)
	}
	return ""
}

func writeText(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	// A client that has gone needs no answer.
	_, _ = w.Write([]byte(text))
}
