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
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed page
var files embed.FS

// policy has a browser take scripts, styles and data from this server alone, and
// no markup out of strings.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

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

// Index is the name of the page itself.
const Index = "index.html"

// Serve answers with a file of the page, by its path, as "js/main.js"; it
// reports false, and has written nothing, where there is none. Any number of
// goroutines may call it.
func Serve(w http.ResponseWriter, r *http.Request, name string) bool {
	body, err := files.ReadFile("page/" + name)
	if err != nil {
		return false
	}
	sum := sha256.Sum256(body)
	header := w.Header()
	header.Set("Content-Type", contentType(name))
	header.Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	header.Set("Cache-Control", "no-cache") // kept, and asked about: a new version shows at once
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	return true
}
