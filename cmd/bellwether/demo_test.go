package main

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // the demo's client
)

// demoPatience bounds what a demo may need, on a busy machine and with servers
// that are started for the first time.
const demoPatience = 5 * time.Minute

// runDemo runs a demo in dir until visit returns, and returns what it printed.
func runDemo(t *testing.T, dir, servers string, visit func(environment map[string]string)) string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	type ending struct {
		code           int
		stdout, stderr string
	}
	ended := make(chan ending, 1)
	go func() {
		code, stdout, stderr := command(ctx, "demo", "--dir", dir, "--servers", servers, "--slaves", "1",
			"--base-port", "0", "--proxy", "127.0.0.1:0", "--admin", "127.0.0.1:0")
		ended <- ending{code, stdout, stderr}
	}()
	deadline := time.After(demoPatience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case e := <-ended:
			t.Fatalf("the demo ended with code %d\n%s%s", e.code, e.stdout, e.stderr)
		case <-deadline:
			stop()
			e := <-ended
			t.Fatalf("the demo was not ready within %v\n%s%s", demoPatience, e.stdout, e.stderr)
		case <-tick.C:
		}
		if environment := readEnvironment(t, filepath.Join(dir, "demo.env")); environment != nil {
			visit(environment)
			break
		}
	}
	stop()
	e := <-ended
	if e.code != 0 {
		t.Errorf("the demo ended with code %d\n%s%s", e.code, e.stdout, e.stderr)
	}
	return e.stdout
}

// readEnvironment returns the settings of a file, nil where there is none.
func readEnvironment(t *testing.T, path string) map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	settings := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		key, value, ok := strings.Cut(lines.Text(), "=")
		if !ok || value == "" {
			t.Errorf("line %q", lines.Text())
		}
		settings[key] = value
	}
	return settings
}

func TestDemo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	var first map[string]string
	said := runDemo(t, dir, "mariadb", func(environment map[string]string) {
		first = environment
		for _, key := range []string{
			"BELLWETHER_PROXY", "BELLWETHER_ADMIN", "BELLWETHER_TOKEN", "BELLWETHER_USER", "BELLWETHER_PASSWORD", "BELLWETHER_PID",
			"BELLWETHER_CONFIG", "NODE1_NAME", "NODE1_ADDR", "NODE1_PID", "NODE2_NAME", "NODE2_ADDR", "NODE2_PID",
		} {
			if environment[key] == "" {
				t.Errorf("demo.env does not have %s", key)
			}
		}
		if environment["SERVER_FLAVOUR"] != "mariadb" {
			t.Errorf("SERVER_FLAVOUR is %s", environment["SERVER_FLAVOUR"])
		}
		ready(t, environment)
		if code, stdout, stderr := command(t.Context(), "check", "--config", environment["BELLWETHER_CONFIG"]); code != 0 {
			t.Errorf("check of the demo: exit code %d\n%s%s", code, stdout, stderr)
		}
		checkStoredLog(t, environment)
		killOne(t, dir, environment["NODE2_PID"])
		ready(t, environment)
		putInMaintenance(t, environment) // the next demo has it so, and starts all the same
	})
	for _, want := range []string{"Connect:", "Three things to try:", "goes on with its data", "node2 has ended (signal: killed). The demo starts it again", "node2 runs again", "Stopping."} {
		if !strings.Contains(said, want) {
			t.Errorf("the demo did not say %q:\n%s", want, said)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "demo.env")); !os.IsNotExist(err) {
		t.Errorf("demo.env is still there: %v", err)
	}
	runDemo(t, dir, "auto", func(environment map[string]string) {
		for _, key := range []string{"SERVER_FLAVOUR", "BELLWETHER_TOKEN", "BELLWETHER_PASSWORD"} {
			if environment[key] != first[key] {
				t.Errorf("%s was %s and is %s", key, first[key], environment[key])
			}
		}
		ready(t, environment)
	})
}

// putInMaintenance does so with node2.
func putInMaintenance(t *testing.T, environment map[string]string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, environment["BELLWETHER_ADMIN"]+"/v1/nodes/node2", strings.NewReader(`{"maintenance":true}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("maintenance: %s, %v", answer.Status, err)
	}
}

// killOne kills node2, as a user would, and waits until the demo has started it
// again.
func killOne(t *testing.T, dir, pid string) {
	t.Helper()
	number, err := strconv.Atoi(pid)
	if err == nil {
		err = syscall.Kill(number, syscall.SIGKILL)
	}
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(demoPatience); readEnvironment(t, filepath.Join(dir, "demo.env"))["NODE2_PID"] == pid; sleep(t.Context(), 20*time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("node2 was not started again within %v", demoPatience)
		}
	}
}

// ready wants the demo's admin address to say that all is well. A probe that a
// busy machine has delayed may say otherwise for a moment.
func ready(t *testing.T, environment map[string]string) {
	t.Helper()
	for deadline := time.Now().Add(demoPatience); ; sleep(t.Context(), 20*time.Millisecond) {
		status, err := readiness(environment["BELLWETHER_ADMIN"])
		if err == nil && status == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("/readyz says %d, %v", status, err)
		}
	}
}

func readiness(admin string) (status int, err error) {
	answer, err := http.Get(admin + "/readyz")
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

// checkStoredLog wants a write through the proxy to be found in the stored log
// by the commands that look inside.
func checkStoredLog(t *testing.T, environment map[string]string) {
	t.Helper()
	db, err := sql.Open("mysql", fmt.Sprintf("%s:%s@tcp(%s)/", environment["BELLWETHER_USER"], environment["BELLWETHER_PASSWORD"], environment["BELLWETHER_PROXY"]))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), "CREATE DATABASE shop"); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{"ls": "bellwether.000001", "verify": "All is well", "show --gtid 0-1-1": "OFFSET"} {
		words := append(append([]string{"log"}, strings.Fields(line)...), "--config", environment["BELLWETHER_CONFIG"])
		if code, stdout, stderr := command(t.Context(), words...); code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("log %s: exit code %d, want %q in\n%s%s", line, code, want, stdout, stderr)
		}
	}
}
