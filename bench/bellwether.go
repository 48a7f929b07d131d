package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// buildBellwether builds the program from this module, as `make build` does.
func (l *lab) buildBellwether(ctx context.Context) error {
	fmt.Fprintln(os.Stderr, "bench: building ./cmd/bellwether")
	l.program = filepath.Join(l.dir, "bellwether")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", l.program, "github.com/bellwether-db/bellwether/cmd/bellwether")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build bellwether: %w\n%s(-bellwether names a binary, -through leaves it out)", err, out)
	}
	return nil
}

// bellwether writes the configuration and the command that serves it. Each
// route has a state folder and an admin address of its own.
func (l *lab) bellwether(r route, listen, admin string) ([]string, error) {
	name := strings.ReplaceAll(r.String(), ":", "-")
	state := filepath.Join(l.dir, name+".state")
	if err := os.MkdirAll(state, 0o700); err != nil {
		return nil, err
	}
	file := filepath.Join(l.dir, name+".yaml")
	text := l.bellwetherConfig(state, listen, admin)
	return []string{l.program, "serve", "--config", file}, os.WriteFile(file, []byte(text), 0o600)
}

// bellwetherConfig has Bellwether's defaults but for the addresses, the room
// for connections, and TLS towards the node, which the other ways lack too.
func (l *lab) bellwetherConfig(state, listen, admin string) string {
	var nodes strings.Builder
	for i, addr := range append([]string{l.login.Addr}, l.slaves...) {
		fmt.Fprintf(&nodes, "  - {name: node%d, address: %q, master: %t}\n", i+1, addr, i == 0)
	}
	return fmt.Sprintf(`state_dir: %q
log:
  level: warn
operator:
  user: %q
  password: %q
nodes:
%snode_tls:
  mode: "off"
proxy:
  listen: %q
  max_clients: %d
pool:
  max_per_node: %d
admin:
  listen: %q
`, state, l.operator.User, l.operator.Password, nodes.String(), listen, l.connections, l.pool, admin)
}
