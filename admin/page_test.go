package admin

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// TestPage: a browser gets the dashboard, everything it is made of and nothing
// from elsewhere; curl gets text.
func TestPage(t *testing.T) {
	handler := serving(healthy()).Handler()
	ask := func(target, accept, tag string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, target, nil)
		r.Header.Set("Accept", accept)
		r.Header.Set("If-None-Match", tag)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	if text := ask("/", "*/*", "").Body.String(); !strings.HasPrefix(text, "Bellwether v0") {
		t.Errorf("curl reads %.60q", text)
	}
	page := ask("/", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "")
	if !strings.Contains(page.Body.String(), "<title>Bellwether</title>") || !strings.Contains(page.Header().Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("a browser reads %.60q with %v", page.Body, page.Header())
	}
	wanted := regexp.MustCompile(`(?:src|href)="(assets/[^"]+)"|from '\./([^']+)'`)
	seen := map[string]bool{}
	var follow func(text string)
	follow = func(text string) {
		for _, found := range wanted.FindAllStringSubmatch(text, -1) {
			name := found[1]
			if name == "" {
				name = "assets/js/" + found[2]
			}
			if seen[name] {
				continue
			}
			seen[name] = true
			asset := ask("/"+name, "*/*", "")
			if asset.Code != http.StatusOK || ask("/"+name, "*/*", asset.Header().Get("ETag")).Code != http.StatusNotModified {
				t.Errorf("%s: %d", name, asset.Code)
			}
			follow(asset.Body.String())
		}
	}
	follow(page.Body.String())
	if len(seen) < 20 {
		t.Errorf("the page is made of %d files: %v", len(seen), seen)
	}
	if none := ask("/assets/none.js", "*/*", ""); none.Code != http.StatusNotFound || !strings.Contains(none.Body.String(), "urn:bellwether:problem") {
		t.Errorf("what is not there: %d %s", none.Code, none.Body)
	}
	if outside := ask("/assets/../dashboard.go", "*/*", ""); outside.Code == http.StatusOK {
		t.Error("files beside the page are served")
	}
}
