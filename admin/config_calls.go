package admin

import (
	"net/http"
	"strings"
)

// configurable routes /v1/config. The file's text is for operators: it says how
// to get at the nodes, if not with which password.
func (s *Server) configurable(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/config", s.guarded(RoleOperate, with(s.parts.Configuration, s.showConfiguration)))
	mux.HandleFunc("PUT /v1/config", s.guarded(RoleOperate, with(s.parts.Configuration, s.replaceConfiguration)))
	mux.HandleFunc("POST /v1/config/validate", s.guarded(RoleOperate, with(s.parts.Configuration, s.examine)))
	mux.HandleFunc("POST /v1/config/diff", s.guarded(RoleOperate, with(s.parts.Configuration, s.examine)))
}

// showConfiguration is GET /v1/config.
func (s *Server) showConfiguration(c *call) *problem {
	if _, p := c.query(); p != nil {
		return p
	}
	shown, err := s.parts.Configuration.Show()
	if err != nil {
		return refusal("showing the configuration", err)
	}
	return c.show(shown, shown.Version)
}

// examine is POST /v1/config/validate, and diff, which say the same.
func (s *Server) examine(c *call) *problem {
	var in struct {
		Text string `json:"text"`
	}
	if p := c.parse(&in); p != nil {
		return p
	}
	examined, err := s.parts.Configuration.Examine(in.Text)
	if err != nil {
		return refusal("examining the configuration", err)
	}
	examined.Problems, examined.Changes = notNil(examined.Problems), notNil(examined.Changes)
	return c.show(examined, "")
}

// replaceConfiguration is PUT /v1/config.
func (s *Server) replaceConfiguration(c *call) *problem {
	var in struct {
		Text string `json:"text"`
	}
	if p := c.parse(&in); p != nil {
		return p
	}
	tag := strings.Trim(strings.TrimSpace(c.Header.Get("If-Match")), `"`)
	if tag == "" {
		return &problem{Type: kindStale, Title: "If-Match is missing", Status: http.StatusPreconditionRequired,
			Detail: "a configuration is replaced by who has seen the one that it replaces", Remedy: "GET /v1/config, and send its ETag as If-Match"}
	}
	if in.Text == "" {
		return badParameter("text: is missing")
	}
	c.done = entry{Call: "replace configuration"}
	version, _, _ := strings.Cut(tag, "-")
	changes, err := s.parts.Configuration.Replace(in.Text, version)
	if err != nil {
		return refusal("replacing the configuration", err)
	}
	c.done.Outcome = "done: " + strings.Join(changes, "; ")
	return c.show(struct {
		Changes []string `json:"changes"`
	}{notNil(changes)}, "")
}
