// Package reference is the page that shows every call of the admin address and
// lets its reader try them. It reads /openapi.json and nothing from elsewhere.
package reference

import (
	"embed"
	"net/http"
)

//go:embed page
var embedded embed.FS

// policy has a browser take scripts, styles and data from this server alone.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// files are the page's, by path, with their types.
var files = map[string]struct{ name, kind string }{
	"/docs":               {"page/index.html", "text/html; charset=utf-8"},
	"/docs/reference.js":  {"page/reference.js", "text/javascript; charset=utf-8"},
	"/docs/reference.css": {"page/reference.css", "text/css; charset=utf-8"},
}

// Route adds the page.
func Route(mux *http.ServeMux) {
	for path := range files {
		mux.HandleFunc("GET "+path, serve)
	}
}

func serve(w http.ResponseWriter, r *http.Request) {
	f := files[r.URL.Path]
	body, err := embedded.ReadFile(f.name)
	if err != nil {
		http.NotFound(w, r) // what is embedded is there
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	// A client that has gone needs no answer.
	_, _ = w.Write(body)
}
