package admin

import (
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/bellwether-db/bellwether/admin/reference"
)

// Handler routes every request.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.front)
	mux.HandleFunc("GET /assets/", s.asset)
	mux.HandleFunc("GET /healthz", s.alive)
	mux.HandleFunc("GET /livez", s.alive)
	mux.HandleFunc("GET /readyz", s.ready)
	if s.parts.Reload != nil {
		mux.HandleFunc("POST /reload", s.reload)
	}
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.parts.Metrics, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(s.parts.Logger.Handler(), slog.LevelWarn),
	}))
	mux.HandleFunc("GET /ping", s.ping)
	mux.HandleFunc("GET /is-master", s.isMaster)
	mux.HandleFunc("GET /openapi.json", s.describe)
	reference.Route(mux)
	mux.HandleFunc("GET /master", s.master)
	mux.HandleFunc("GET /slave", s.slave)
	s.fleet(mux)
	s.clients(mux)
	s.operable(mux)
	s.historical(mux)
	s.configurable(mux)
	mux.Handle("GET /v1/events", headless{s.guarded(RoleRead, s.stream)})
	mux.HandleFunc("GET /nodes", s.guarded(RoleRead, s.nodes))
	mux.HandleFunc("POST /nodes", s.guarded(RoleRead, s.nodes))
	both(mux, "/sync", s.guarded(RoleOperate, s.sync))
	for path, c := range s.dataCalls() {
		both(mux, path, s.guarded(c.least, s.withData(c.serve)))
	}
	return s.withPreflights(withProblems(mux))
}

// dataCall is a call of the document, and the least role that may make it.
type dataCall struct {
	least Role
	serve func(*call) *problem
}

// dataCalls are those that read or change rows, tables and databases, by path.
func (s *Server) dataCalls() map[string]dataCall {
	return map[string]dataCall{
		"/select": {RoleRead, s.selectRows}, "/search": {RoleRead, s.search},
		"/insert": {RoleWrite, s.insert}, "/update": {RoleWrite, s.update}, "/delete": {RoleWrite, s.delete},
		"/createdb": {RoleWrite, s.createDatabase}, "/dropdb": {RoleWrite, s.dropDatabase}, "/alterdb": {RoleWrite, s.alterDatabase},
		"/createtable": {RoleWrite, s.createTable}, "/altertable": {RoleWrite, s.alterTable},
	}
}

// both routes GET, which the document has, and POST, of a call that may change
// something.
func both(mux *http.ServeMux, path string, serve http.HandlerFunc) {
	mux.Handle("GET "+path, headless{serve})
	mux.HandleFunc("POST "+path, serve)
}

// headless serves a GET that changes something or takes its time: a HEAD, which
// the mux takes for one, gets no further than withProblems.
type headless struct{ http.HandlerFunc }

func isHeadless(h http.Handler) bool {
	_, is := h.(headless)
	return is
}

// withData refuses the data calls where there is no account for them.
func (s *Server) withData(serve func(*call) *problem) func(*call) *problem {
	return func(c *call) *problem {
		if s.gateway == nil || s.settings().Account.User == "" {
			return &problem{Type: kindUnavailable, Title: "not configured", Status: http.StatusNotImplemented,
				Detail: "the data calls have no account to log in with", Remedy: "name one in the configuration under admin.account"}
		}
		return serve(c)
	}
}
