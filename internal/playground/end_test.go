package playground

import (
	"context"
	"errors"
	"testing"
)

func TestAwaitEnd(t *testing.T) {
	c := ForTest(t, Options{Flavour: MariaDB, Relaxed: true})
	n := c.Nodes[0]
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := n.AwaitEnd(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("while it runs: %v", err)
	}
	if err := n.Kill(); err != nil {
		t.Fatal(err)
	}
	if how, err := n.AwaitEnd(t.Context()); err != nil || how != "signal: killed" {
		t.Errorf("after the kill: %q, %v", how, err)
	}
	if err := n.StartServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := n.AwaitEnd(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("after it was started again: %v", err)
	}
}
