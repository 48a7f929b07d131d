package playground

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// When Pause returns nothing runs any more, however busy the server was.
func TestPauseStopsEveryThread(t *testing.T) {
	for _, f := range flavours {
		t.Run(f.String(), func(t *testing.T) {
			c := ForTest(t, Options{Flavour: f, Relaxed: true})
			end := hammered(t, open(t, c.Master, c.Account))
			defer end()
			for range 20 {
				ok(t, c.Master.Pause())
				for _, stat := range threads(t, c.Master.PID()) {
					if !strings.Contains(stat, ") T ") {
						t.Errorf("runs while paused: %s", stat)
					}
				}
				ok(t, c.Master.Resume())
				query(t, c.Master, "SELECT 1")
			}
		})
	}
}

func TestPauseOfADeadServer(t *testing.T) {
	c := ForTest(t, Options{Flavour: MariaDB, Relaxed: true})
	ok(t, c.Master.Pause())
	ok(t, c.Master.Pause())
	ok(t, c.Master.Kill())
	if c.Master.Pause() == nil || c.Master.Resume() == nil {
		t.Error("a dead server was paused or resumed")
	}
}

// hammered keeps a few connections busy until the end is called.
func hammered(t *testing.T, db *sql.DB) (end func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for ctx.Err() == nil {
				_, _ = db.ExecContext(ctx, "DO BENCHMARK(1000, SHA2('x', 256))") // the end of ctx ends it
			}
		})
	}
	return func() { cancel(); clients.Wait() }
}

// threads is the state of each thread of a process, as the kernel tells it.
func threads(t *testing.T, pid int) (stats []string) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	ok(t, err)
	for _, file := range files {
		stat, err := os.ReadFile(file)
		ok(t, err)
		stats = append(stats, string(stat))
	}
	if len(stats) < 5 {
		t.Errorf("process %d has %d threads: a server has more", pid, len(stats))
	}
	return stats
}
