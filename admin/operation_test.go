package admin

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/admin/operation"
)

// await reads an operation until it has ended.
func await(t *testing.T, s *Server, location string) (r operation.Record) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		answer := send(s, "GET", location, "")
		if err := json.Unmarshal(answer.Body.Bytes(), &r); err != nil || answer.Code != http.StatusOK {
			t.Fatalf("%d %s: %v", answer.Code, answer.Body, err)
		}
		if r.Ended != nil {
			return r
		}
	}
	t.Fatalf("%s does not end: %+v", location, r)
	return r
}

func TestOperations(t *testing.T) {
	s, _, _ := wholeServer(t)
	for _, c := range []struct {
		body   string
		status int
		want   string
		state  operation.State
		says   string
	}{
		{`{"kind":"switchover","to":"b"}`, 202, `"state":"running"`, operation.StateDone, "done with it"},
		{`{"kind":"failover"}`, 202, `"progress":null`, operation.StateFailed, "it could not be done"},
		{`{"kind":"switchover","to":"nobody"}`, 409, "there is no nobody", 0, ""},
		{`{"kind":"switchover","dry_run":true}`, 200, `{"kind":"switchover","refusal":"because","plan":"it would be done"}`, 0, ""},
		{`{"kind":"reboot"}`, 400, "reboot", 0, ""},
		{`{"kind":"verify","options":{"chunk":1}}`, 400, "unknown field", 0, ""},
		{`{"kind":"verify","options":{"chunk_ms":-1}}`, 400, "below 0", 0, ""},
		{`{"kind":"switchover","node":"b"}`, 400, "node: a switchover takes only to", 0, ""},
		{`{"kind":"sync","to":"b","dry_run":true}`, 400, "to: a sync takes only node", 0, ""},
		{`{"kind":"reload","force":true}`, 400, "force: a reload takes only reason", 0, ""},
	} {
		answer := send(s, "POST", "/v1/operations", c.body)
		if answer.Code != c.status || !strings.Contains(answer.Body.String(), c.want) {
			t.Fatalf("%s: %d %s", c.body, answer.Code, answer.Body)
		}
		if answer.Code != http.StatusAccepted {
			continue
		}
		r := await(t, s, answer.Header().Get("Location"))
		if r.State != c.state || r.Says != c.says || len(r.Steps) != 1 || r.Steps[0].TookMS == nil || r.By != "loopback" || r.Incident != "an incident" || *r.Progress != 0.5 {
			t.Errorf("%s: %+v", c.body, r)
		}
	}
	if list := send(s, "GET", "/v1/operations", "").Body.String(); strings.Count(list, `"id"`) != 2 || !strings.Contains(list, `"result":{"rows":1}`) {
		t.Errorf("%s", list)
	}
	audit := send(s, "GET", "/v1/audit", "").Body.String()
	for _, want := range []string{`"call":"switchover","node":"b","status":202,"outcome":"accepted as `, `"call":"switchover ended","node":"b","status":200,"outcome":"done with it"`,
		`"call":"failover ended","status":503,"outcome":"it could not be done"`, `"status":409,"outcome":"switchover refused`} {
		if !strings.Contains(audit, want) {
			t.Errorf("no %s in %s", want, audit)
		}
	}
}

func TestOperationsCancelled(t *testing.T) {
	s, _, made := wholeServer(t)
	made.hold = make(chan struct{})
	first := send(s, "POST", "/v1/operations", `{"kind":"verify","node":"b"}`)
	if first.Code != http.StatusAccepted {
		t.Fatalf("%d %s", first.Code, first.Body)
	}
	location := first.Header().Get("Location")
	if again := send(s, "POST", "/v1/operations", `{"kind":"verify"}`); again.Code != http.StatusConflict || !strings.Contains(again.Body.String(), strings.TrimPrefix(location, "/v1/operations/")) {
		t.Errorf("%d %s", again.Code, again.Body)
	}
	if answer := send(s, "DELETE", location, ""); answer.Code != http.StatusAccepted {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if r := await(t, s, location); r.State != operation.StateCancelled || r.Cancellable || r.Steps[0].Error == "" {
		t.Errorf("%+v", r)
	}
	if late := send(s, "DELETE", location, ""); late.Code != http.StatusConflict {
		t.Errorf("%d %s", late.Code, late.Body)
	}
	whole := send(s, "POST", "/v1/operations", `{"kind":"switchover"}`)
	if answer := send(s, "DELETE", whole.Header().Get("Location"), ""); answer.Code != http.StatusConflict || !strings.Contains(answer.Body.String(), "half way") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	close(made.hold)
	await(t, s, whole.Header().Get("Location"))
	if none := send(s, "DELETE", "/v1/operations/none", ""); none.Code != http.StatusNotFound {
		t.Errorf("%d %s", none.Code, none.Body)
	}
}
