package main

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
)

// leaveAlone runs on a node what a killed Bellwether leaves behind that changed it
// by hand, and tells how that ended.
func leaveAlone(t *testing.T, n *playground.Node, as playground.Account) <-chan error {
	t.Helper()
	db, err := cluster.OpenNode(n.Addr(), cluster.Config{Operator: cluster.Account{User: as.User, Password: as.Password}, ProbeTimeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := db.ExecContext(context.Background(), "DO GET_LOCK('bellwether_alone', 0), SLEEP(60)")
		_ = db.Close() // it has said what it had to
		ended <- err
	}()
	for deadline := time.Now().Add(20 * time.Second); ; sleep(t.Context(), 20*time.Millisecond) {
		held, err := n.Query(t.Context(), "SELECT IS_USED_LOCK('bellwether_alone') IS NOT NULL")
		if err == nil && held == "1" {
			return ended
		}
		if time.Now().After(deadline) {
			t.Fatalf("nobody holds the lock: %s, %v", held, err)
		}
	}
}

// leaveCopying leaves these nodes in maintenance, as a Bellwether does whose copies
// broke off.
func leaveCopying(t *testing.T, state string, nodes ...string) {
	t.Helper()
	wishes := map[string]map[string]bool{}
	for _, n := range nodes {
		wishes[n] = map[string]bool{"maintenance": true}
	}
	err := copyingIn(state).change(func([]string) ([]string, error) { return nodes, nil })
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(wishes)
	if err == nil {
		err = os.WriteFile(wishesFile(state), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// wantLeft wants that of both only one is still in maintenance for a copy.
func wantLeft(t *testing.T, state, left, given string) {
	t.Helper()
	nodes, err := copyingIn(state).read()
	if err != nil || !slices.Equal(nodes, []string{left}) {
		t.Errorf("%q are being copied, %v", nodes, err)
	}
	var wishes map[string]struct{ Maintenance bool }
	text, err := os.ReadFile(wishesFile(state))
	if err == nil {
		err = json.Unmarshal(text, &wishes)
	}
	if err != nil || !wishes[left].Maintenance || wishes[given].Maintenance {
		t.Errorf("%s, %v", text, err)
	}
}
