package admin

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// threeNodes are a master a and slaves b and c.
func threeNodes() *cluster.Topology {
	return &cluster.Topology{
		Nodes: []cluster.Node{
			{Name: "a", Role: cluster.RoleMaster, Health: cluster.HealthUp, Weight: 1},
			{Name: "b", Role: cluster.RoleSlave, Health: cluster.HealthUp, Weight: 1, LagKnown: true},
			{Name: "c", Role: cluster.RoleSlave, Health: cluster.HealthDown, Problem: "refused", Weight: 1},
		},
		Writes: cluster.WritesOpen,
	}
}

// get asks an address over the network; "" where nobody listens there.
func get(t *testing.T, addr, path string) string {
	t.Helper()
	response, err := http.Get("http://" + addr + path)
	if err != nil {
		return ""
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// Addresses come and go with the configuration, and those that stay stay open.
func TestNodesAddresses(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	config := Config{Listen: "127.0.0.1:0", Nodes: []NodeAddress{{"a", "127.0.0.1:0"}, {"b", "127.0.0.1:0"}}}
	s := serving(threeNodes())
	s.Configure(config)
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	a, b := s.NodeAddr("a"), s.NodeAddr("b")
	if at, of := get(t, a, "/is-master"), get(t, b, "/is-master"); at != `{"isMaster":true}` || of != `{"isMaster":false}` || s.NodeAddr("c") != "" {
		t.Errorf("a says %s, b %s, c is at %q", at, of, s.NodeAddr("c"))
	}
	config.Nodes = []NodeAddress{{"b", "127.0.0.1:0"}, {"c", "127.0.0.1:0"}}
	if err := s.take(config); err != nil {
		t.Fatal(err)
	}
	if connection, err := net.Dial("tcp", a); err == nil || s.NodeAddr("a") != "" {
		t.Errorf("a's address still answers: %v", connection)
	}
	// A connection from before has its last answer, and ends.
	for deadline := time.Now().Add(10 * time.Second); get(t, a, "/ping") != ""; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a's address still answers whoever was there before")
		}
	}
	if s.NodeAddr("b") != b || get(t, b, "/ping") == "" || !strings.Contains(get(t, s.NodeAddr("c"), "/readyz"), "c is down: refused") {
		t.Errorf("b was at %s and is at %s; c says %s", b, s.NodeAddr("b"), get(t, s.NodeAddr("c"), "/readyz"))
	}
	taken := config
	taken.Nodes = append(taken.Nodes, NodeAddress{"a", s.Addr().String()})
	if err := s.take(taken); err == nil || !strings.Contains(err.Error(), "rest of node a") {
		t.Errorf("an address that is another's: %v", err)
	}
	if get(t, b, "/ping") == "" {
		t.Error("what was refused has changed something")
	}
}

// take is what a reload does.
func (s *Server) take(next Config) error {
	take, _, err := s.Prepare(next)
	if err == nil {
		take()
		s.Configure(next)
	}
	return err
}

// An address that another node has now answers for that one.
func TestAddressChangesItsNode(t *testing.T) {
	s := serving(threeNodes())
	s.Configure(Config{Nodes: []NodeAddress{{"a", "h:1"}, {"b", "h:2"}, {"c", "h:0"}}})
	keys := []string{doorKey(NodeAddress{"x", "h:1"}), doorKey(NodeAddress{"x", "h:2"}), doorKey(NodeAddress{"c", "h:0"})}
	s.Configure(Config{Nodes: []NodeAddress{{"b", "h:1"}, {"c", "h:0"}}})
	for i, want := range []string{"b", "", "c"} {
		if got := s.nodeAt(keys[i]); got != want {
			t.Errorf("%s is the address of %q, want %q", keys[i], got, want)
		}
	}
}
