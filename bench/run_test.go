package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain lets this test be the bare relay, as the program itself is when it
// starts itself anew.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == relayCommand {
		main()
		return
	}
	os.Exit(m.Run())
}

func newTestWorker(slot, clients int) *worker {
	return &worker{slot: slot, clients: clients, rng: rand.New(rand.NewPCG(1, uint64(slot)))}
}

// The whole benchmark, small, on real servers: all workloads, straight,
// through the bare relay and through Bellwether as it is built now.
func TestRun(t *testing.T) {
	for _, flavour := range []string{"mysql", "mariadb"} {
		t.Run(flavour, func(t *testing.T) {
			out := t.TempDir()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			err := run(ctx, []string{
				"-servers", flavour, "-through", "straight,relay,bellwether:1", "-clients", "1,4",
				"-rounds", "1", "-round", "20ms", "-idle", "20", "-out", out,
			})
			if err != nil {
				t.Fatal(err)
			}
			if files, _ := filepath.Glob(filepath.Join(out, "bench-*")); len(files) != 2 {
				t.Errorf("wrote %v, want a JSON and an SVG file", files)
			}
		})
	}
}

// A run that is broken off ends soon and leaves nothing.
func TestRunBrokenOff(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second)
	defer cancel()
	err := run(ctx, []string{
		"-through", "straight,relay", "-workloads", "point-text", "-clients", "4",
		"-rounds", "1", "-round", "1m", "-idle", "0", "-out", t.TempDir(),
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ended with %v, want the end of its time", err)
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "*")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

func TestChildThatEndsIsReported(t *testing.T) {
	n := nursery{dir: t.TempDir()}
	defer n.close()
	c, err := n.start("nobody", nil, "sh", "-c", "echo out of order; exit 1")
	if err != nil {
		t.Fatal(err)
	}
	err = c.await(t.Context(), 10*time.Second, func(context.Context) error { return errWrongAnswer })
	if err == nil || !strings.Contains(err.Error(), "out of order") {
		t.Errorf("error %v, want what the child said", err)
	}
}

func TestHAProxyConfig(t *testing.T) {
	got := haproxyConfig(route{routeHAProxy, 1}, "127.0.0.1:1", "127.0.0.1:2", 99)
	for _, line := range []string{"  maxconn 99\n", "  nbthread 1\n", "  mode tcp\n", "  bind 127.0.0.1:1\n", "  server master 127.0.0.1:2\n"} {
		if !strings.Contains(got, line) {
			t.Errorf("no line %q in\n%s", line, got)
		}
	}
	if strings.Contains(haproxyConfig(route{kind: routeHAProxy}, "a", "b", 1), "nbthread") {
		t.Error("threads set where HAProxy's default was wanted")
	}
}
