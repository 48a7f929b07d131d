package admin

import (
	"encoding/json"
	"net/http"
	"strings"
)

// problem is an error document of RFC 9457. Its type is left out, which means
// that the title says all there is.
type problem struct {
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail,omitempty"`
	Instance string `json:"instance,omitempty"`
}

func (p problem) write(w http.ResponseWriter) {
	body, err := json.Marshal(p)
	if err != nil {
		http.Error(w, p.Title, p.Status)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	// A client that has gone needs no answer.
	_, _ = w.Write(append(body, '\n'))
}

// withProblems answers what no route of mux takes with a problem document.
func withProblems(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		// The mux knows whether the path or only the method is wrong, and which
		// methods are right.
		verdict := &statusOnly{header: make(http.Header)}
		mux.ServeHTTP(verdict, r)
		p := problem{Title: "not found", Status: http.StatusNotFound, Detail: "there is no " + r.URL.Path, Instance: r.URL.Path}
		if verdict.status == http.StatusMethodNotAllowed {
			allowed := verdict.header.Get("Allow")
			w.Header().Set("Allow", allowed)
			p.Title, p.Status = "method not allowed", verdict.status
			p.Detail = r.Method + " is not one of " + strings.ReplaceAll(allowed, ",", "")
		}
		p.write(w)
	})
}

// statusOnly is a response whose body goes nowhere. It serves one request.
type statusOnly struct {
	header http.Header
	status int
}

// Header returns the response's header, to be changed before WriteHeader.
func (s *statusOnly) Header() http.Header { return s.header }

// WriteHeader keeps the first status.
func (s *statusOnly) WriteHeader(status int) {
	if s.status == 0 {
		s.status = status
	}
}

// Write drops the body.
func (s *statusOnly) Write(body []byte) (int, error) { return len(body), nil }
