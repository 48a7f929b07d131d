package admin

import (
	"net/http"
	"strings"

	"github.com/bellwether-db/bellwether/admin/dashboard"
)

// front answers / with the dashboard where a browser asks, else with text. The
// page takes no role: it shows nothing but what its own calls are told.
func (s *Server) front(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Accept")
	if !dashboard.Wanted(r) || !dashboard.Serve(w, r, dashboard.Index) {
		s.index(w, r)
	}
}

// asset answers with what the dashboard is made of.
func (s *Server) asset(w http.ResponseWriter, r *http.Request) {
	if !dashboard.Serve(w, r, strings.TrimPrefix(r.URL.Path, "/assets/")) {
		problem{Type: kindUnknown, Title: "not found", Status: http.StatusNotFound, Detail: "there is no " + r.URL.Path, Instance: r.URL.Path}.write(w)
	}
}
