package admin

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// problem is an error document of RFC 9457.
type problem struct {
	// Type is one of the kinds below, as a URI that stays.
	Type   kind   `json:"type,omitempty"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Detail says what happened, Remedy what to do.
	Detail string `json:"detail,omitempty"`
	Remedy string `json:"remedy,omitempty"`
	// Code is the database's own error number, 0 where there is none.
	Code     uint16 `json:"code,omitempty"`
	Instance string `json:"instance,omitempty"`
}

// kind is a kind of problem that programs tell from others.
type kind string

// The kinds of problems; docs/rest.md lists them for readers.
const (
	kindRefused     kind = "urn:bellwether:problem:refused"           // a parameter or fragment is not what it may be
	kindBody        kind = "urn:bellwether:problem:body"              // the body is no JSON, or too large
	kindUnknown     kind = "urn:bellwether:problem:not-found"         // there is no such call, database or table
	kindMethod      kind = "urn:bellwether:problem:method"            // the call is there, for other methods
	kindConflict    kind = "urn:bellwether:problem:conflict"          // what is there is against it
	kindStale       kind = "urn:bellwether:problem:changed"           // If-Match names another state, or nothing
	kindStatement   kind = "urn:bellwether:problem:statement"         // the database refuses the statement
	kindDenied      kind = "urn:bellwether:problem:denied"            // the caller, or the account, may not
	kindToken       kind = "urn:bellwether:problem:token"             // no token, or a wrong one
	kindOrigin      kind = "urn:bellwether:problem:origin"            // another page's request
	kindHost        kind = "urn:bellwether:problem:host"              // called by a name that is not ours
	kindRate        kind = "urn:bellwether:problem:rate"              // too many calls
	kindUnavailable kind = "urn:bellwether:problem:unavailable"       // nothing was done: try later
	kindOutcome     kind = "urn:bellwether:problem:outcome-not-known" // it may have been done: look before trying again
	kindInternal    kind = "urn:bellwether:problem:internal"
)

// Error makes a problem what a call returns.
func (p *problem) Error() string { return p.Title + ": " + p.Detail }

func (p problem) write(w http.ResponseWriter) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // people read "<=" in it, and no browser takes it for a page
	if err := encoder.Encode(p); err != nil {
		http.Error(w, p.Title, p.Status)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	// A client that has gone needs no answer.
	_, _ = w.Write(body.Bytes())
}

// withProblems answers what no route of mux takes with a problem document.
func withProblems(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" && !(r.Method == http.MethodHead && isHeadless(h)) {
			mux.ServeHTTP(w, r)
			return
		}
		p := problem{Type: kindUnknown, Title: "not found", Status: http.StatusNotFound, Detail: "there is no " + r.URL.Path, Instance: r.URL.Path}
		if allowed := methods(mux, r); len(allowed) > 0 {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			p.Type, p.Title, p.Status = kindMethod, "method not allowed", http.StatusMethodNotAllowed
			p.Detail = r.Method + " is not one of " + strings.Join(allowed, " ")
		}
		p.write(w)
	})
}

// methods are those that the path of a request is served for; none where there is
// no such path.
func methods(mux *http.ServeMux, r *http.Request) []string {
	// The mux knows them, and says so to a method that is none.
	asked := r.Clone(r.Context())
	asked.Method = "NONE"
	verdict := &statusOnly{header: make(http.Header)}
	mux.ServeHTTP(verdict, asked)
	if verdict.status != http.StatusMethodNotAllowed {
		return nil
	}
	allowed := strings.Split(verdict.header.Get("Allow"), ", ")
	asked.Method = http.MethodHead
	if h, _ := mux.Handler(asked); isHeadless(h) {
		allowed = slices.DeleteFunc(allowed, func(method string) bool { return method == http.MethodHead })
	}
	return allowed
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
