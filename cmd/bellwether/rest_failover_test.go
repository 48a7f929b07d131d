package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// answers are what callers were told of their inserts. It is safe for
// concurrent use.
type answers struct {
	mu   sync.Mutex
	told map[string]string // by row: "" done, else why not
}

func (a *answers) note(row, why string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.told[row] = why
}

// TestRESTFailover kills the master in the middle of a thousand inserts over
// REST: each that was answered well is there once, each that was refused is
// not there, and one of unknown outcome is there once at most.
func TestRESTFailover(t *testing.T) {
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) {
			t.Parallel()
			servers := playground.ForTest(t, playground.Options{Flavour: flavour, Slaves: 2, Relaxed: true})
			s := startServingAs(t, servers, demoOptions{proxy: "127.0.0.1:0", admin: "127.0.0.1:0", feed: "relay"})
			s.checkFailover(t)
		})
	}
}

func (s *serving) checkFailover(t *testing.T) {
	status, body := s.get(t, "/createdb", "name", "testdb")
	want200(t, status, body)
	status, body = s.get(t, "/createtable", "dbname", "testdb", "table", "kept", "schema", "word VARCHAR(20)")
	want200(t, status, body)
	const callers, each = 8, 125
	said := answers{told: map[string]string{}}
	var done atomic.Int64
	killed := make(chan struct{})
	group, ctx := errgroup.WithContext(t.Context())
	group.Go(func() error {
		for done.Load() < callers*each/2 && ctx.Err() == nil {
			sleep(ctx, time.Millisecond)
		}
		defer close(killed)
		return s.servers.Master.Kill()
	})
	for caller := range callers {
		group.Go(func() error {
			for i := range each {
				row := fmt.Sprintf("%d-%d", caller, i)
				status, body, err := s.call(ctx, http.MethodPost, "/insert", `{"dbname":"testdb","table":"kept","row":{"word":"`+row+`"}}`)
				switch {
				case err != nil:
					return err // the REST interface itself is always there
				case status == http.StatusOK:
					said.note(row, "")
				case !strings.Contains(body, `"type":"urn:bellwether:problem:`):
					return fmt.Errorf("%d without a word of why: %s", status, body)
				default:
					said.note(row, body)
				}
				done.Add(1)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	<-killed
	s.wantKept(t, &said)
}

// wantKept holds what callers were told against what is there now.
func (s *serving) wantKept(t *testing.T, said *answers) {
	status, body := s.get(t, "/select", "dbname", "testdb", "table", "kept", "columns", "word")
	for deadline := time.Now().Add(time.Minute); status != http.StatusOK && time.Now().Before(deadline); sleep(t.Context(), 100*time.Millisecond) {
		status, body = s.get(t, "/select", "dbname", "testdb", "table", "kept", "columns", "word")
	}
	want200(t, status, body)
	unknown := 0
	for row, why := range said.told {
		count := strings.Count(body, `"`+row+`"`)
		switch {
		case why == "" && count != 1:
			t.Errorf("%s was inserted, and is there %d times", row, count)
		case strings.Contains(why, "outcome-not-known") && count > 1:
			t.Errorf("%s is there %d times", row, count)
		case why != "" && !strings.Contains(why, "outcome-not-known") && count != 0:
			t.Errorf("%s is there, and was refused: %s", row, why)
		}
		if why != "" {
			unknown++
			t.Logf("%s, there %d times: %s", row, count, why)
		}
	}
	t.Logf("%d inserts, %d with an error, master is now %s", len(said.told), unknown, s.house.store.Load().MasterNode().Name)
}
