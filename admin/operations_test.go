package admin

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
)

// operated remembers what it was asked for.
type operated struct {
	last Operation
	wish NodeWish
}

func (o *operated) Operate(_ context.Context, asked Operation) (any, error) {
	o.last = asked
	if asked.To == "nobody" {
		return nil, fmt.Errorf("%w: there is no nobody", ErrRefused)
	}
	return map[string]string{"to": asked.To}, nil
}

func (o *operated) Incidents() any { return []string{"incident"} }
func (o *operated) Problems() any  { return []string{"problem"} }

func (o *operated) SetNode(w NodeWish) error {
	o.wish = w
	return nil
}

func TestOperations(t *testing.T) {
	o := &operated{}
	s := serving(healthy())
	s.parts.Operations, s.parts.Token = o, "t"
	for _, c := range []struct {
		method, path, body, token string
		status                    int
		want                      string
	}{
		{"POST", "/v1/operations", `{"kind":"switchover","to":"b"}`, "", 401, "token"},
		{"POST", "/v1/operations", `{"kind":"switchover","to":"b"}`, "t", 200, `{"to":"b"}`},
		{"POST", "/v1/operations", `{"kind":"switchover","to":"nobody"}`, "t", 409, "there is no nobody"},
		{"POST", "/v1/operations", `{"kind":"reboot"}`, "t", 400, "reboot"},
		{"GET", "/v1/operations", "", "t", 405, "POST"},
		{"POST", "/v1/nodes", `{"node":"b","drain":true}`, "t", 200, "ok"},
		{"GET", "/v1/incidents", "", "t", 200, `["incident"]`},
		{"GET", "/v1/problems", "", "t", 200, `["problem"]`},
		{"GET", "/v1/problems", "", "", 401, "token"},
	} {
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		r.Host = "127.0.0.1"
		if c.body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		if c.token != "" {
			r.Header.Set("Authorization", "Bearer "+c.token)
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, w.Code, w.Body)
		}
	}
	if o.wish.Node != "b" || o.wish.Drain == nil || !*o.wish.Drain || o.wish.Maintenance != nil {
		t.Errorf("wish %+v", o.wish)
	}
}
