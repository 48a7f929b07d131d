package admin

import (
	"fmt"
	"net/http"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

const index = `Bellwether %s

/metrics                     what Prometheus reads
/livez /healthz              200 while the process answers
/readyz /master              200 while writes can be served, else 503 and why
/slave?max_lag=2s            200 while a slave serves reads, else 503 and why
/docs /openapi.json          every call, and a page to try them
/v1/cluster /v1/nodes /v1/sessions /v1/digests /v1/traffic /v1/incidents /v1/problems
/v1/operations /v1/config /v1/audit /v1/explain /v1/events      to operate it: docs/api.md
/reload                      POST, with the token of state_dir: read the configuration again

/ping /nodes /is-master /createdb /dropdb /alterdb /createtable /altertable
/insert /select /search /update /delete /sync      the REST calls: docs/rest.md
`

func (s *Server) index(w http.ResponseWriter, _ *http.Request) {
	writeText(w, fmt.Sprintf(index, s.parts.Version))
}

// alive answers as long as the process does.
func (s *Server) alive(w http.ResponseWriter, _ *http.Request) { writeText(w, "ok\n") }

// ready answers 200 while a write would be served, and says there, too, if it
// would be less durable than promised.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	reason, weak := s.readiness(s.parts.Topologies.Load())
	switch {
	case reason != "":
		problem{Type: kindUnavailable, Title: "not ready", Status: http.StatusServiceUnavailable, Detail: reason, Instance: r.URL.Path}.write(w)
	case weak != "":
		writeText(w, "ok, but degraded: "+weak+"\n")
	default:
		writeText(w, "ok\n")
	}
}

// master is /master: 200 while this address serves writes.
func (s *Server) master(w http.ResponseWriter, r *http.Request) {
	reason, _ := s.readiness(s.parts.Topologies.Load())
	verdictOn(w, r, reason)
}

// slave is /slave: 200 while a slave serves reads, and with max_lag while one
// does within that.
func (s *Server) slave(w http.ResponseWriter, r *http.Request) {
	limit, p := maxLag(r)
	if p != nil {
		p.Instance = r.URL.Path
		p.write(w)
		return
	}
	verdictOn(w, r, noSlave(s.parts.Topologies.Load(), limit))
}

// noSlave says that no slave serves reads, or none within a lag, 0 for any; ""
// where one does.
func noSlave(t *cluster.Topology, limit time.Duration) string {
	for _, i := range t.Readable {
		if idle(&t.Nodes[i], limit) == "" {
			return ""
		}
	}
	if limit > 0 && len(t.Readable) > 0 {
		return fmt.Sprintf("no slave is known to be within %v of the master", limit)
	}
	return "no slave serves reads"
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
