// Package dashboard is the page for people at the cluster's address: plain HTML,
// style sheets and JavaScript modules as they stand in page/, embedded, with no
// build step and nothing from elsewhere. It knows the cluster only by the calls
// that it makes to /v1. uPlot draws the charts: page/uplot has it with its licence.
package dashboard

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed page
var embedded embed.FS

// policy has a browser take scripts, styles and data from this server alone, and
// no markup out of strings.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// Page serves the dashboard. Any number of goroutines may use it.
type Page struct {
	files map[string]file // by path: "index.html", "js/main.js"
}

// file is one of the page's. It is a value that is not changed.
type file struct {
	body        []byte
	contentType string
	tag         string // its ETag
}

// New reads the embedded files.
func New() (*Page, error) {
	page := &Page{files: map[string]file{}}
	err := fs.WalkDir(embedded, "page", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := embedded.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		page.files[strings.TrimPrefix(name, "page/")] = file{body: body, contentType: contentType(name), tag: `"` + hex.EncodeToString(sum[:8]) + `"`}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the dashboard: %w", err)
	}
	return page, nil
}

// contentType does not ask the machine, whose tables may be empty or odd.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return "text/plain; charset=utf-8"
}

// Wanted reports whether a request for / wants the page rather than text: it
// names text/html, as browsers do and curl does not.
func Wanted(r *http.Request) bool {
	for accepted := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		if kind, _, err := mime.ParseMediaType(accepted); err == nil && kind == "text/html" {
			return true
		}
	}
	return false
}

// Index answers / with the page.
func (p *Page) Index(w http.ResponseWriter, r *http.Request) { p.serve(w, r, "index.html") }

// Asset answers what is below /assets/.
func (p *Page) Asset(w http.ResponseWriter, r *http.Request) {
	p.serve(w, r, strings.TrimPrefix(r.URL.Path, "/assets/"))
}

func (p *Page) serve(w http.ResponseWriter, r *http.Request, name string) {
	f, ok := p.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	header := w.Header()
	header.Set("Content-Type", f.contentType)
	header.Set("ETag", f.tag)
	header.Set("Cache-Control", "no-cache") // kept, and asked about: a new version shows at once
	header.Add("Vary", "Accept")
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.body))
}
