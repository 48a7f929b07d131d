package main

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/config"
	"github.com/bellwether-db/bellwether/failover"
	"github.com/bellwether-db/bellwether/replicator"
)

// two is a configuration of nodes that nobody has to answer for.
const two = `state_dir: state
operator: {user: o, password: p}
nodes:
  - {name: a, address: "127.0.0.1:1", master: true}
  - {name: b, address: "127.0.0.1:2"}
proxy: {listen: "127.0.0.1:0"}
admin: {listen: "127.0.0.1:0"}
`

// built makes a house that does not run.
func built(t *testing.T, content string) *house {
	t.Helper()
	return builtWithLog(t, content, io.Discard)
}

func builtWithLog(t *testing.T, content string, log io.Writer) *house {
	t.Helper()
	c, err := config.Load(file(t, content))
	if err != nil {
		t.Fatal(err)
	}
	level := new(slog.LevelVar)
	h, err := build(c, newLogger(c.Log, level, log), level)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func rewrite(t *testing.T, h *house, content string) {
	t.Helper()
	if err := os.WriteFile(h.config.Path(), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestReloadAppliesWhole(t *testing.T) {
	h := built(t, two)
	rewrite(t, h, strings.Replace(two, `"127.0.0.1:2"`, `"127.0.0.1:3", weight: 5`, 1)+
		"log: {level: debug}\nreads: {max_lag: 1m}\n")
	if err := h.reload(); err != nil {
		t.Fatal(err)
	}
	node := h.store.Load().Nodes[1]
	if node.Addr != "127.0.0.1:3" || node.Weight != 5 {
		t.Errorf("node b: %+v", node)
	}
	if h.level.Level() != slog.LevelDebug {
		t.Errorf("log level %v", h.level.Level())
	}
}

func TestReloadSaysThatTheMastersMarkIsIgnored(t *testing.T) {
	var log bytes.Buffer
	h := builtWithLog(t, two, &log)
	rewrite(t, h, strings.NewReplacer(", master: true", "", `:2"`, `:2", master: true`).Replace(two))
	if err := h.reload(); err != nil {
		t.Fatal(err)
	}
	state := `{"format": 1, "generation": 1, "master": "a", "identity": "x"}`
	if err := os.WriteFile(failover.StateFile(h.config.StateDir), []byte(state), 0o600); err != nil {
		t.Fatal(err)
	}
	rewrite(t, h, two)
	if err := h.reload(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`msg="configuration change ignored" change="nodes[a].master: true → false" reason="no master is recorded yet, but`,
		`msg="configuration change ignored" change="nodes[b].master: false → true" reason="no master is recorded yet, but`,
		`change="nodes[b].master: true → false" reason="the mark counts at the first start only; who is master since then is in ` +
			failover.StateFile(h.config.StateDir),
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %s:\n%s", want, log.String())
		}
	}
	if strings.Contains(log.String(), "configuration changed") {
		t.Errorf("it says that something changed:\n%s", log.String())
	}
}

func TestReloadAppliesNothingOfWhatItRefuses(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"mistake", strings.Replace(two, "weight", "wieght", 1) + "logg: {}\n", `unknown key "logg"`},
		{"no nodes", "state_dir: state\noperator: {user: o}\nnodes: []\n", "no node is named"},
		{"another listener", strings.Replace(two, `proxy: {listen: "127.0.0.1:0"}`, `proxy: {listen: "127.0.0.1:9"}`, 1), "needs a restart"},
		{"another state_dir", strings.Replace(two, "state_dir: state", "state_dir: other", 1), "needs a restart"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := built(t, two)
			before, topology := h.config, h.store.Load()
			rewrite(t, h, strings.Replace(c.content, `"127.0.0.1:2"`, `"127.0.0.1:3"`, 1))
			err := h.reload()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
			if h.config != before || h.store.Load() != topology {
				t.Error("something has changed")
			}
		})
	}
}

func TestReloadOfReplication(t *testing.T) {
	relay := two + "replication: {feed: relay, listen: \"127.0.0.1:0\"}\n"
	h := built(t, relay)
	rewrite(t, h, strings.Replace(relay, "feed: relay", "feed: relay, policy: degrade", 1))
	if err := h.reload(); err != nil {
		t.Fatal(err)
	}
	if got := h.replicator.Status().Policy; got != replicator.PolicyDegrade {
		t.Errorf("policy %v", got)
	}
	for changed, want := range map[string]string{
		`feed: relay, listen: "127.0.0.1:9"`:                           "replication.listen cannot change while feed relay runs",
		`feed: relay, listen: "127.0.0.1:0", stored_log: {dir: /else}`: "replication.stored_log.dir cannot change",
		`feed: direct`: "replication.feed: to go from relay to direct takes replication.account",
	} {
		rewrite(t, h, two+"replication: {"+changed+"}\n")
		before := h.config
		if err := h.reload(); err == nil || !strings.Contains(err.Error(), want) || h.config != before {
			t.Errorf("%s: %v, want %q", changed, err, want)
		}
	}
}

func TestBuildMakesACertificateOnce(t *testing.T) {
	h := built(t, two)
	path := filepath.Join(h.config.StateDir, "server-cert.pem")
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.reload(); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(path); err != nil || string(again) != string(first) {
		t.Errorf("the certificate has changed, %v", err)
	}
}

func TestBuildTellsWhichAddressIsTaken(t *testing.T) {
	for _, key := range []string{"proxy", "admin"} {
		content := strings.Replace(two, key+`: {listen: "127.0.0.1:0"}`, key+`: {listen: "`+taken(t)+`"}`, 1)
		code, _, stderr := command(t.Context(), "serve", "--config", file(t, content))
		if want := "choose another address with " + key + ".listen"; code != exitFailure || !strings.Contains(stderr, want) {
			t.Errorf("exit code %d, %s\nwant %s", code, stderr, want)
		}
	}
}
