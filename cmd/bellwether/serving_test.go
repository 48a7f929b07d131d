package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// sleep is how long a fault holds; it ends with the context.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// serving is `bellwether serve` in this process, in front of real servers.
type serving struct {
	servers *playground.Cluster
	house   *house
	// stop is what a signal does; ended is closed once everything has ended.
	stop  context.CancelFunc
	ended chan struct{}
}

// startServing serves until the test ends.
func startServing(t *testing.T, servers *playground.Cluster) *serving {
	t.Helper()
	return startServingAs(t, servers, demoOptions{proxy: "127.0.0.1:0", admin: "127.0.0.1:0"})
}

func startServingAs(t *testing.T, servers *playground.Cluster, o demoOptions) *serving {
	t.Helper()
	d := &demoRun{options: o, folder: demoFolder(t.TempDir()), logs: t.Output()}
	h, err := d.furnish(servers)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &serving{servers: servers, house: h, stop: stop, ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		if err := h.run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	}()
	t.Cleanup(func() { stop(); <-s.ended })
	s.waitReady(t)
	return s
}

// patientHold is longer than a busy machine needs for anything that does not
// wait for a master.
const patientHold = time.Minute

// bePatient gives a machine that is busy with other tests its time: no node is
// taken for dead because it is slow to answer within that of two probes. Nor is
// another one made the master in its place.
func (s *serving) bePatient(t *testing.T, hold, probe time.Duration) {
	t.Helper()
	text, err := os.ReadFile(s.house.config.Path())
	if err != nil {
		t.Fatal(err)
	}
	patient := strings.Replace(string(text), "proxy: {", fmt.Sprintf("proxy: {hold_timeout: %v, ", hold), 1)
	rewrite(t, s.house, patient+fmt.Sprintf("probes: {timeout: %v}\nfailover: {automatic: false}\n", probe))
	if err := s.house.reload(); err != nil {
		t.Fatal(err)
	}
	s.waitReady(t)
}

// waitRunning waits until a node runs the statement.
func (s *serving) waitRunning(t *testing.T, statement string) {
	t.Helper()
	query := "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO = '" + statement + "'"
	for deadline := time.Now().Add(time.Minute); ; sleep(t.Context(), 10*time.Millisecond) {
		for _, n := range s.servers.Nodes {
			count, err := n.Query(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			if count != "0" {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not run", statement)
		}
	}
}

// waitReady waits until every node serves again.
func (s *serving) waitReady(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !allServe(s.house.store.Load()) {
		if time.Now().After(deadline) {
			t.Fatalf("the nodes did not come back: %s", unready(s.house.store.Load()))
		}
		sleep(t.Context(), 20*time.Millisecond)
	}
}
