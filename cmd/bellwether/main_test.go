package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// command runs one command line in this process.
func command(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(ctx, args, &out, &errs)
	return code, out.String(), errs.String()
}

// file writes a configuration for one test.
func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bellwether.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// taken listens on a free port until the test ends.
func taken(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

func TestExitCodesAndWords(t *testing.T) {
	sound := file(t, "state_dir: s\noperator: {user: o, password: p}\nnodes: [{name: a, address: \"127.0.0.1:1\"}]\n")
	broken := file(t, "nodes: []\nlisten: x\n")
	for _, c := range []struct {
		name   string
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{"nothing asked", []string{}, 0, "Begin with: bellwether demo", ""},
		{"help", []string{"help"}, 0, "explain", ""},
		{"help of a command", []string{"demo", "--help"}, 0, "--base-port", ""},
		{"version", []string{"version"}, 0, "bellwether ", ""},
		{"completion", []string{"completion", "bash"}, 0, "bash completion", ""},
		{"unknown command", []string{"serv"}, exitUsage, "", "Did you mean this?\n\tserve"},
		{"unknown flag", []string{"serve", "--conf", "x"}, exitUsage, "", "unknown flag: --conf"},
		{"missing flag", []string{"serve"}, exitUsage, "", `required flag(s) "config" not set`},
		{"too many arguments", []string{"version", "x"}, exitUsage, "", `unknown command "x"`},
		{"a file and no flag", []string{"serve", "a.yaml"}, exitUsage, "", "bellwether serve takes no arguments: the configuration file is named with --config a.yaml"},
		{"a node and no flag", []string{"switchover", "node2"}, exitUsage, "", "bellwether switchover takes no arguments: the node that is to be the master is named with --to node2"},
		{"a weight below 0", []string{"nodes", "weight", "node2", "-1", "-c", sound}, exitUsage, "", `"-1" is not a weight: it is a whole number from 0 (no reads) to 1000`},
		{"a weight far below 0", []string{"nodes", "weight", "node2", "-12"}, exitUsage, "", `"-12" is not a weight`},
		{"a weight behind the flags", []string{"nodes", "weight", "-c", sound, "--", "node2", "-1"}, exitUsage, "", `"-1" is not a weight`},
		{"too large a weight", []string{"nodes", "weight", "node2", "1001", "-c", sound}, exitUsage, "", `"1001" is not a weight`},
		{"another flag", []string{"nodes", "weight", "node2", "-x"}, exitUsage, "", "unknown shorthand flag: 'x' in -x"},
		{"no statement", []string{"explain"}, exitUsage, "", "accepts 1 arg(s), received 0"},
		{"wrong flavour", []string{"explain", "--flavour", "oracle", "SELECT 1"}, exitFailure, "", `flavour "oracle" is neither mysql nor mariadb`},
		{"no such file", []string{"check", "--config", "/nowhere.yaml"}, exitFailure, "", "no such file"},
		{"broken file", []string{"serve", "-c", broken}, exitFailure, "", `:2: unknown key "listen", it belongs under "proxy" or "admin"`},
		{"node that does not answer", []string{"check", "-c", sound}, exitFailure, "127.0.0.1:1", ""},
		{"unknown servers", []string{"demo", "--servers", "oracle", "--proxy", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, exitFailure, "", "--servers: "},
		{"address in use", []string{"demo", "--proxy", taken(t)}, exitFailure, "", "choose another address with --proxy"},
		{"port out of range", []string{"demo", "--base-port", "80"}, exitFailure, "", "choose one between 1024 and"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := command(t.Context(), c.args...)
			if code != c.code || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) {
				t.Errorf("exit code %d, want %d\nstdout: %s\nwant: %s\nstderr: %s\nwant: %s", code, c.code, stdout, c.stdout, stderr, c.stderr)
			}
			if c.code == 0 && stderr != "" {
				t.Errorf("stderr: %s", stderr)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	for _, c := range []struct {
		sql  string
		want []string
	}{
		{"SELECT name FROM item WHERE id = 7", []string{"class   read\n", "target  slave\n", "reason  read\n"}},
		{"SELECT * FROM item WHERE id = 7 FOR UPDATE", []string{"target  master", "reason  locking-read\n"}},
		{"INSERT INTO item VALUES (1)", []string{"class   write\n", "target  master"}},
		{"SELECT CONNECTION_ID()", []string{"target  master, in whose answer Bellwether puts the client's own id\nreason  connection-id\n"}},
		{"SELECT CONNECTION_ID() + 1", []string{"target  master (master)\nreason  connection-id\n"}},
		{"KILL 7", []string{"target  none if the id is that of a client, whom Bellwether ends itself; master if it is not\nreason  kill\n"}},
	} {
		code, stdout, stderr := command(t.Context(), "explain", c.sql)
		if code != 0 || stderr != "" {
			t.Errorf("%s: exit code %d, %s", c.sql, code, stderr)
		}
		for _, want := range c.want {
			if !strings.Contains(stdout, want) {
				t.Errorf("%s: no %q in\n%s", c.sql, want, stdout)
			}
		}
	}
}
