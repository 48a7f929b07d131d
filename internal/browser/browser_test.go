package browser

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestBrowser: what the tests of the dashboard rest on is seen to work, and to
// fail.
func TestBrowser(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "script-src 'unsafe-inline'")
		_, _ = w.Write([]byte(`<!doctype html><meta name=viewport content="width=device-width"><style>button { position: relative; z-index: 0 } i { position: fixed; inset: 0; z-index: 1 }</style><i></i>
			<button hidden>Go</button><button onclick="this.nextElementSibling.focus()">Go on</button><input onchange="document.title = this.value">
			<script>setTimeout(() => document.querySelector('i').remove(), 300); document.body.dataset.dark = matchMedia('(prefers-color-scheme: dark)').matches</script><script src="https://example.invalid/x.js"></script>`))
	}))
	t.Cleanup(server.Close)
	ctx := t.Context()
	page, err := ForTest(t).Open(ctx, server.URL, Screen{Width: 390, Height: 500, Dark: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := page.Click(ctx, "button", "Go"); err != nil {
		t.Fatal(err)
	}
	if err := page.Type(ctx, "it works"); err != nil {
		t.Fatal(err)
	}
	if err := page.Press(ctx, "Enter"); err != nil {
		t.Fatal(err)
	}
	if err := page.Wait(ctx, "document.title === 'it works' && innerWidth === 390 && document.body.dataset.dark === 'true'"); err != nil {
		t.Fatal(err)
	}
	if wrong := strings.Join(page.Wrong(), "\n"); !strings.Contains(wrong, "Content Security Policy") {
		t.Errorf("a script of elsewhere is not seen to be refused: %q", wrong)
	}
	if err := page.Eval(ctx, "nothing.at.all", nil); err == nil || !strings.Contains(err.Error(), "ReferenceError") {
		t.Errorf("an exception is not an error: %v", err)
	}
	png, err := page.Screenshot(ctx)
	if err != nil || !strings.HasPrefix(string(png), "\x89PNG") {
		t.Errorf("a screenshot of %d bytes: %v", len(png), err)
	}
}

func TestFindSaysWhatToDo(t *testing.T) {
	t.Setenv("PATH", "")
	t.Setenv("BELLWETHER_BROWSERS", t.TempDir())
	t.Setenv("BELLWETHER_BROWSER", "")
	if _, err := Find(); err == nil || !strings.Contains(err.Error(), "scripts/browser.sh") {
		t.Errorf("without a browser: %v", err)
	}
}
