package admin

import (
	_ "embed"
	"net/http"
)

//go:embed openapi.json
var openAPI []byte

// OpenAPI returns the description of every call, as JSON of OpenAPI 3.1. It must
// not be changed.
func OpenAPI() []byte { return openAPI }

// describe is GET /openapi.json.
func (s *Server) describe(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-cache")
	// A client that has gone needs no answer.
	_, _ = w.Write(openAPI)
}
