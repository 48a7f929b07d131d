package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/bellwether-db/bellwether/admin"
)

// checkMeasured: after all that the test has done, the metrics keep to
// Prometheus' conventions and are in the documentation, and what clients do is
// counted and shown.
func (s *serving) checkMeasured(t *testing.T) {
	s.checkMetrics(t)
	c := session(t, s.open(t))
	s.checkDigests(t, c)
	s.checkSessions(t, c)
}

// checkMetrics holds /metrics against promlint and against the documentation.
func (s *serving) checkMetrics(t *testing.T) {
	answer, err := http.Get("http://" + s.house.admin.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.New(strings.NewReader(string(text))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "bellwether") {
			t.Errorf("the metric %s: %s", p.Metric, p.Text)
		}
	}
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for line := range strings.Lines(string(text)) {
		name, ok := strings.CutPrefix(line, "# TYPE bellwether")
		if !ok {
			continue
		}
		found++
		if name, _, _ = strings.Cut(name, " "); !namesMetric(string(page), name) {
			t.Errorf("docs/operations.md does not name the metric bellwether%s", name)
		}
	}
	if found < 40 {
		t.Errorf("there are %d metrics only", found)
	}
}

// namesMetric reports whether a page has a metric, whole or by what is behind the
// dots of `..._stored_bytes_total`.
func namesMetric(page, name string) bool {
	if strings.Contains(page, "`bellwether"+name+"`") {
		return true
	}
	for i, c := range name {
		if c == '_' && i > 0 && strings.Contains(page, "`..."+name[i:]+"`") {
			return true
		}
	}
	return false
}

// checkDigests runs statements and looks at what is counted of them.
func (s *serving) checkDigests(t *testing.T, c *sql.Conn) {
	s.house.proxy.ResetDigests()
	const readText = "SELECT /* H9 */ 41 + %d AS answer"
	for i := range 20 {
		var got int
		if err := c.QueryRowContext(t.Context(), fmt.Sprintf(readText, i)).Scan(&got); err != nil || got != 41+i {
			t.Fatalf("answer %d: %v", got, err)
		}
	}
	_, _ = c.ExecContext(t.Context(), "SELECT no_such_column FROM bellwether.heartbeat WHERE id = 7")
	read := s.digest(t, "SELECT ? + ? AS answer", 20)
	if read.Class != "read" || read.RowsSent != 20 || read.Errors != 0 || read.ToMaster+read.ToSlaves != 20 || read.P99MS > read.MaxMS || read.MaxMS <= 0 {
		t.Errorf("the reads are counted as %+v", read)
	}
	if failed := s.digest(t, "SELECT no_such_column FROM bellwether.heartbeat WHERE id = ?", 1); failed.Errors != 1 {
		t.Errorf("what failed is counted as %+v", failed)
	}
}

// digest waits until a digest has count statements.
func (s *serving) digest(t *testing.T, text string, count uint64) admin.Digest {
	t.Helper()
	var report admin.DigestReport
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); sleep(t.Context(), 5*time.Millisecond) {
		report = clientView{s.house}.Digests()
		for _, d := range report.Digests {
			if d.Text == text && d.Count >= count {
				return d
			}
		}
	}
	t.Fatalf("%q is not counted %d times, but %+v", text, count, report)
	return admin.Digest{}
}

// checkSessions: a session shows its pins and its statement, and can be ended.
func (s *serving) checkSessions(t *testing.T, c *sql.Conn) {
	execAll(t, c, "BEGIN", "SELECT GET_LOCK('H9', 0)")
	var id uint32
	if err := c.QueryRowContext(t.Context(), "SELECT CONNECTION_ID()").Scan(&id); err != nil {
		t.Fatal(err)
	}
	v := s.session(t, id, "idle")
	if !v.InTransaction || v.Node == nil || *v.Node != s.master() || strings.Join(v.Pins, ",") != "transaction,user lock" || !v.TLS || v.Statements == 0 {
		t.Errorf("the session is %+v", v)
	}
	ended := make(chan error, 1)
	bounded, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go func() {
		_, err := c.ExecContext(bounded, "SELECT SLEEP(59.5)")
		ended <- err
	}()
	if v = s.session(t, id, "running"); v.Statement != "SELECT SLEEP(?)" {
		t.Errorf("while it runs it is %+v", v)
	}
	if !(clientView{s.house}).KillSession(id, false) {
		t.Error("it cannot be ended")
	}
	if err := <-ended; err == nil || bounded.Err() != nil {
		t.Errorf("its statement ended with %v", err)
	}
}

// session waits until a session is in a state.
func (s *serving) session(t *testing.T, id uint32, state string) admin.Session {
	t.Helper()
	var all []admin.Session
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); sleep(t.Context(), 5*time.Millisecond) {
		all = clientView{s.house}.Sessions()
		for _, v := range all {
			if v.ID == id && v.State == state {
				return v
			}
		}
	}
	t.Fatalf("session %d is not %s: %+v", id, state, all)
	return admin.Session{}
}
