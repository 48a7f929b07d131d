package main

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/admin"
)

// withConfiguration is a house that does not run, and what admin sees of its file.
func withConfiguration(t *testing.T) (*house, *configuration, roster) {
	t.Helper()
	h := built(t, strings.Replace(two, "nodes:", "# the servers\nnodes:", 1))
	c := newConfiguration(h)
	return h, c, roster{h, c}
}

func TestConfigurationReplaced(t *testing.T) {
	h, c, _ := withConfiguration(t)
	before := string(h.config.Source())
	shown, err := c.Show()
	if err != nil || !strings.Contains(shown.Text, `password: "***"`) || strings.Contains(shown.Text, "password: p") || shown.FileDiffers {
		t.Fatalf("%+v, %v", shown, err)
	}
	debug := shown.Text + "log: {level: debug}\n"
	examined, err := c.Examine(debug)
	if err != nil || !examined.Valid || len(examined.Changes) != 1 {
		t.Errorf("%+v, %v", examined, err)
	}
	for _, wrong := range []struct {
		text, version string
		is            error
	}{
		{debug, "another", admin.ErrStale},
		{shown.Text + "log: {level: loud}\n", shown.Version, admin.ErrRefused},
		{shown.Text + "log: {format: json}\n", shown.Version, admin.ErrRefused},
		{strings.Replace(shown.Text, "user: o", `user: o, password_file: "/none"`, 1), shown.Version, admin.ErrRefused},
	} {
		if _, err := c.Replace(wrong.text, wrong.version); !errors.Is(err, wrong.is) {
			t.Errorf("%v, want %v", err, wrong.is)
		}
	}
	if now, err := os.ReadFile(h.config.Path()); err != nil || string(now) != before {
		t.Fatalf("a refused text was written: %v\n%s", err, now)
	}
	changes, err := c.Replace(debug, shown.Version)
	if err != nil || len(changes) != 1 || h.config.Operator.Value() != "p" {
		t.Errorf("%v, %v", changes, err)
	}
	if kept, err := os.ReadFile(h.config.Path() + ".before"); err != nil || string(kept) != before {
		t.Errorf("%s, %v", kept, err)
	}
	if examined, err = c.Examine("nodes: []\nlisten: 1\n"); err != nil || examined.Valid || examined.Problems[0].Line != 2 {
		t.Errorf("%+v, %v", examined, err)
	}
}

func TestRoster(t *testing.T) {
	h, c, r := withConfiguration(t)
	weight, off := 3, false
	if err := r.Add(admin.NewNode{Name: "c", Address: "127.0.0.1:3", Weight: &weight, Maintenance: true}); err != nil {
		t.Fatal(err)
	}
	if i := h.store.Load().Find("c"); i < 0 || h.store.Load().Nodes[i].Weight != 3 || !h.store.Load().Nodes[i].Maintenance {
		t.Errorf("%+v", h.store.Load().Nodes)
	}
	weight = 5
	if err := r.Change("b", admin.NodeChange{Weight: &weight}); err != nil || h.store.Load().Nodes[1].Weight != 5 {
		t.Errorf("%v, %+v", err, h.store.Load().Nodes[1])
	}
	if err := r.Change("c", admin.NodeChange{Maintenance: &off}); err != nil || h.store.Load().Nodes[2].Maintenance {
		t.Errorf("%v, %+v", err, h.store.Load().Nodes[2])
	}
	if err := r.Change("none", admin.NodeChange{Maintenance: &off}); !errors.Is(err, admin.ErrUnknown) {
		t.Error(err)
	}
	if err := r.Remove("c"); err != nil || h.store.Load().Find("c") >= 0 {
		t.Errorf("%v, %+v", err, h.store.Load().Nodes)
	}
	text := string(h.config.Source())
	if !strings.Contains(text, "# the servers\nnodes:") || strings.Contains(text, "name: c") || !strings.Contains(text, "weight: 5") {
		t.Errorf("%s", text)
	}
	rewrite(t, h, text+"# by hand\n")
	if err := r.Remove("b"); !errors.Is(err, admin.ErrRefused) || !strings.Contains(err.Error(), "reload first") {
		t.Error(err)
	}
	if shown, err := c.Show(); err != nil || !shown.FileDiffers {
		t.Errorf("%+v, %v", shown, err)
	}
}

// A file that may not be written is said to be so, and nothing has changed.
func TestRosterReadOnly(t *testing.T) {
	h, _, r := withConfiguration(t)
	path := h.config.Path()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := r.Remove("b"); !errors.Is(err, admin.ErrRefused) || h.store.Load().Find("b") < 0 {
		t.Error(err)
	}
}
