package admin

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestReload(t *testing.T) {
	for _, c := range []struct {
		name, token, sent string
		refused           error
		status            int
		body              string
		called            bool
	}{
		{"right", "t1", "Bearer t1", nil, http.StatusOK, "reloaded\n", true},
		{"refused", "t1", "Bearer t1", errors.New("line 3"), http.StatusConflict, `problem:conflict","title":"reload refused, nothing has changed","status":409,"detail":"line 3"`, true},
		{"no token", "t1", "", nil, http.StatusUnauthorized, `problem:token","title":"not authorized"`, false},
		{"wrong token", "t1", "Bearer t2", nil, http.StatusUnauthorized, "state_dir", false},
		{"none configured", "", "Bearer ", nil, http.StatusUnauthorized, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			server, called := serving(healthy()), false
			server.parts.Token = c.token
			server.parts.Reload = func() error { called = true; return c.refused }
			request, answer := httptest.NewRequest("POST", "/reload", nil), httptest.NewRecorder()
			request.Header.Set("Authorization", c.sent)
			server.Handler().ServeHTTP(answer, request)
			if answer.Code != c.status || !strings.Contains(answer.Body.String(), c.body) || called != c.called {
				t.Errorf("%d %q, called %t", answer.Code, answer.Body, called)
			}
		})
	}
	answer := httptest.NewRecorder()
	serving(healthy()).Handler().ServeHTTP(answer, httptest.NewRequest("POST", "/reload", nil))
	if answer.Code != http.StatusNotFound {
		t.Errorf("where nothing can be reloaded: %d", answer.Code)
	}
}
