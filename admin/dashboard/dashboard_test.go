package dashboard

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/internal/browser"
)

// TestDecisions holds what the page decides without drawing anything, in the
// browser, under the page's own policy.
func TestDecisions(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !Serve(w, r, strings.TrimPrefix(strings.Replace(r.URL.Path, "/assets/", "/", 1), "/")) {
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	page, err := browser.ForTest(t).Open(t.Context(), server.URL+"/"+Index, browser.Screen{Width: 800, Height: 600})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ module, expression, want string }{
		{"format", "[null, undefined, 0, 3.14, 12, 99999, 123456, 98765432].map(count)", `["–","–","0","3.1","12","99,999","123k","98.8M"]`},
		{"format", "[null, 0, 0.25, 7.77, 512, 61234].map(milliseconds)", `["–","0.00 ms","0.25 ms","7.8 ms","512 ms","1 min 1 s"]`},
		{"format", "[null, 0, 59.9, 60, 3600, 3725, 90061].map(duration)", `["–","0.0 s","59 s","1 min","1 h","1 h 2 min","1 d 1 h"]`},
		{"format", "[0, 999, 1500, 2.5e9].map(bytes)", `["0 B","999 B","1.5 kB","2.5 GB"]`},
		{"format", "['', '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5,\\n0-1-7'].map(gtids)", `["","3e11fa47…:1-5,0-1-7"]`},
		{"stream", "(p => ['id: 1\\nevent: a\\nda', 'ta: {\"x\":\\n', '\\n: a comment\\n\\ndata: 1\\r\\ndata: 2\\r\\n\\r\\n'].map(text => p.feed(text)))(new Parser())",
			`[[],[],[{"type":"a","id":"1","data":"{\"x\":"},{"type":"message","id":"","data":"1\n2"}]]`},
		{"state", "merged([{id: 1, ended: 'then', steps: [1]}], {id: 1, ended: null, steps: []})", `[{"id":1,"ended":"then","steps":[1]}]`},
		{"state", "merged([{id: 1, ended: null, steps: [1]}, {id: 2}], {id: 1, ended: null, steps: [1, 2]})", `[{"id":1,"ended":null,"steps":[1,2]},{"id":2}]`},
		{"state", "merged(null, {id: 1})", `[{"id":1}]`},
		{"headline", "[null, {ready: false, not_ready: '', writes: 'held'}, {ready: true, degraded: 'x'}, {ready: true, master: 'a', writes: 'open'}].map(c => verdict(c).says)",
			`["Asking Bellwether for the state of the cluster.","Not ready: writes are held.","Ready, but degraded: x.","Ready. a is the master, and writes are open."]`},
		{"picture", "[{health: 'down'}, {health: 'up', is_master: true}, {health: 'up', serves_reads: true}, {health: 'up', serves_reads: false, drain: true}, {health: 'up', fenced: true}].map(condition)",
			`["bad","good","good","warn","warn"]`},
		{"traffic", "stacked([{a: 1, b: 2, e: 9}, {a: null, b: 3, e: 0}], [{key: 'a'}, {key: 'b'}, {key: 'e', over: true}])", `[[1,null],[3,3],[9,null]]`},
		{"lines", "path([[0, 0], [0, 20], [30, 20]], 5)", `"M0,0L0,15Q0,20 5,20L30,20"`},
		{"lines", "routes({top: {left: 100, width: 100, bottom: 50, node: 'm'}, hub: {top: 80, bottom: 100}, slaves: [{left: 0, width: 100, top: 130, height: 40, node: 's'}], feed: 'relay', width: 300}).map(l => [l.kind, l.node, l.points])",
			`[["writes","m",[[118,80],[118,50]]],["stream","m",[[182,50],[182,80]]],["reads","s",[[18,100],[18,130]]],["stream","s",[[82,100],[82,130]]]]`},
	} {
		var got string
		if err := page.Eval(t.Context(), `import('./assets/js/`+c.module+`.js').then((module) => { const { `+names(c.module)+` } = module; return JSON.stringify(`+c.expression+`); })`, &got); err != nil {
			t.Errorf("%s: %v", c.expression, err)
		} else if got != c.want {
			t.Errorf("%s is %s, want %s", c.expression, got, c.want)
		}
	}
}

// names are what a module exports that the test uses.
func names(module string) string {
	return map[string]string{
		"format": "count, milliseconds, duration, bytes, gtids", "stream": "Parser", "state": "merged", "headline": "verdict",
		"picture": "condition", "traffic": "stacked", "lines": "path, routes",
	}[module]
}
