package main

import (
	"fmt"
	"path/filepath"
	"strings"
)

// demoNode is one server of the demo.
type demoNode struct {
	name, addr string
	pid        int
	master     bool
}

// demoFolder is the folder of one demo.
type demoFolder string

func (d demoFolder) config() string      { return filepath.Join(string(d), "bellwether.yaml") }
func (d demoFolder) environment() string { return filepath.Join(string(d), "demo.env") }
func (d demoFolder) secret() string      { return filepath.Join(string(d), "operator.password") }
func (d demoFolder) appSecret() string   { return filepath.Join(string(d), "app.password") }
func (d demoFolder) slaveSecret() string { return filepath.Join(string(d), "replication.password") }
func (d demoFolder) record() string      { return filepath.Join(string(d), "demo.json") }
func (d demoFolder) log() string         { return filepath.Join(string(d), "bellwether.log") }
func (d demoFolder) state() string       { return filepath.Join(string(d), "state") }
func (d demoFolder) servers() string     { return filepath.Join(string(d), "servers") }

// demoConfig is the configuration of a demo, as `serve --config` takes it. The
// slaves' account lets `adopt --feed direct` be tried.
func demoConfig(o demoOptions, operator, slaves, app string, nodes []demoNode) string {
	var text strings.Builder
	fmt.Fprintf(&text, `# Made by bellwether demo. bellwether.example.yaml explains every key.
state_dir: state
operator:
  user: %q
  password_file: operator.password
nodes:
`, operator)
	for i, node := range nodes {
		mark := ""
		if node.master {
			mark = ", master: true"
		}
		fmt.Fprintf(&text, "  - {name: %s, address: %q, rest: %q%s}\n", node.name, node.addr, o.rest(i), mark)
	}
	fmt.Fprintf(&text, "replication:\n  feed: %s\n  listen: %q\n", o.feed, o.log())
	fmt.Fprintf(&text, "  account: {user: %q, password_file: replication.password}\n", slaves)
	fmt.Fprintf(&text, "proxy: {listen: %q}\n", o.proxy)
	fmt.Fprintf(&text, "admin:\n  listen: %q\n  account: {user: %q, password_file: app.password}\n", o.admin, app)
	fmt.Fprintf(&text, "  # Whoever is on this machine may do everything over REST. Only for a demo.\n  open_loopback: true\n")
	return text.String()
}
